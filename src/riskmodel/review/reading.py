"""Numbers in; queue items, verdicts and whole review cases out, within a transaction that is open."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from riskmodel.casebook.reading import load
from riskmodel.casebook.records import Case, KeptAssessment
from riskmodel.casebook.tables import ESCALATIONS, REVIEWS, VERDICTS
from riskmodel.records import Rating
from riskmodel.review.records import (
    BLIND,
    FIRST,
    Kind,
    NotForYouError,
    Purpose,
    QueueItem,
    ReviewCase,
    UnknownReviewError,
    Verdict,
)


class Said(Protocol):
    """What a verdict and an opinion have in common."""

    @property
    def number(self) -> int: ...  # noqa: D102

    @property
    def purpose(self) -> Purpose: ...  # noqa: D102

    @property
    def kind(self) -> Kind: ...  # noqa: D102

    @property
    def rating(self) -> Rating: ...  # noqa: D102

    @property
    def retracts(self) -> int | None: ...  # noqa: D102


AnyVerdict = TypeVar("AnyVerdict", bound=Said)

AGAIN: tuple[Purpose, ...] = (*FIRST, "answer")  # for whoever comes, also who judged the escalation before
EARLIER = 20  # reviews of the same text that a case shows


def items(connection: sa.Connection, numbers: Sequence[int]) -> list[QueueItem]:
    """Return reviews in the order of their numbers as given; those that are gone are left out."""
    if not numbers:
        return []
    rows = connection.execute(_ITEMS, {"numbers": list(numbers)})
    found = {row.number: QueueItem(**{**row._mapping, "reasons": tuple(json.loads(row.reasons))}) for row in rows}
    return [found[number] for number in numbers if number in found]


def item(connection: sa.Connection, number: int, *, locked: bool = False) -> QueueItem:
    """Return a review; ``locked`` keeps others from changing it or its escalation's others until the transaction ends.

    Raises:
        UnknownReviewError: if there is none of that number.
    """
    if locked and connection.dialect.name == "postgresql":  # on SQLite whoever writes is alone
        connection.execute(_LOCK, {"number": number})
    found = items(connection, [number])
    if not found:
        raise UnknownReviewError("A review: found no such number, expected that of one that is kept.")
    return found[0]


def verdicts(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Verdict]:
    """Return the verdicts that a condition on the table holds for, the oldest first."""
    return [_verdict(row) for row in connection.execute(_VERDICTS.where(condition).order_by(VERDICTS.c.number))]


def standing(found: Iterable[AnyVerdict]) -> list[AnyVerdict]:
    """Return those of some verdicts that were not taken back."""
    every = list(found)
    back = {verdict.retracts for verdict in every}
    return [verdict for verdict in every if verdict.kind != "retracted" and verdict.number not in back]


def case(connection: sa.Connection, number: int, *, as_lead: bool = False) -> ReviewCase:
    """Return a review with everything one needs to judge it; ``as_lead``: also what analysts must not know of tests.

    Raises:
        UnknownReviewError: if there is none of that number.
    """
    review = item(connection, number)
    (kept,) = load(connection, [review.escalation])
    given = verdicts(connection, VERDICTS.c.escalation == review.escalation)
    others = {verdict.analyst for verdict in given if verdict.review != number}
    earlier = connection.execute(_EARLIER, {"review": review.number, "escalation": review.escalation}).scalars().all()
    return ReviewCase(
        review,
        kept,
        rated(kept, review.purpose).of_the_report(kept.text),
        tuple(verdict for verdict in given if _may_be_seen(verdict, review, as_lead)),
        tuple(items(connection, earlier)),
        frozenset() if review.purpose in AGAIN else frozenset(others),
    )


def _may_be_seen(verdict: Verdict, review: QueueItem, as_lead: bool) -> bool:
    """Return whether whoever has a review may see a verdict on its escalation.

    Nobody sees another's on a test, not even when they gave their own, as that could be taken back; and on a first
    opinion nobody sees that there was a test. A third opinion weighs all of them. A lead sees all, once a test is over.
    """
    if verdict.review == review.number:
        return True
    if review.purpose in BLIND:
        return as_lead and review.state == "decided"
    return as_lead or review.purpose == "third" or verdict.purpose not in BLIND


def rated(kept: Case, purpose: Purpose) -> KeptAssessment:
    """Return the assessment that a review is about: the newest, but on a test the newest of the report alone."""
    return next(one for one in kept.assessments if purpose not in BLIND or not one.learnt)


def may_judge(analyst: str) -> sa.ColumnElement[bool]:
    """Return the condition that an analyst may get a review: nobody gives two opinions on one escalation."""
    judged = (
        sa.exists()
        .where(VERDICTS.c.escalation == REVIEWS.c.escalation)
        .where(VERDICTS.c.analyst == analyst, VERDICTS.c.review != REVIEWS.c.number)
    )
    return REVIEWS.c.purpose.in_(AGAIN) | ~judged


def is_offered(analyst: str) -> sa.ColumnElement[bool]:
    """Return the condition that a review is put before an analyst: as :func:`may_judge`, and one copy of it at a time.

    A golden case waits once for each of several analysts: rows that are alike to the letter would tell what they are.
    """
    same = REVIEWS.alias("copies")
    waits_before = (same.c.number < REVIEWS.c.number) & (same.c.state == "waiting")
    in_hand = (same.c.number != REVIEWS.c.number) & (same.c.analyst == analyst)
    other = sa.exists().where(
        same.c.escalation == REVIEWS.c.escalation, same.c.purpose == "golden", waits_before | in_hand
    )
    return may_judge(analyst) & ((REVIEWS.c.purpose != "golden") | ~other)


def check_may_judge(connection: sa.Connection, review: QueueItem, analyst: str) -> None:
    """Check that an analyst may get a review, as :func:`may_judge`.

    Raises:
        NotForYouError: if not.
    """
    if review.purpose in AGAIN:
        return
    allowed = sa.select(REVIEWS.c.number).where(REVIEWS.c.number == review.number, may_judge(analyst))
    if connection.execute(allowed).scalar() is None:
        raise NotForYouError(f"Review {review.number}: found an opinion of {analyst} already, expected another's.")


def _verdict(row: Any) -> Verdict:
    lists = {
        "categories": tuple(json.loads(row.categories)),
        "evidence": tuple((start, end) for start, end in json.loads(row.evidence)),
    }
    return Verdict(**{**row._mapping, **lists})


_SAME = REVIEWS.alias("same")
_LOCK = (
    sa.select(REVIEWS.c.number)
    .where(
        REVIEWS.c.escalation
        == sa.select(_SAME.c.escalation).where(_SAME.c.number == sa.bindparam("number")).scalar_subquery()
    )
    .order_by(REVIEWS.c.number)  # all in one order, or two would wait for one another
    .with_for_update(of=REVIEWS)
)
_OF_ESCALATION = ("client", "id")
_ITEMS = (
    sa.select(
        *(
            ESCALATIONS.c[field.name] if field.name in _OF_ESCALATION else REVIEWS.c[field.name]
            for field in fields(QueueItem)
        )
    )
    .join_from(REVIEWS, ESCALATIONS, REVIEWS.c.escalation == ESCALATIONS.c.number)
    .where(REVIEWS.c.number.in_(sa.bindparam("numbers", expanding=True)))
)
_VERDICTS = sa.select(*(VERDICTS.c[field.name] for field in fields(Verdict)))
_THIS = REVIEWS.alias("this")
_EARLIER = (
    sa.select(REVIEWS.c.number)
    .join_from(_THIS, REVIEWS, REVIEWS.c.text_digest == _THIS.c.text_digest)
    .where(_THIS.c.number == sa.bindparam("review"), REVIEWS.c.escalation != sa.bindparam("escalation"))
    .where(REVIEWS.c.purpose.in_(FIRST))
    .order_by(REVIEWS.c.number.desc())
    .limit(EARLIER)
)
