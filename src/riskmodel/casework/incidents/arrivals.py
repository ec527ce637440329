"""A place on the way through the escalations in, the next reports out, with what they name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, VECTORS
from riskmodel.casework.incidents.signals import Signal, reporter_signal, signals

GAP = timedelta(seconds=60)  # longer than any transaction: a number that is missing by then will stay so


@dataclass(frozen=True)
class Arrival:
    """A report as the joiner reads it.

    Attributes:
        version: of the model that made its vector; None where there is none.
        is_golden: whether it is a test of analysts, which belongs to nothing.
    """

    number: int
    text: str = field(repr=False)
    kept_at: datetime
    received_at: datetime
    category: str
    version: str | None
    vector: bytes | None = field(repr=False)
    signals: tuple[Signal, ...] = field(repr=False)
    is_golden: bool


def next_arrivals(connection: sa.Connection, after: int, limit: int, now: datetime) -> list[Arrival]:
    """Return the next reports, in order.

    On PostgreSQL numbers are given before transactions end, so that a lower one may appear after a higher: where one is
    missing, nothing is passed over until it cannot come any more.
    """
    rows = connection.execute(_NEXT, {"after": after, "limit": limit}).all()
    if connection.dialect.name == "postgresql":
        rows = _settled(rows, after, now)
    return [_arrival(row) for row in rows]


def _settled(rows: Sequence[Any], after: int, now: datetime) -> list[Any]:
    settled: list[Any] = []
    for row in rows:
        if row.number != after + 1 and row.kept_at > now - GAP:
            break
        settled.append(row)
        after = row.number
    return settled


def _arrival(row: Any) -> Arrival:
    found = signals(row.text, row.market)
    if row.reporter is not None:
        found.append(reporter_signal(row.client, row.reporter))
    return Arrival(
        row.number,
        row.text,
        row.kept_at,
        row.received_at,
        row.category,
        row.model_version if row.vector is not None else None,
        row.vector,
        tuple(found),
        row.client == GOLDEN_CLIENT,
    )


_LATER = ASSESSMENTS.alias("later")
_NEXT = (
    sa.select(
        *(ESCALATIONS.c[name] for name in ("number", "client", "text", "market", "reporter", "kept_at", "received_at")),
        ASSESSMENTS.c.category,
        VECTORS.c.model_version,
        VECTORS.c.vector,
    )
    .join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    .outerjoin(VECTORS, VECTORS.c.assessment == ASSESSMENTS.c.number)
    .where(
        ESCALATIONS.c.number > sa.bindparam("after"),
        ~sa.exists().where(_LATER.c.escalation == ASSESSMENTS.c.escalation, _LATER.c.number > ASSESSMENTS.c.number),
    )
    .order_by(ESCALATIONS.c.number)
    .limit(sa.bindparam("limit"))
)
