"""How many independent sources say what an escalation says in, its open reviews brought forward out."""

from collections.abc import Sequence

import sqlalchemy as sa

from riskmodel.casebook.tables import IS_OPEN, REVIEWS
from riskmodel.review.ordering import order_at
from riskmodel.review.records import BLIND, Purpose

AT_ONCE = 500  # numbers in one statement


def credit_sources(connection: sa.Connection, escalations: Sequence[int], sources: int) -> int:
    """Order the open reviews of escalations as so many sources demand, within the transaction that is open.

    Returns how many changed. Their version stays: a verdict that is on its way is still welcome. Second opinions and
    tests stay where they are, as those who give them must not be told more.
    """
    changed = 0
    for start in range(0, len(escalations), AT_ONCE):
        some = sa.select(REVIEWS.c.number, REVIEWS.c.act_by, REVIEWS.c.harm).where(
            REVIEWS.c.escalation.in_(escalations[start : start + AT_ONCE]),
            REVIEWS.c.sources != sources,
            REVIEWS.c.purpose.not_in(_NOT_MOVED),
            sa.text(IS_OPEN),
        )
        rows = [
            {"review": row.number, "at": order_at(row.act_by, row.harm, sources), "count": sources}
            for row in connection.execute(some).all()
        ]
        if rows:
            connection.execute(_ORDER, rows)
            changed += len(rows)
    return changed


_NOT_MOVED: tuple[Purpose, ...] = (*BLIND, "third")
_ORDER = (
    sa.update(REVIEWS)
    .where(REVIEWS.c.number == sa.bindparam("review"))
    .values(order_at=sa.bindparam("at"), sources=sa.bindparam("count"))
)
