"""E-mail to a real SMTP server: within TLS where that is offered, known again when sent again, safe against headers."""

import socket
from pathlib import Path
from typing import Any

import pytest

from riskmodel.casework import Contacts, Emails
from riskmodel.casework.delivery import Ended, Leased
from tests.riskmodel.casework.made import leased
from tests.riskmodel.casework.mailbox import PASSWORD, USER, Mailbox, mailbox, make_certificate

TO = "crisis@example.org"
PAYLOAD = {"subject": "Traspaso 7: crítica", "text": "Actúe antes de las 18:00.\n.\nFin.\n"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def emails(box: Mailbox | int, seconds: float = 20, **smtp: Any) -> Emails:
    port = box if isinstance(box, int) else box.port
    server = {"host": "localhost", "port": port, "sender": "riskmodel <desk@example.org>"} | smtp
    given = {"smtp": server, "teams": {"crisis_response": {"email": TO}}, "delivery": {"timeout_seconds": seconds}}
    return Emails(Contacts.model_validate(given))


def letter(**changes: Any) -> Leased:
    return leased(channel="email", payload=PAYLOAD | changes)


def test_a_team_gets_a_plain_email_with_all_its_letters() -> None:
    with mailbox() as box:
        assert emails(box)(letter(reply_to="answers+7@example.org")) == Ended("delivered", 250)

    (email,), (envelope,) = box.emails, box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("desk@example.org", [TO])
    assert (email["From"], email["To"], email["Reply-To"]) == (
        "riskmodel <desk@example.org>",
        TO,
        "answers+7@example.org",
    )
    assert email["Subject"] == PAYLOAD["subject"] and email["Auto-Submitted"] == "auto-generated"
    assert email.get_content_type() == "text/plain" and email["Date"]
    assert email.get_content().replace("\r\n", "\n") == PAYLOAD["text"]


def test_sent_again_it_has_the_same_message_id() -> None:
    with mailbox() as box:
        for tries in (1, 2):
            emails(box)(leased(channel="email", payload=PAYLOAD, tries=tries))

    assert [email["Message-ID"] for email in box.emails] == [f"<{letter().id}@example.org>"] * 2


def test_tls_is_used_where_it_is_offered_and_the_password_goes_within(certificate: Path) -> None:
    with mailbox(certificate, login=True) as box:
        ended = emails(box, user=USER, password=PASSWORD, ca_file=str(certificate))(letter())

    assert ended == Ended("delivered", 250) and box.secure == [True]


def test_a_wrong_password_is_refused(certificate: Path) -> None:
    with mailbox(certificate, login=True) as box:
        assert emails(box, user=USER, password="other", ca_file=str(certificate))(letter()) == Ended("refused", 535)


def test_a_password_is_not_sent_in_the_open() -> None:
    with mailbox() as box:
        assert emails(box, user=USER, password=PASSWORD)(letter()) == Ended("refused")
    assert box.emails == []


def test_where_tls_is_required_a_server_without_it_gets_nothing() -> None:
    with mailbox() as box:
        assert emails(box, tls="required")(letter()) == Ended("refused")
    assert box.emails == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(certificate: Path) -> None:
    with mailbox(certificate) as box:
        assert emails(box)(letter()) == Ended("unreachable")
    assert box.emails == []


@pytest.mark.parametrize(
    ("answers", "ended"),
    [
        ({"to_recipient": "550 no such user"}, Ended("refused for good", 550)),
        ({"to_recipient": "451 try later"}, Ended("refused", 451)),
        ({"answer": "452 full"}, Ended("refused", 452)),
        ({"answer": "554 no"}, Ended("refused", 554)),
    ],
)
def test_what_a_server_refuses_is_named(answers: dict[str, str], ended: Ended) -> None:
    with mailbox(**answers) as box:
        assert emails(box)(letter()) == ended


def test_a_subject_cannot_begin_another_header() -> None:
    hostile = "one\r\nBcc: other@example.org\n\nbody\x00\u2028end"
    with mailbox() as box:
        assert emails(box)(letter(subject=hostile, reply_to="a@example.org\r\nX-Evil: 1")).outcome == "delivered"

    (email,) = box.emails
    assert email["Subject"] == "one Bcc: other@example.org body end"
    assert email["Bcc"] is None and email["X-Evil"] is None and box.envelopes[0].rcpt_tos == [TO]


def test_an_address_outside_is_reached_and_anything_else_is_not() -> None:
    with mailbox() as box:
        assert emails(box)(leased(channel="email", destination="ngo@example.net", payload=PAYLOAD)).outcome == (
            "delivered"
        )
        for destination in ("unknown", "a@b@c", "a@example.org, b@example.org", "a@example.org\nBcc: b@example.org"):
            assert emails(box)(leased(channel="email", destination=destination, payload=PAYLOAD)) == Ended("no address")
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["ngo@example.net"]]


def test_nobody_there_is_unreachable_and_a_silent_server_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert emails(port, seconds=0.3)(letter()) == Ended("timeout")
    assert emails(port)(letter()) == Ended("unreachable")
