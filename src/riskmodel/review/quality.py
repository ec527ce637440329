"""A period in, how good the automatic part, the analysts and their agreement are out; each figure with its n."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import REVIEWS, VERDICTS
from riskmodel.records import RATINGS, Rating
from riskmodel.review import reading
from riskmodel.review.measures import Share, kappa, share
from riskmodel.review.opinions import Opinions, opinions
from riskmodel.review.records import Kind, Purpose, QueueItem

LISTED = 100  # disagreements that a summary names


@dataclass(frozen=True)
class Drawn:
    """An accepted escalation that chance drew: the model's rating, people's if settled, and what it stands for."""

    rating: Rating
    people: Rating | None
    weight: float


@dataclass(frozen=True)
class AutomaticError:
    """How often the escalations that nobody must look at are rated wrong, estimated from those drawn at random.

    Attributes:
        drawn: for audit.
        undecided: of the drawn ones; while there are many, the error may be biased.
        stands_for: how many automatic decisions the drawn ones represent.
        wrong: those whose rating people changed, by weight.
        too_low: those that people rated higher.
    """

    drawn: int
    undecided: int
    stands_for: float
    wrong: Share
    too_low: Share


@dataclass(frozen=True)
class Agreement:
    """How far first and blind second opinions agree: quadratic weighted kappa of ratings, None if not defined."""

    name: str
    n: int
    kappa: float | None
    same: Share


@dataclass(frozen=True)
class GoldenAccuracy:
    """How often an analyst gave the known rating of golden cases."""

    analyst: str
    right: Share


@dataclass(frozen=True)
class QualitySummary:
    """What a lead sees. ``disagreements`` wait for a third person, the oldest first, at most ``LISTED`` of them."""

    automatic: AutomaticError
    agreement: Agreement
    by_language: tuple[Agreement, ...]
    by_analyst: tuple[Agreement, ...]
    disagreements: tuple[QueueItem, ...]
    golden: tuple[GoldenAccuracy, ...]


@dataclass(frozen=True)
class _Opinion:
    """What a summary needs of a verdict."""

    number: int
    escalation: int
    analyst: str
    purpose: Purpose
    kind: Kind
    rating: Rating
    retracts: int | None


@dataclass(frozen=True)
class _Reviewed:
    """A review with what people said of its escalation."""

    number: int
    language: str
    rating: Rating
    weight: float
    opinions: Opinions[_Opinion]


class Quality:
    """How good the decisions are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self, queued_from: datetime | None, queued_before: datetime | None) -> QualitySummary:
        """Return the figures on what entered the queue in a period, as audits do when kept; None leaves it open."""
        return self._database.read(lambda connection: _summary(connection, queued_from, queued_before))


def _summary(connection: sa.Connection, queued_from: datetime | None, queued_before: datetime | None) -> QualitySummary:
    period = []
    if queued_from is not None:
        period.append(REVIEWS.c.queued_at >= queued_from)
    if queued_before is not None:
        period.append(REVIEWS.c.queued_at < queued_before)
    seconds = _reviewed(connection, "second", period)
    third = sa.select(REVIEWS.c.number)
    third = third.where(REVIEWS.c.purpose == "third", REVIEWS.c.state != "decided", *period)
    open_thirds = connection.execute(third.order_by(REVIEWS.c.number).limit(LISTED)).scalars().all()
    return QualitySummary(
        automatic_error([_drawn(one) for one in _reviewed(connection, "audit", period)]),
        _agreement("", seconds),
        tuple(_agreement(name, among) for name, among in _by_language(seconds).items()),
        tuple(_agreement(name, among) for name, among in _by_analyst(seconds).items()),
        tuple(reading.items(connection, open_thirds)),
        _golden(connection, period),
    )


def _reviewed(connection: sa.Connection, purpose: Purpose, period: Sequence[sa.ColumnElement[bool]]) -> list[_Reviewed]:
    """Return the reviews of a purpose, each with all opinions on its escalation."""
    columns = (REVIEWS.c[name] for name in ("number", "escalation", "language", "rating", "weight"))
    reviews = sa.select(*columns)
    reviews = reviews.where(REVIEWS.c.purpose == purpose, *period)
    escalations = sa.select(reviews.subquery().c.escalation)
    verdicts = _OPINIONS.where(VERDICTS.c.escalation.in_(escalations))
    found = [_Opinion(*row) for row in connection.execute(verdicts.order_by(VERDICTS.c.escalation, VERDICTS.c.number))]
    said = {number: opinions(of_one) for number, of_one in groupby(found, lambda verdict: verdict.escalation)}
    nothing: Opinions[_Opinion] = Opinions(None, None, None)
    return [
        _Reviewed(row.number, row.language, row.rating, row.weight, said.get(row.escalation, nothing))
        for row in connection.execute(reviews)
    ]


def automatic_error(drawn: Sequence[Drawn]) -> AutomaticError:
    """Return how often accepted escalations are rated wrong, from those that chance drew."""
    decided = [(one, one.people) for one in drawn if one.people is not None]
    weights = [one.weight for one, _ in decided]
    return AutomaticError(
        len(drawn),
        len(drawn) - len(decided),
        sum(one.weight for one in drawn),
        share([one.rating != rating for one, rating in decided], weights),
        share([RATINGS.index(one.rating) < RATINGS.index(rating) for one, rating in decided], weights),
    )


def _drawn(one: _Reviewed) -> Drawn:
    settled = one.opinions.settled
    return Drawn(one.rating, None if settled is None else settled.rating, one.weight)


def _agreement(name: str, among: Iterable[_Reviewed]) -> Agreement:
    pairs = [(one.opinions.first, one.opinions.second) for one in among]
    given = [(first.rating, second.rating) for first, second in pairs if first is not None and second is not None]
    ones, others = [one for one, _ in given], [other for _, other in given]
    return Agreement(name, len(given), kappa(ones, others), share([one == other for one, other in given]))


def _by_language(seconds: Iterable[_Reviewed]) -> Mapping[str, list[_Reviewed]]:
    found: dict[str, list[_Reviewed]] = {}
    for one in seconds:
        found.setdefault(one.language, []).append(one)
    return dict(sorted(found.items()))


def _by_analyst(seconds: Iterable[_Reviewed]) -> Mapping[str, list[_Reviewed]]:
    """Return the reviews that each analyst gave the first or the second opinion on."""
    found: dict[str, list[_Reviewed]] = {}
    for one in seconds:
        for verdict in (one.opinions.first, one.opinions.second):
            if verdict is not None:
                found.setdefault(verdict.analyst, []).append(one)
    return dict(sorted(found.items()))


def _golden(connection: sa.Connection, period: Sequence[sa.ColumnElement[bool]]) -> tuple[GoldenAccuracy, ...]:
    reviews = sa.select(REVIEWS.c.number, REVIEWS.c.known).where(REVIEWS.c.purpose == "golden", *period)
    known: dict[int, Any] = {row.number: json.loads(row.known) for row in connection.execute(reviews)}
    right: dict[str, list[bool]] = {}
    given = reading.standing(reading.verdicts(connection, VERDICTS.c.purpose == "golden"))
    for verdict in given:
        if verdict.review in known:
            right.setdefault(verdict.analyst, []).append(verdict.rating == known[verdict.review]["rating"])
    return tuple(GoldenAccuracy(analyst, share(hits)) for analyst, hits in sorted(right.items()))


_OPINIONS = sa.select(*(VERDICTS.c[field.name] for field in fields(_Opinion)))
