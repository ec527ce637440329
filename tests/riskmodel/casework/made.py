"""Messages and contacts made for tests."""

import random
from datetime import timedelta
from typing import Any

from riskmodel.casework import Contacts, NewMessage
from riskmodel.casework.delivery import Leased
from tests.riskmodel.casebook.made import NOON

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the standard's own example
OTHER_SECRET = "whsec_" + "bmV3IHNlY3JldCBvZiAyNCBieXRlcyBhbmQgbW9yZQ=="


class NoJitter(random.Random):
    """Chance that always takes the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Told:
    """Remembers what it is told of attempts."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []

    def attempted(self, channel: str, outcome: str) -> None:
        self.attempts.append((channel, outcome))


def message(subject: int = 1, *, destination: str = "crisis_response", **changes: Any) -> NewMessage:
    given: dict[str, Any] = {
        "kind": "handoff",
        "subject": subject,
        "escalation": None,
        "channel": "webhook",
        "destination": destination,
        "payload": {"type": "handoff.opened", "data": {"number": subject, "text": "olá"}},
    }
    return NewMessage(**given | changes)


def leased(**changes: Any) -> Leased:
    given: dict[str, Any] = {
        "number": 1,
        "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "kind": "handoff",
        "channel": "webhook",
        "destination": "crisis_response",
        "payload": {"test": 2432232314},
        "tries": 1,
        "lease": "x",
        "attempt": 1,
    }
    return Leased(**given | changes)


def contacts(url: str | None = None, **changes: Any) -> Contacts:
    """Return contacts of a team that takes webhooks at an address of this machine."""
    team: dict[str, Any] = {} if url is None else {"webhook": url, "secrets": [SECRET]}
    given: dict[str, Any] = {"private_addresses": True, "teams": {"crisis_response": team}}
    return Contacts.model_validate(given | changes)


def after(seconds: float) -> Any:
    return NOON + timedelta(seconds=seconds)
