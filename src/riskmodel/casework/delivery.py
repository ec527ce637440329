"""What a delivery takes and gives: a message on its way, how an attempt ended, when the next one is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal, Protocol, get_args

Channel = Literal["webhook", "email"]
State = Literal["waiting", "sent", "dead", "withdrawn"]
Outcome = Literal[
    "delivered",
    "refused",
    "refused for good",
    "timeout",
    "unreachable",
    "forbidden address",
    "no address",
    "fault",
]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

JITTER = 0.25  # of a delay, either way: what failed together is not tried again together


@dataclass(frozen=True)
class NewMessage:
    """What is to be sent.

    Attributes:
        kind: such as ``handoff`` or ``question``.
        subject: the number of the hand-off, question or report that it belongs to.
        escalation: the number of the one it tells of; it goes with it when that is forgotten.
        destination: the name of a team, or, by e-mail, an address.
        payload: the JSON object that a webhook carries; of an e-mail ``subject`` and ``text``.
    """

    kind: str
    subject: int
    escalation: int | None
    channel: Channel
    destination: str
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Leased:
    """A message that this process alone sends until its lease ends.

    Attributes:
        id: the same at every attempt, so that a receiver knows it again.
        tries: attempts, this one included.
    """

    number: int
    id: str
    kind: str
    channel: Channel
    destination: str
    payload: Mapping[str, Any] = field(repr=False)
    tries: int
    lease: str = field(repr=False)
    attempt: int


@dataclass(frozen=True)
class Ended:
    """How an attempt ended.

    Attributes:
        status: of HTTP or SMTP, if there was an answer.
        retry_after: seconds that the receiver asks to be left alone.
    """

    outcome: Outcome
    status: int | None = None
    retry_after: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """When a message that was not delivered is tried again, and when it is given up for a person to see.

    Attributes:
        attempts: at most.
        first_seconds: to the second attempt; each delay after is ``factor`` times as long.
        longest_seconds: between two attempts.
    """

    attempts: int = 12
    first_seconds: float = 5
    factor: float = 3
    longest_seconds: float = 6 * 3_600

    def delay(self, tries: int) -> float:
        """Return the seconds after so many attempts, without jitter."""
        grown: float = self.first_seconds * self.factor ** min(tries - 1, 64)
        return min(grown, self.longest_seconds)

    def next_at(self, tries: int, ended: Ended, now: datetime, random: Random) -> datetime | None:
        """Return when to try again after so many attempts; None to give up."""
        if tries >= self.attempts or ended.outcome == "refused for good":
            return None
        delay = self.delay(tries) * random.uniform(1 - JITTER, 1 + JITTER)
        return now + timedelta(seconds=max(delay, min(ended.retry_after, self.longest_seconds)))


class Deliver(Protocol):
    """A channel: makes one attempt, within seconds, and says how it ended; it raises nothing that is expected."""

    def __call__(self, message: Leased) -> Ended:
        """Make one attempt."""
