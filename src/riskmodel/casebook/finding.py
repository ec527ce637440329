"""Names of escalations in, the first answers that are kept under them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.records import Conflict, Found, Sent
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS

Outcome = Found | Conflict


@dataclass(frozen=True)
class Names:
    """Under what an escalation can be found again, and what it must be then."""

    client: str
    id: str | None
    idempotency_key: str | None
    digest: bytes


def names_of(sent: Sent) -> Names:
    """Return under what a client would find its escalation again."""
    return Names(sent.client, sent.escalation.id, sent.idempotency_key, sent.digest)


def look_up(connection: sa.Connection, names: Sequence[Names]) -> list[Outcome | None]:
    """Return the first answer that is kept under each name, in order; None for what is new. One query."""
    ids = list({one.id for one in names if one.id is not None})
    keys = list({one.idempotency_key for one in names if one.idempotency_key is not None})
    if not ids and not keys:
        return [None] * len(names)
    # Rows of other clients who use the same ids come along; the client is compared below.
    rows = connection.execute(_LOOK_UP, {"ids": ids, "keys": keys}).all()
    by_id = {(row.client, row.id): row for row in rows}
    by_key = {(row.client, row.idempotency_key): row for row in rows if row.idempotency_key is not None}
    return [
        _outcome(one, by_key.get((one.client, one.idempotency_key)), by_id.get((one.client, one.id))) for one in names
    ]


def _outcome(names: Names, by_key: Any, by_id: Any) -> Outcome | None:
    """Return what a row says of an escalation; an idempotency key that is known speaks before an id."""
    row = by_key if by_key is not None else by_id
    if row is None:
        return None
    if row.digest != names.digest:
        return Conflict("Idempotency-Key" if by_key is not None else "id")
    return Found(row.document, row.model_version)


def _first_answers(condition: sa.ColumnElement[bool]) -> "sa.Select[Any]":
    """Return escalations with the first of their assessments."""
    earlier = ASSESSMENTS.alias("earlier")
    first = (
        sa.select(sa.func.min(earlier.c.number)).where(earlier.c.escalation == ESCALATIONS.c.number).scalar_subquery()
    )
    escalations, assessments = ESCALATIONS.c, ASSESSMENTS.c
    return (
        sa.select(
            escalations.client,
            escalations.id,
            escalations.idempotency_key,
            escalations.digest,
            assessments.document,
            assessments.model_version,
        )
        .join_from(ESCALATIONS, ASSESSMENTS, assessments.number == first)
        .where(condition)
    )


_LOOK_UP = sa.union_all(
    _first_answers(ESCALATIONS.c.id.in_(sa.bindparam("ids", expanding=True))),
    _first_answers(ESCALATIONS.c.idempotency_key.in_(sa.bindparam("keys", expanding=True))),
)
