"""Replies as mail programs send them: whose answer is kept, whose is not, and what becomes of a maildir."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodel.casebook import Casebook
from riskmodel.casework import Questions
from riskmodel.casework.inbound import MOST_BYTES, Maildir, read_reply, receive
from riskmodel.errors import SettingsError
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.asking import asked, asking, event, keep_case, sent
from tests.riskmodel.casework.test_questions import token_in

REPLIES = Path(__file__).with_name("replies")
TOKEN = "abcdefghijklmnopqrstuvwxyz234567"


def reply(name: str, token: str = TOKEN) -> bytes:
    raw = (REPLIES / f"{name}.eml").read_bytes()
    return raw.replace(TOKEN.encode(), token.encode()).replace(TOKEN.upper().encode(), token.upper().encode())


def opened(casebook: Casebook) -> tuple[Questions, str]:
    """Return a desk that asked a question, and its token."""
    questions = asking(casebook)
    questions.ask(asked(keep_case(casebook)), event())
    return questions, token_in(sent(casebook)[0].payload)


@pytest.mark.parametrize(
    ("name", "sender", "text"),
    [
        (
            "gmail-en",
            "press@example.net",
            "Yes, it sells tickets too — three buyers came to us.\n\nOn my side I can send their names.",
        ),
        (
            "outlook-es",
            "jose@example.com",
            "Sí, también vende entradas.\n\nDe: tres personas lo sabemos desde ayer.\n\nSaludos,\nJosé",
        ),
        (
            "apple-pt",
            "ana@example.com",
            "Não vende ingressos.\nSó divulga os shows.\n\n\nMas há outra conta que vende.",
        ),
        ("html-only-pt", "ana@example.com", "Sim, vende ingressos & camisetas.\n\nTrês pessoas sabem."),
        ("attachment-en", "press@example.net", "The names are in the file – see there."),
    ],
)
def test_the_answer_in_a_reply_is_kept(casebook: Casebook, name: str, sender: str, text: str) -> None:
    questions, token = opened(casebook)

    assert receive(reply(name, token), questions, NOON) == "kept"

    ((answer,),) = (question.answers for question in questions.page(None, None, 10))
    assert (answer.via, answer.sender, answer.text) == ("email", sender, text)


def test_the_same_reply_twice_is_one_answer(casebook: Casebook) -> None:
    questions, token = opened(casebook)

    assert [receive(reply("gmail-en", token), questions, NOON) for _ in range(2)] == ["kept", "kept"]

    assert len(questions.page("answered", None, 10)[0].answers) == 1


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("holiday-es", "automatic"), ("bounce-en", "automatic"), ("quote-only-en", "without text")],
)
def test_what_is_no_answer_leaves_the_question_open(casebook: Casebook, name: str, outcome: str) -> None:
    questions, token = opened(casebook)

    assert receive(reply(name, token), questions, NOON) == outcome

    assert questions.page("open", None, 10)[0].answers == ()


def test_a_token_that_was_made_up_answers_nothing(casebook: Casebook) -> None:
    questions, token = opened(casebook)
    forged = ("b" if token[0] == "a" else "a") + token[1:]

    for name in ("gmail-en", "outlook-es", "apple-pt"):
        assert receive(reply(name, forged), questions, NOON) == "without question"

    assert questions.page("open", None, 10)[0].answers == ()


def test_a_question_that_was_withdrawn_takes_no_reply(casebook: Casebook) -> None:
    questions, token = opened(casebook)
    questions.withdraw(questions.page(None, None, 1)[0].number, event("withdraw"))

    assert receive(reply("gmail-en", token), questions, NOON) == "without question"


def test_an_email_that_is_too_large_is_not_read(casebook: Casebook) -> None:
    questions, token = opened(casebook)

    assert receive(reply("gmail-en", token) + b"x" * MOST_BYTES, questions, NOON) == "too large"


def test_attachments_are_counted_and_not_read() -> None:
    assert read_reply(reply("attachment-en")).attachments == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from(sorted(path.stem for path in REPLIES.iterdir())), st.integers(0, 900))
def test_an_email_that_is_damaged_is_read_or_refused_and_nothing_else(noise: bytes, name: str, at: int) -> None:
    raw = reply(name)
    try:
        found = read_reply(raw[:at] + noise + raw[at + len(noise) :])
    except ValueError:
        return
    assert isinstance(found.text, str)


def test_a_maildir_is_emptied_and_what_no_answer_was_is_flagged(casebook: Casebook, tmp_path: Path) -> None:
    questions, token = opened(casebook)
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    for at, name in enumerate(("gmail-en", "holiday-es", "outlook-es")):
        (tmp_path / "new" / f"{at}.host").write_bytes(reply(name, token))
    (tmp_path / "tmp" / "half").write_bytes(b"not delivered yet")
    maildir = Maildir(tmp_path, questions, lambda: NOON)

    assert maildir.receive() == {"kept": 2, "automatic": 1}

    assert sorted(path.name for path in (tmp_path / "cur").iterdir()) == ["0.host:2,S", "1.host:2,F", "2.host:2,S"]
    assert (list((tmp_path / "new").iterdir()), maildir.receive()) == ([], {})
    assert (tmp_path / "tmp" / "half").exists()


def test_a_folder_that_is_no_maildir_is_refused_by_name(casebook: Casebook, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found no folder new or cur"):
        Maildir(tmp_path, asking(casebook), lambda: NOON)
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
