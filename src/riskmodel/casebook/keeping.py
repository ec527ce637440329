"""Escalations with their assessments in; what is kept of each out: itself, or what was there first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from riskmodel.casebook.records import Conflict, Found, Rated, Sent
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS
from riskmodel.errors import CasebookUnavailableError

ROUNDS = 5  # of inserting and looking; more only if others delete what was just there, each time

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


def keep(connection: sa.Connection, rated: Sequence[Rated], now: datetime) -> list[Outcome]:
    """Insert what is new, within the transaction that is open, and return what is kept of each, in order.

    Whoever is first wins, across processes; the others get the first one's answer, or a conflict.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(rated)))
    for _ in range(ROUNDS):
        firsts = _firsts(rated, waiting)
        for at in _insert(connection, rated, firsts, now):
            outcomes[at] = Found(rated[at].document, rated[at].assessment.model.version)
        waiting = [at for at in waiting if at not in outcomes]
        if not waiting:
            return [outcomes[at] for at in range(len(rated))]
        names = [
            Names(one.sent.client, one.assessment.id, one.sent.idempotency_key, one.sent.digest)
            for one in (rated[at] for at in waiting)
        ]
        found = look_up(connection, names)
        outcomes |= {at: outcome for at, outcome in zip(waiting, found, strict=True) if outcome is not None}
        waiting = [at for at in waiting if at not in outcomes]
        if not waiting:
            return [outcomes[at] for at in range(len(rated))]
    raise CasebookUnavailableError("The casebook is changed by others all the time. Try again.")


def _firsts(rated: Sequence[Rated], waiting: Iterable[int]) -> list[int]:
    """Return the places of those that share neither id nor idempotency key with one before them."""
    seen: set[tuple[str, str, str]] = set()
    firsts = []
    for at in waiting:
        sent, id_ = rated[at].sent, rated[at].assessment.id
        names = {(sent.client, "id", id_)}
        if sent.idempotency_key is not None:
            names.add((sent.client, "key", sent.idempotency_key))
        if seen.isdisjoint(names):
            firsts.append(at)
        seen |= names
    return firsts


def _insert(connection: sa.Connection, rated: Sequence[Rated], places: list[int], now: datetime) -> list[int]:
    """Insert those that conflict with nothing kept; return their places."""
    statement = _INSERT_ESCALATIONS[connection.dialect.name]
    rows = connection.execute(statement, [_escalation_row(rated[at], now) for at in places])
    numbers = {(client, id_): number for number, client, id_ in rows}
    inserted = [at for at in places if (rated[at].sent.client, rated[at].assessment.id) in numbers]
    if inserted:
        connection.execute(
            _INSERT_ASSESSMENTS,
            [_assessment_row(rated[at], numbers[rated[at].sent.client, rated[at].assessment.id]) for at in inserted],
        )
    return inserted


def _escalation_row(rated: Rated, now: datetime) -> dict[str, Any]:
    sent = rated.sent
    return {
        "client": sent.client,
        "id": rated.assessment.id,
        "idempotency_key": sent.idempotency_key,
        "digest": sent.digest,
        "request_id": sent.request_id,
        "key_id": sent.key_id,
        "received_at": rated.received_at,
        "kept_at": now,
        "text": sent.escalation.text,
        "source": sent.escalation.source,
        "market": sent.escalation.market,
    }


def _assessment_row(rated: Rated, escalation: int) -> dict[str, Any]:
    assessment = rated.assessment
    return {
        "escalation": escalation,
        "assessed_at": rated.assessed_at,
        "model_version": assessment.model.version,
        "policy_version": assessment.model.policy,
        "language": assessment.language,
        "rating": assessment.rating,
        "category": assessment.categories[0].name,
        "team": assessment.team,
        "route": assessment.decision.route,
        "confidence": assessment.confidence,
        "act_by": assessment.act_by,
        "document": rated.document,
    }


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
_INSERT_ESCALATIONS: dict[str, Any] = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(ESCALATIONS)
    .on_conflict_do_nothing()
    .returning(ESCALATIONS.c.number, ESCALATIONS.c.client, ESCALATIONS.c.id)
    for dialect in (sqlite, postgresql)
}
_INSERT_ASSESSMENTS = sa.insert(ASSESSMENTS)
