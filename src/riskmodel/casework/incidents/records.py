"""What incidents take and give: evidence, members, events, incidents, campaigns. All frozen; no text in a repr."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from riskmodel.errors import CasebookError, FieldProblem
from riskmodel.records import Rating

JOINER = "joiner"  # the actor of whatever no person did
EventKind = Literal["opened", "joined", "merged", "corroborated", "added", "split", "named"]
TEXT = "text"  # the kind of evidence that two texts are close


class UnknownIncidentError(CasebookError):
    """There is no incident, campaign or member of that number."""


class EditError(CasebookError):
    """What a person asked for cannot be done to an incident; ``problem`` names the field."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        self.problem = FieldProblem(field, found, expected)
        super().__init__(f"An incident's {self.problem}.")


@dataclass(frozen=True)
class Shared:
    """Something that two reports have in common.

    Attributes:
        kind: ``text`` for close vectors, else the kind of the signal, such as ``link`` or ``name``.
        value: what is shared; for ``text`` the cosine.
        holders: how many incidents and lone reports of the window name it; None for ``text``.
        weight: what it adds to the score of the pair.
    """

    kind: str
    value: str = field(repr=False)
    holders: int | None
    weight: float


@dataclass(frozen=True)
class Evidence:
    """Why two reports were joined, or not: log-odds above the level at which they are, and what these are made of."""

    score: float
    shared: tuple[Shared, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {
            "score": round(self.score, 3),
            "shared": [vars(one) | {"weight": round(one.weight, 3)} for one in self.shared],
        }


@dataclass(frozen=True)
class Event:
    """An entry of an incident's timeline.

    Attributes:
        escalation: the number of the case it is about, if it is about one; ``id`` is that case's own name.
        other: the number of the case that it was joined to.
        evidence: why two reports were joined.
        details: of the other kinds of events, such as the new name.
    """

    number: int
    incident: int
    at: datetime
    actor: str
    kind: EventKind
    escalation: int | None
    id: str | None
    other: int | None
    other_id: str | None
    evidence: Evidence | None
    details: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Member:
    """A report of an incident, with what its newest assessment says; ``review`` is its newest place in the queue."""

    escalation: int
    client: str
    id: str
    source: str | None
    reporter: str | None = field(repr=False)
    reliability: str | None
    credibility: int | None
    market: str | None
    received_at: datetime
    language: str
    rating: Rating
    category: str
    text: str = field(repr=False)
    joined_at: datetime
    actor: str
    counted: bool
    review: int | None


@dataclass(frozen=True)
class Incident:
    """Reports about one event.

    Attributes:
        name: that a person gave it.
        words: what its reports share that others do not, the most telling first.
        category: the one that most of its reports have.
        rating: the highest of its reports.
        sources: how many independent sources report it, counted no further than ``MOST_SOURCES``.
        merged_into: the incident that it is part of now.
    """

    number: int
    name: str | None = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    category: str
    rating: Rating
    reports: int
    sources: int
    opened_at: datetime
    first_at: datetime
    last_at: datetime
    merged_into: int | None

    @property
    def corroborated(self) -> bool:
        """Return whether sources that do not depend on one another say the same."""
        return self.sources > 1


@dataclass(frozen=True)
class IncidentCase:
    """An incident with everything that is known of it; members the newest first, events the oldest first."""

    incident: Incident
    members: tuple[Member, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Campaign:
    """Many alike in a short time.

    Attributes:
        words: what its reports share that others do not, the most telling first.
        reports: how many belong to it by now.
        seen: how many there were in a day when it was found; ``expected``: how many the usual rate explains.
        chance: of seeing so many or more by the usual rate alone (Poisson).
    """

    number: int
    words: tuple[str, ...] = field(repr=False)
    category: str
    reports: int
    seen: int
    expected: float
    chance: float
    opened_at: datetime
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Filters:
    """Which incidents; what is None does not matter."""

    category: str | None = None
    rating: str | None = None
    corroborated: bool | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True)
class IncidentPage:
    """Incidents, those with the newest report first, and the cursor of the next page; None at the end."""

    incidents: tuple[Incident, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class CampaignPage:
    """Campaigns, those with the newest report first, and the cursor of the next page; None at the end."""

    campaigns: tuple[Campaign, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class CampaignCase:
    """A campaign with its newest reports."""

    campaign: Campaign
    members: tuple[Member, ...]
