"""An e-mail as it came in, the answer it holds kept, or why it holds none; and a whole maildir, message by message.

Whoever has a question's token may answer: it stands behind the ``+`` of the address, or in the subject where a mail
server lost that. The sender's address proves nothing and is only shown.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal

import structlog

from riskmodel.casework.contacts import is_address
from riskmodel.casework.questions import (
    MAX_ANSWER_CHARACTERS,
    ClosedQuestionError,
    NewAnswer,
    Questions,
    UnknownQuestionError,
)
from riskmodel.casework.replies import text_of_html, written
from riskmodel.errors import SettingsError

Outcome = Literal["kept", "automatic", "without text", "without question", "closed", "unreadable", "too large"]
MOST_BYTES = 10 * 1024 * 1024  # with attachments, which are not read
MOST_TOKENS = 5  # of one e-mail that are tried
KEPT, REFUSED = ":2,S", ":2,F"  # how a maildir marks a message: seen, or flagged for a person to look at
_ADDRESSED = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "resent-to")
_IN_ADDRESS = re.compile(r"\+([a-z2-7]{32})@", re.IGNORECASE)
_IN_SUBJECT = re.compile(r"\[q-([a-z2-7]{32})\]", re.IGNORECASE)

log = structlog.get_logger()


@dataclass(frozen=True)
class Reply:
    """An e-mail as far as it may hold an answer.

    Attributes:
        tokens: that it carries.
        is_automatic: whether a program wrote it, such as a holiday note.
        text: what its sender wrote.
        attachments: how many it has; they are not read.
    """

    tokens: tuple[str, ...] = field(repr=False)
    sender: str | None = field(repr=False)
    is_automatic: bool
    text: str = field(repr=False)
    attachments: int


def read_reply(raw: bytes) -> Reply:
    """Return what an e-mail says.

    Raises:
        ValueError: if it cannot be read.
    """
    try:
        email = message_from_bytes(raw, policy=default)
        assert isinstance(email, EmailMessage)
        places = [_header(email, name) for name in _ADDRESSED]
        tokens = [token.lower() for place in places for token in _IN_ADDRESS.findall(place)]
        tokens += [token.lower() for token in _IN_SUBJECT.findall(_header(email, "subject"))]
        sender = parseaddr(_header(email, "from"))[1]
        return Reply(
            tokens=tuple(dict.fromkeys(tokens))[:MOST_TOKENS],
            sender=sender if is_address(sender) else None,
            is_automatic=_is_automatic(email),
            text=_text(email)[:MAX_ANSWER_CHARACTERS].strip(),
            attachments=sum(part.is_attachment() for part in email.walk() if isinstance(part, EmailMessage)),
        )
    except (LookupError, AttributeError, TypeError, RecursionError, AssertionError) as error:
        raise ValueError(f"An e-mail: {type(error).__name__}") from None  # what the standard library makes of bad ones


def receive(raw: bytes, questions: Questions, now: datetime) -> Outcome:
    """Keep the answer that an e-mail holds, and return what became of it; the same e-mail again changes nothing."""
    if len(raw) > MOST_BYTES:
        return "too large"
    try:
        reply = read_reply(raw)
    except ValueError:
        return "unreadable"
    if reply.is_automatic:
        return "automatic"
    outcome: Outcome = "without question"
    for token in reply.tokens:
        if not reply.text:
            return "without text"
        try:
            questions.answer(token, NewAnswer("email", reply.text.replace("\x00", ""), reply.sender), now)
        except UnknownQuestionError:
            continue
        except ClosedQuestionError:
            outcome = "closed"
            continue
        return "kept"
    return outcome


class Maildir:
    """A maildir that replies come in to.

    Args:
        folder: the maildir.
        questions: what is asked.
        clock: says when.

    Raises:
        SettingsError: if there is no such maildir.
    """

    def __init__(self, folder: Path, questions: Questions, clock: Callable[[], datetime]) -> None:
        check_maildir(folder)
        self._folder = folder
        self._questions = questions
        self._clock = clock

    def receive(self) -> dict[Outcome, int]:
        """Take every new message, and mark it: seen if its answer was kept, else flagged; return how many of each.

        Raises:
            CasebookUnavailableError: if the casebook does not answer; what was not taken is taken next time.
        """
        found: dict[Outcome, int] = {}
        for path in sorted((self._folder / "new").iterdir()):
            try:
                raw = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b" " * (MOST_BYTES + 1)
                outcome = receive(raw, self._questions, self._clock())
                path.rename(self._folder / "cur" / (path.name + (KEPT if outcome == "kept" else REFUSED)))
            except FileNotFoundError:  # another process took it
                continue
            log.info("reply", outcome=outcome)
            found[outcome] = found.get(outcome, 0) + 1
        return found


def check_maildir(folder: Path) -> None:
    """Check that a folder is a maildir.

    Raises:
        SettingsError: if not.
    """
    missing = [name for name in ("new", "cur") if not (folder / name).is_dir()]
    if missing:
        raise SettingsError(f"The maildir {folder}: found no folder {' or '.join(missing)}, expected a maildir.")


def _header(email: EmailMessage, name: str) -> str:
    return " ".join(str(value) for value in email.get_all(name, []))


def _is_automatic(email: EmailMessage) -> bool:
    """Return whether a program wrote it: RFC 3834, what others send instead, and reports of failed delivery."""
    submitted = _header(email, "auto-submitted").partition(";")[0].strip().lower()
    precedence = _header(email, "precedence").strip().lower()
    named = any(name in email for name in ("x-autoreply", "x-autorespond", "x-auto-reply"))
    report = email.get_content_type() == "multipart/report"
    return submitted not in ("", "no") or precedence == "auto_reply" or named or report


def _text(email: EmailMessage) -> str:
    for kind in ("plain", "html"):
        body = email.get_body((kind,))
        if body is not None:
            text = _content(body)
            found = written(text_of_html(text) if kind == "html" else text)
            if found:
                return found
    return ""


def _content(body: "MIMEPart[Any, Any]") -> str:
    """Return the text of a part, also where its character set is unknown or not what it says."""
    try:
        return str(body.get_content())
    except LookupError:
        payload = body.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
