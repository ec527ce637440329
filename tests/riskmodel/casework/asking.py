"""A casebook with cases, and a desk that asks about them, made for tests."""

from datetime import datetime, timedelta
from typing import Any

from riskmodel.casebook import AuditEvent, Casebook
from riskmodel.casework import Contacts, NewQuestion, Questions
from riskmodel.casework.delivery import Ended, Leased
from riskmodel.casework.outbox import Outbox
from riskmodel.policy import load_policy
from riskmodel.review.backlog import enter_backlog
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.made import SECRET
from tests.riskmodel.review.made import waiting

ASKED = "Does this account also sell tickets? Write to eva@example.org if so."
OUTSIDE = "press@example.net"


def desk_file(**changes: Any) -> Contacts:
    """Return contacts of a desk that can be answered by link and by e-mail, and of two teams."""
    given: dict[str, Any] = {
        "base_url": "https://desk.example.org",
        "private_addresses": True,
        "smtp": {"host": "localhost", "sender": "Desk <desk@example.org>"},
        "answers": {"address": "answers@example.org"},
        "teams": {
            "desk": {"email": "desk@example.org", "second": "lead@example.org"},
            "crisis_response": {"webhook": "http://127.0.0.1:1/", "secrets": [SECRET]},
            "fraud_operations": {"email": "fraud@example.org", "language": "es", "second": "head@example.org"},
        },
    }
    return Contacts.model_validate(given | changes)


def keep_case(casebook: Casebook, id_: str = "case-1", **changes: Any) -> int:
    """Keep an escalation that waits for a person, and return its number."""
    casebook.keep([waiting(id_, **changes)])
    enter_backlog(casebook.database, None, NOON)
    return casebook.get(id_).number


def event(action: str = "ask", at: datetime = NOON) -> AuditEvent:
    return AuditEvent(at, "ana", "key00001", "analyst", action, "a question", None)


def asked(escalation: int, destination: str = OUTSIDE, *, hours: float = 4, **changes: Any) -> NewQuestion:
    given = {"text": ASKED, "due_at": NOON + timedelta(hours=hours), "language": "pt"}
    return NewQuestion(escalation, destination, **(given | changes))  # type: ignore[arg-type]


def asking(casebook: Casebook, contacts: Contacts | None = None) -> Questions:
    return Questions(casebook.database, load_policy(), contacts or desk_file())


def sent(casebook: Casebook, now: datetime = NOON) -> list[Leased]:
    """Return what is due to be sent, as whoever sends it gets it, and have it sent."""
    outbox, found = Outbox(casebook.database), []
    while (message := outbox.take(now)) is not None:
        outbox.end(message, Ended("delivered", 200), now)
        found.append(message)
    return found
