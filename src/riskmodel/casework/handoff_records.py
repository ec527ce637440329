"""What hand-offs take and give: a risk with its team, what happened to it, what was done. All frozen."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from riskmodel.casework.outbox import Message
from riskmodel.errors import CasebookError, FieldProblem
from riskmodel.records import Assessment, Rating

State = Literal["open", "acknowledged", "refused", "mitigated", "withdrawn"]
EventKind = Literal["opened", "acknowledged", "refused", "mitigated", "withdrawn", "verdict undone"]
Way = Literal["desk", "link", "key", "rule"]
Action = Literal[
    "removed",
    "limited",
    "labelled",
    "account suspended",
    "reported to authorities",
    "user supported",
    "no action",
]
Delivery = Literal["page", "on its way", "failing", "delivered", "dead"]
STATES: tuple[State, ...] = get_args(State)
WITH_TEAM: tuple[State, ...] = ("open", "acknowledged")
ACTIONS: tuple[Action, ...] = get_args(Action)
NO_ACTION: Action = "no action"
MAX_NOTE_CHARACTERS = 2_000
MAX_NAME_CHARACTERS = 64


@dataclass(frozen=True)
class Actor:
    """Who acts, and how they came.

    Attributes:
        name: of a key's owner; by a link, what the person wrote; None for a rule.
        way: from the desk's pages, by a link in a message, by a key of the team, or by a rule.
    """

    name: str | None
    way: Way


RULE = Actor(None, "rule")


@dataclass(frozen=True)
class Handoff:
    """A risk handed over to the team that mitigates it.

    Attributes:
        escalation: the number of the case; ``id`` and ``client`` are its names.
        verdict: the number of the one that it rests on; None where the model's rating was accepted.
        opened_by: None for a rule.
        follows: the number of the one that another team refused before.
        act_by: by the policy, for rating and team.
        actions: what was done in the end.
        version: changes with whatever happens to it.
    """

    number: int
    escalation: int
    client: str
    id: str
    assessment: int
    verdict: int | None
    team: str
    rating: Rating
    category: str
    market: str | None
    language: str
    opened_at: datetime
    opened_by: str | None
    follows: int | None
    act_by: datetime
    state: State
    acknowledged_at: datetime | None
    ended_at: datetime | None
    actions: tuple[Action, ...]
    version: int

    def is_late(self, now: datetime) -> bool:
        """Return whether its team has it beyond the deadline."""
        return self.state in WITH_TEAM and self.act_by <= now


@dataclass(frozen=True)
class Event:
    """One thing that happened to a hand-off, as it was appended."""

    number: int
    at: datetime
    actor: str | None
    way: Way
    kind: EventKind
    actions: tuple[Action, ...]
    note: str = field(repr=False)


@dataclass(frozen=True)
class Listed:
    """A hand-off on a page, with how it reached its team."""

    handoff: Handoff
    delivery: Delivery


@dataclass(frozen=True)
class HandoffPage:
    """Hand-offs, the newest first, and the cursor of the next page; None at the end."""

    items: tuple[Listed, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class WholeHandoff:
    """A hand-off with everything that is known of it.

    Attributes:
        document: what its team was given, personal data masked unless the team's settings say otherwise.
        events: the oldest first.
        messages: what was sent to its team, the newest first.
        followed_by: the number of the one that another team got after this one was refused.
        review: the number of the review that gave its case the first opinion; None if no person was asked.
    """

    handoff: Handoff
    document: dict[str, Any] = field(repr=False)
    events: tuple[Event, ...]
    messages: tuple[Message, ...]
    followed_by: int | None
    review: int | None

    @property
    def assessment(self) -> Assessment:
        """Return the assessment as its team was given it."""
        given = {name: value for name, value in self.document["assessment"].items() if name != "assessed_at"}
        return Assessment.model_validate_json(json.dumps(given))

    @property
    def delivery(self) -> Delivery:
        """Return how it reached its team."""
        return delivery_of([message for message in self.messages if message.kind == KIND])


KIND = "handoff"  # of a message that brings one
WITHDRAWAL = "withdrawal"  # of a message that takes one back


@dataclass(frozen=True)
class HandoffFilters:
    """Which hand-offs; what is None does not matter.

    Attributes:
        late: only those that their team has beyond the deadline.
        needs_desk: only those that nobody has: refused and not handed on, or given up without being delivered.
    """

    team: str | None = None
    state: State | None = None
    late: bool = False
    needs_desk: bool = False


@dataclass(frozen=True)
class Offer:
    """What may be handed over of a case, and to whom.

    Attributes:
        rating: that counts: the verdict's, or the one that was accepted.
        team: that the policy names.
        teams: all of them.
    """

    rating: Rating
    category: str
    team: str
    teams: tuple[str, ...]


class UnknownHandoffError(CasebookError):
    """No hand-off has that number, or it is another team's."""


class HandoffError(CasebookError):
    """A hand-off cannot be opened or what was entered cannot be; ``problem`` names the field."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        self.problem = FieldProblem(field, found, expected)
        super().__init__(f"A hand-off's {self.problem}.")


class HandoffStateError(CasebookError):
    """The hand-off changed since somebody saw it, or that cannot be done to it now; ``current`` is what it is."""

    def __init__(self, current: Handoff) -> None:
        super().__init__(
            f"Hand-off {current.number}: found one that is {current.state}, in version {current.version}, "
            "expected one that this can be done to, in the version that was seen."
        )
        self.current = current


def delivery_of(messages: list[Message]) -> Delivery:
    """Return how a hand-off reached its team: never delivered unless a channel took it."""
    states = {message.state for message in messages}
    if not messages:
        return "page"
    if "sent" in states:
        return "delivered"
    if "waiting" not in states:
        return "dead"
    return "failing" if any(message.is_failing for message in messages) or "dead" in states else "on its way"
