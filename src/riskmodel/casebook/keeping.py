"""Escalations with their assessments in; what is kept of each out: itself, or what was there first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from riskmodel.casebook.finding import Names, Outcome, look_up
from riskmodel.casebook.records import Found, Rated
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS, VECTORS
from riskmodel.errors import CasebookUnavailableError
from riskmodel.records import Assessment

ROUNDS = 5  # of inserting and looking; more only if others delete what was just there, each time

# Whether an escalation that is kept now waits for a person: the values of its row of ``reviews``, or None.
Enter = Callable[[Rated, datetime], Mapping[str, Any] | None]


# Told of what is kept now, each with its number, within the transaction that keeps it.
Told = Callable[[sa.Connection, Sequence[tuple[Rated, int]], datetime], None]


def nobody(_: Rated, __: datetime) -> None:
    """Let no escalation wait for a person."""


def untold(_: sa.Connection, __: Sequence[tuple[Rated, int]], ___: datetime) -> None:
    """Tell nobody."""


def keep(
    connection: sa.Connection, rated: Sequence[Rated], now: datetime, enter: Enter = nobody, told: Told = untold
) -> list[Outcome]:
    """Insert what is new, within the transaction that is open, and return what is kept of each, in order.

    Whoever is first wins, across processes; the others get the first one's answer, or a conflict. ``enter`` says which
    of the new ones wait for a person; ``told`` does what else follows.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = list(range(len(rated)))
    for _ in range(ROUNDS):
        firsts = _firsts(rated, waiting)
        for at in _insert(connection, rated, firsts, now, enter, told):
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


def _insert(
    connection: sa.Connection, rated: Sequence[Rated], places: list[int], now: datetime, enter: Enter, told: Told
) -> list[int]:
    """Insert those that conflict with nothing kept; return their places."""
    rows = [_escalation_row(rated[at], now) for at in places]
    if connection.dialect.name == "postgresql" and len(rows) > 1:
        rows = _in_one_order(connection, rows)
    kept = connection.execute(_INSERT_ESCALATIONS[connection.dialect.name], rows)
    numbers = {(client, id_): number for number, client, id_ in kept}
    inserted = [at for at in places if (rated[at].sent.client, rated[at].assessment.id) in numbers]
    if inserted:
        new = [(rated[at], numbers[rated[at].sent.client, rated[at].assessment.id]) for at in inserted]
        _assess(connection, new)
        _queue(connection, new, now, enter)
        told(connection, new, now)
    return inserted


def _assess(connection: sa.Connection, kept: Sequence[tuple[Rated, int]]) -> None:
    """Insert the assessments, and the vectors of those that have one."""
    made = connection.execute(_INSERT_ASSESSMENTS, [_assessment_row(one, number) for one, number in kept])
    assessments = {escalation: number for number, escalation in made}
    rows = [
        {
            "assessment": assessments[number],
            "escalation": number,
            "model_version": one.assessment.model.version,
            "vector": one.vector,
        }
        for one, number in kept
        if one.vector is not None
    ]
    if rows:
        connection.execute(_INSERT_VECTORS, rows)


def _queue(connection: sa.Connection, kept: Iterable[tuple[Rated, int]], now: datetime, enter: Enter) -> None:
    """Queue those that must wait for a person, in the transaction that keeps them."""
    entered = [(enter(rated, now), number) for rated, number in kept]
    rows = [{**row, "escalation": number} for row, number in entered if row is not None]
    if rows:
        connection.execute(_INSERT_REVIEWS, rows)


def _in_one_order(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Number rows as they arrived, and order them alike for all writers, who else wait for one another in a circle."""
    numbers = connection.execute(_NEXT_NUMBERS, {"count": len(rows)}).scalars()
    numbered = [row | {"number": number} for row, number in zip(rows, sorted(numbers), strict=True)]
    return sorted(numbered, key=lambda row: (row["client"], row["id"]))


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
        "reliability": sent.escalation.reliability,
        "credibility": sent.escalation.credibility,
        "reporter": sent.escalation.reporter,
    }


def _assessment_row(rated: Rated, escalation: int) -> dict[str, Any]:
    return assessment_values(rated.assessment, rated.document, escalation, rated.assessed_at)


def assessment_values(assessment: Assessment, document: str, escalation: int, assessed_at: datetime) -> dict[str, Any]:
    """Return the values of the row of an assessment, whose document is kept as it is."""
    return {
        "escalation": escalation,
        "assessed_at": assessed_at,
        "model_version": assessment.model.version,
        "policy_version": assessment.model.policy,
        "language": assessment.language,
        "rating": assessment.rating,
        "category": assessment.categories[0].name,
        "team": assessment.team,
        "route": assessment.decision.route,
        "confidence": assessment.confidence,
        "act_by": assessment.act_by,
        "document": document,
    }


_INSERT_ESCALATIONS: dict[str, Any] = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(ESCALATIONS)
    .on_conflict_do_nothing()
    .returning(ESCALATIONS.c.number, ESCALATIONS.c.client, ESCALATIONS.c.id)
    for dialect in (sqlite, postgresql)
}
_NEXT_NUMBERS = sa.text(
    "SELECT nextval(pg_get_serial_sequence('escalations', 'number')) FROM generate_series(1, :count)"
)
_INSERT_ASSESSMENTS = sa.insert(ASSESSMENTS).returning(ASSESSMENTS.c.number, ASSESSMENTS.c.escalation)
_INSERT_VECTORS = sa.insert(VECTORS)
_INSERT_REVIEWS = sa.insert(REVIEWS)
