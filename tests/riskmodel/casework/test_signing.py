"""Signatures: the standard's own example, and everything that must not be trusted."""

import pytest

from riskmodel.casework import SignatureError, sign, verify
from tests.riskmodel.casework.made import OTHER_SECRET, SECRET

ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_it_signs_the_standards_own_example_as_the_standard_does() -> None:
    headers = sign([SECRET], ID, AT, BODY)

    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_was_signed_verifies_and_gives_its_id_whatever_the_case_of_the_headers() -> None:
    headers = {name.title(): value for name, value in sign([SECRET], ID, AT, BODY).items()}

    assert verify([SECRET], headers, BODY, AT + 299) == ID


def test_while_a_secret_is_changed_both_the_old_and_the_new_one_verify() -> None:
    headers = sign([OTHER_SECRET, SECRET], ID, AT, BODY)

    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verify([SECRET], headers, BODY, AT) == verify([OTHER_SECRET], headers, BODY, AT) == ID
    assert verify([OTHER_SECRET, SECRET], sign([SECRET], ID, AT, BODY), BODY, AT) == ID


@pytest.mark.parametrize(
    ("changes", "body", "now", "why"),
    [
        ({}, b'{"test": 2432232315}', AT, "no signature by a known secret"),
        ({"webhook-id": "msg_other"}, BODY, AT, "no signature by a known secret"),
        ({"webhook-timestamp": str(AT + 1)}, BODY, AT, "no signature by a known secret"),
        ({"webhook-signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="}, BODY, AT, "no signature"),
        ({"webhook-signature": "v1,ñ"}, BODY, AT, "no signature"),
        ({"webhook-signature": ""}, BODY, AT, "no signature"),
        ({"webhook-id": ""}, BODY, AT, "no id or no timestamp"),
        ({"webhook-timestamp": "1e9"}, BODY, AT, "no id or no timestamp"),
        ({}, BODY, AT + 301, "another time"),
        ({}, BODY, AT - 301, "another time"),
    ],
)
def test_what_was_changed_or_is_of_another_time_is_refused(
    changes: dict[str, str], body: bytes, now: float, why: str
) -> None:
    with pytest.raises(SignatureError, match=why):
        verify([SECRET], sign([SECRET], ID, AT, BODY) | changes, body, now)


def test_another_secret_does_not_verify() -> None:
    with pytest.raises(SignatureError, match="known secret"):
        verify([OTHER_SECRET], sign([SECRET], ID, AT, BODY), BODY, AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all, but long enough for it"])
def test_a_secret_that_is_short_or_not_base64_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(SignatureError, match="24 to 64 bytes in base64") as caught:
        sign([secret], ID, AT, BODY)

    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)
