"""Kinds of things with a deadline in, those that are open out: reviews, questions, and whatever joins them here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.calendars import Calendar
from riskmodel.casebook import GOLDEN_CLIENT
from riskmodel.casebook.tables import ESCALATIONS, HANDOFFS, IS_OPEN, IS_WITH_TEAM, QUESTIONS, REVIEWS
from riskmodel.casework.contacts import DESK
from riskmodel.policy import Policy
from riskmodel.records import Rating
from riskmodel.review.records import URGENT

REVIEW, HANDOFF, QUESTION = "review", "handoff", "question"


@dataclass(frozen=True)
class Due:
    """Something that somebody must do by a moment.

    Attributes:
        kind: such as ``review``; ``subject`` is its number.
        escalation: the number of the one it is about; ``id`` is what its client calls it.
        destination: who must: the desk, a team, or an address.
        calendar: by whose hours the time until the deadline counts; None where every hour does.
    """

    kind: str
    subject: int
    escalation: int
    id: str
    rating: Rating | None
    destination: str
    started_at: datetime
    act_by: datetime
    calendar: Calendar | None


@dataclass(frozen=True)
class Kind:
    """One kind of thing that is due.

    Attributes:
        subject: the column of its number.
        open: selects what is open, with all that ``due`` reads.
        due: makes a row of that a record.
    """

    subject: "sa.Column[int]"
    open: "sa.Select[Any]"
    due: Callable[[Any, Policy], Due]


def open_of(connection: sa.Connection, kind: str, subjects: Sequence[int], policy: Policy) -> list[Due]:
    """Return those of some numbers that are open."""
    if not subjects:
        return []
    found = KINDS[kind]
    rows = connection.execute(found.open.where(found.subject.in_(subjects)).order_by(found.subject))
    return [found.due(row, policy) for row in rows]


def _review(row: Any, policy: Policy) -> Due:
    team = policy.team_for(row.category, row.rating, row.market)
    calendar = policy.working_hours(row.rating, team)
    return Due(REVIEW, row.subject, row.escalation, row.id, row.rating, DESK, row.started_at, row.act_by, calendar)


def _handoff(row: Any, policy: Policy) -> Due:
    calendar = policy.working_hours(row.rating, row.destination) if row.destination in policy.teams else None
    return Due(
        HANDOFF, row.subject, row.escalation, row.id, row.rating, row.destination, row.started_at, row.act_by, calendar
    )


def _question(row: Any, policy: Policy) -> Due:
    """Return a question as due; its asker set the moment, whoever works when."""
    return Due(QUESTION, row.subject, row.escalation, row.id, None, row.destination, row.started_at, row.act_by, None)


KINDS: Mapping[str, Kind] = {
    REVIEW: Kind(
        REVIEWS.c.number,
        sa.select(
            REVIEWS.c.number.label("subject"),
            REVIEWS.c.escalation,
            ESCALATIONS.c.id,
            REVIEWS.c.rating,
            REVIEWS.c.category,
            REVIEWS.c.market,
            REVIEWS.c.queued_at.label("started_at"),
            REVIEWS.c.act_by,
        )
        .join_from(REVIEWS, ESCALATIONS, REVIEWS.c.escalation == ESCALATIONS.c.number)
        .where(sa.text(IS_OPEN), REVIEWS.c.purpose.in_(URGENT)),
        _review,
    ),
    HANDOFF: Kind(
        HANDOFFS.c.number,
        sa.select(
            HANDOFFS.c.number.label("subject"),
            HANDOFFS.c.escalation,
            ESCALATIONS.c.id,
            HANDOFFS.c.rating,
            HANDOFFS.c.team.label("destination"),
            HANDOFFS.c.opened_at.label("started_at"),
            HANDOFFS.c.act_by,
        )
        .join_from(HANDOFFS, ESCALATIONS, HANDOFFS.c.escalation == ESCALATIONS.c.number)
        .where(sa.text(IS_WITH_TEAM)),
        _handoff,
    ),
    QUESTION: Kind(
        QUESTIONS.c.number,
        sa.select(
            QUESTIONS.c.number.label("subject"),
            QUESTIONS.c.escalation,
            ESCALATIONS.c.id,
            QUESTIONS.c.destination,
            QUESTIONS.c.asked_at.label("started_at"),
            QUESTIONS.c.due_at.label("act_by"),
        )
        .join_from(QUESTIONS, ESCALATIONS, QUESTIONS.c.escalation == ESCALATIONS.c.number)
        .where(QUESTIONS.c.state == "open", ESCALATIONS.c.client != GOLDEN_CLIENT),
        _question,
    ),
}
