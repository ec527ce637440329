"""What the review desk takes and gives: items, cases, verdicts, settings, errors. All frozen; no text in a repr."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from riskmodel.casebook import Case
from riskmodel.errors import CasebookError, FieldProblem
from riskmodel.records import Assessment, Proximity, Rating, Severity
from riskmodel.review.ordering import sources_credit

Purpose = Literal["review", "audit", "second", "third", "golden", "answer"]
State = Literal["waiting", "claimed", "held", "decided"]
Kind = Literal["confirmed", "changed", "retracted"]
FIRST: tuple[Purpose, ...] = ("review", "audit")  # the first opinion on an escalation
URGENT: tuple[Purpose, ...] = ("review", "answer", "third")  # somebody waits for these; the others are samples
BLIND: tuple[Purpose, ...] = ("second", "golden")  # asked of people who must not see what others said


@dataclass(frozen=True)
class ReviewSettings:
    """How the desk works.

    Attributes:
        audit_share: of the escalations that are decided automatically, drawn at random for a person to look at.
        second_opinion_share: of the decided cases, drawn at random for a second person, who does not see the first.
        claim_seconds: after so long without a heartbeat a claim is given up.
        blur_from: from this severity on a text is blurred until asked for.
    """

    audit_share: float = 0.02
    second_opinion_share: float = 0.05
    claim_seconds: float = 120
    blur_from: Severity = "severe"


@dataclass(frozen=True)
class Filters:
    """Which reviews; what is None does not matter.

    Attributes:
        mine: only what this analyst has claimed or holds.
        analyst: who looks; what this person may not judge, having judged it before, is left out.
    """

    language: str | None = None
    category: str | None = None
    source: str | None = None
    market: str | None = None
    reason: str | None = None
    purpose: str | None = None
    rating: str | None = None
    mine: str | None = None
    analyst: str | None = None


@dataclass(frozen=True)
class Why:
    """Why a review stands where it does: it is taken as if due at ``order_at``, before its deadline.

    Attributes:
        credit: how much sooner for its expected harm.
        sources: how many independent sources say what it says; ``sources_credit``: how much sooner for that.
    """

    act_by: datetime
    harm: float
    credit: timedelta
    sources: int
    sources_credit: timedelta
    order_at: datetime


@dataclass(frozen=True)
class QueueItem:
    """A review: what waits, or waited, for a person.

    Attributes:
        number: of the review; ``escalation`` is the number of the case, ``id`` and ``client`` its names.
        weight: how many escalations it stands for.
        harm: the expected harm, 0 to 1.
        sources: how many independent sources say what it says.
        assigned_at: when it was given to the analyst, by a claim or by a colleague.
        claimed_at: since when the analyst works on it.
        last_claim_at: when anyone last began to work on it.
        version: changes with whatever is done to the review but a heartbeat, or a claim that was given up.
    """

    number: int
    escalation: int
    client: str
    id: str
    purpose: Purpose
    weight: float
    language: str
    category: str
    source: str | None
    market: str | None
    rating: Rating
    reasons: tuple[str, ...]
    queued_at: datetime
    act_by: datetime
    harm: float
    order_at: datetime
    sources: int
    state: State
    analyst: str | None
    assigned_at: datetime | None
    claimed_at: datetime | None
    heartbeat_at: datetime | None
    last_claim_at: datetime | None
    version: int

    @property
    def why(self) -> Why:
        """Return what explains the place in the queue."""
        for_sources = sources_credit(self.sources)
        for_harm = self.act_by - self.order_at - for_sources
        return Why(self.act_by, self.harm, for_harm, self.sources, for_sources, self.order_at)

    @property
    def asked_as(self) -> Purpose:
        """Return the purpose that an analyst may be told: who knows of a test judges otherwise.

        A test without a reason for a person to look is taken for an audit, as those have none either.
        """
        if self.purpose not in BLIND:
            return self.purpose
        return "review" if self.reasons else "audit"


@dataclass(frozen=True)
class QueuePage:
    """Reviews that are open, in the order of the queue.

    Attributes:
        next_cursor: of the next page; None at the end.
        waiting: how many wait and pass the filters, counted no further than ``COUNTED``.
        more_waiting: whether there are more than that.
    """

    items: tuple[QueueItem, ...]
    next_cursor: str | None
    waiting: int
    more_waiting: bool


@dataclass(frozen=True)
class Verdict:
    """What an analyst decided, as it was appended; a retraction repeats what it takes back.

    Attributes:
        seconds: of active work.
        retracts: the number of the verdict that an undo takes back.
        evidence: (start, end) of the words that decided, in code points.
        purpose: what it was asked for; ``weight`` says how many escalations it stands for.
    """

    number: int
    review: int
    escalation: int
    assessment: int
    analyst: str
    decided_at: datetime
    seconds: float
    kind: Kind
    severity: Severity
    proximity: Proximity
    lifted: bool
    rating: Rating
    categories: tuple[str, ...]
    evidence: tuple[tuple[int, int], ...]
    note: str = field(repr=False)
    retracts: int | None
    client_token: str | None
    model_version: str
    policy_version: str
    purpose: Purpose
    weight: float


@dataclass(frozen=True)
class NewVerdict:
    """A verdict as an analyst sends it; the rating follows from it by the policy's table.

    Attributes:
        version: of the review when the analyst saw it.
        client_token: names this sending; sent again, it gives the same verdict and no second one.
    """

    review: int
    version: int
    analyst: str
    severity: Severity
    proximity: Proximity
    lifted: bool
    categories: tuple[str, ...]
    evidence: tuple[tuple[int, int], ...]
    note: str = field(repr=False)
    seconds: float
    client_token: str


@dataclass(frozen=True)
class ReviewCase:
    """A review with everything one needs to judge it.

    Attributes:
        assessment: the newest one.
        verdicts: the oldest first; left out is what would tell of a test, or what others said where it is one.
        earlier: other reviews of the same text, the newest first.
        barred: analysts who gave an opinion already and may not give this one.
    """

    item: QueueItem
    case: Case
    assessment: Assessment = field(repr=False)
    verdicts: tuple[Verdict, ...]
    earlier: tuple[QueueItem, ...]
    barred: frozenset[str]


class UnknownReviewError(CasebookError):
    """No review or verdict has that number."""


class TakenError(CasebookError):
    """The review is not the analyst's: another's (``by``), nobody's (None), or decided."""

    def __init__(self, number: int, state: State, by: str | None) -> None:
        who = "nobody's" if by is None else f"{by}'s"
        super().__init__(f"Review {number}: found one that is {state} and {who}, expected one of the analyst's own.")
        self.by = by
        self.state = state


class NotForYouError(CasebookError):
    """The analyst judged this escalation before, and another's opinion is asked for."""


class ChangedError(CasebookError):
    """The review changed since the analyst saw it; ``current`` is what it is now."""

    def __init__(self, current: ReviewCase) -> None:
        super().__init__(f"Review {current.item.number}: found another version, expected {current.item.version}.")
        self.current = current


class VerdictError(CasebookError):
    """A verdict cannot be; ``problem`` names the field."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        self.problem = FieldProblem(field, found, expected)
        super().__init__(f"A verdict's {self.problem}.")
