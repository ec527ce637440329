"""Escalations whose label is known in, reviews that look like any other out: they show how well analysts rate."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT, Found, Rated, Sent, digest_of
from riskmodel.casebook.database import Database
from riskmodel.casebook.keeping import keep
from riskmodel.casebook.tables import ESCALATIONS, REVIEWS
from riskmodel.errors import CasebookError
from riskmodel.redaction import redact
from riskmodel.review.entering import row_of
from riskmodel.review.labels import Known, Label
from riskmodel.stages.precedents import excerpt

if TYPE_CHECKING:
    from riskmodel.model import RiskModel


@dataclass(frozen=True)
class Golden:
    """An escalation as the model rated it, and what it is known to be."""

    rated: Rated = field(repr=False)
    known: Known


def rate(model: "RiskModel", labels: Sequence[Label], now: datetime) -> list[Golden]:
    """Return labelled escalations as a model rates them, as if they arrived now: an old deadline would look odd.

    Raises:
        CasebookError: if the model learnt from one of them, which would then stand among its own precedents.
    """
    learnt = {labelled.excerpt for labelled in model.precedents.labelled}
    for label in labels:
        text = label.escalation.text
        if excerpt(text) in learnt or excerpt(redact(text)) in learnt:
            raise CasebookError(
                f"Golden case {label.escalation.id}: its text: found one that version {model.version} learnt from, "
                "expected one that it never saw: the page would show its rating. Nothing was added."
            )
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
    rated = [replace(one.rated, sent=replace(one.rated.sent, client=GOLDEN_CLIENT)) for one in golden]
    added = set[str]()

    def note(one: Rated, _: datetime) -> None:
        added.add(one.assessment.id)

    for one, outcome in zip(rated, keep(connection, rated, now, note), strict=True):
        if not isinstance(outcome, Found):
            raise CasebookError(
                f"Golden case {one.assessment.id}: its id: found another escalation that is kept under it, "
                "expected an id of its own. Nothing was added."
            )
    for case in golden:
        if case.rated.assessment.id in added:
            _queue(connection, case, copies, now)
    return len(added)


def _queue(connection: sa.Connection, golden: Golden, copies: int, now: datetime) -> None:
    kept = (ESCALATIONS.c.client == GOLDEN_CLIENT) & (ESCALATIONS.c.id == golden.rated.assessment.id)
    row = row_of(golden.rated, "golden", 1.0, now) | {
        "known": json.dumps(asdict(golden.known)),
        "escalation": connection.execute(sa.select(ESCALATIONS.c.number).where(kept)).scalar_one(),
    }
    connection.execute(sa.insert(REVIEWS), [row] * copies)


def _golden(model: "RiskModel", label: Label, now: datetime) -> Golden:
    (assessment,) = model.assess([label.escalation], now)
    sent = Sent(GOLDEN_CLIENT, label.escalation, None, digest_of(label.escalation), None, None)
    rated = Rated(sent, assessment, assessment.model_dump_json(by_alias=True), received_at=now, assessed_at=now)
    return Golden(rated, label.known)
