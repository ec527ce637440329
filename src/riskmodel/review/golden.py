"""Escalations whose label is known in, reviews that look like any other out: they show how well analysts rate."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from riskmodel.casebook import Found, Rated, Sent, digest_of
from riskmodel.casebook.database import Database
from riskmodel.casebook.keeping import keep
from riskmodel.casebook.tables import ESCALATIONS, REVIEWS
from riskmodel.errors import CasebookError
from riskmodel.records import Proximity, Rating, Severity
from riskmodel.review.entering import row_of
from riskmodel.review.labels import Label

if TYPE_CHECKING:
    from riskmodel.model import RiskModel

GOLDEN = "golden"  # the client that they are kept under


@dataclass(frozen=True)
class Golden:
    """An escalation as the model rated it, and what it is known to be."""

    rated: Rated = field(repr=False)
    severity: Severity
    proximity: Proximity
    rating: Rating


def rate(model: "RiskModel", labels: Sequence[Label], now: datetime) -> list[Golden]:
    """Return labelled escalations as a model rates them, as if they arrived now: an old deadline would look odd."""
    return [_golden(model, label, now) for label in labels]


def add_golden(database: Database, golden: Sequence[Golden], copies: int, now: datetime) -> int:
    """Keep golden cases and queue each for so many analysts; those that are there already are left alone.

    Returns:
        How many were added.

    Raises:
        CasebookError: if another escalation has the id of one.
    """
    return database.write(lambda connection: _add(connection, golden, copies, now))


def _add(connection: sa.Connection, golden: Sequence[Golden], copies: int, now: datetime) -> int:
    rated = [replace(one.rated, sent=replace(one.rated.sent, client=GOLDEN)) for one in golden]
    known = {one.rated.assessment.id: one for one in golden}
    added: list[Rated] = []

    def enter(one: Rated, now: datetime) -> dict[str, Any]:
        added.append(one)
        return _row(one, known[one.assessment.id], now)

    for one, outcome in zip(rated, keep(connection, rated, now, enter), strict=True):
        if not isinstance(outcome, Found):
            raise CasebookError(
                f"Golden case {one.assessment.id}: its id: found another escalation that is kept under it, "
                "expected an id of its own. Nothing was added."
            )
    for one in added:
        number = sa.select(ESCALATIONS.c.number).where(
            ESCALATIONS.c.id == one.assessment.id, ESCALATIONS.c.client == GOLDEN
        )
        row = _row(one, known[one.assessment.id], now) | {"escalation": connection.execute(number).scalar_one()}
        if copies > 1:
            connection.execute(sa.insert(REVIEWS), [row] * (copies - 1))
    return len(added)


def _golden(model: "RiskModel", label: Label, now: datetime) -> Golden:
    (assessment,) = model.assess([label.escalation], now)
    sent = Sent(GOLDEN, label.escalation, None, digest_of(label.escalation), None, None)
    rated = Rated(sent, assessment, assessment.model_dump_json(by_alias=True), received_at=now, assessed_at=now)
    return Golden(rated, label.severity, label.proximity, label.rating)


def _row(one: Rated, golden: Golden, now: datetime) -> dict[str, Any]:
    label = {"severity": golden.severity, "proximity": golden.proximity, "rating": golden.rating}
    return row_of(one, "golden", 1.0, now) | {"known": json.dumps(label)}
