"""Numbers and filters in; hand-offs, what happened to them and pages of them out, within a transaction that is open."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.paging import read_cursor, write_cursor
from riskmodel.casebook.tables import ESCALATIONS, HANDOFF_EVENTS, HANDOFFS, MESSAGES, REVIEWS
from riskmodel.casework.handoff_records import (
    KIND,
    WITH_TEAM,
    WITHDRAWAL,
    Event,
    Handoff,
    HandoffFilters,
    HandoffPage,
    Listed,
    UnknownHandoffError,
    WholeHandoff,
    delivery_of,
)
from riskmodel.casework.outbox import Message, messages
from riskmodel.review.records import FIRST


def handoff(connection: sa.Connection, number: int, *, locked: bool = False) -> Handoff:
    """Return a hand-off; ``locked`` keeps others from changing it until the transaction ends.

    Raises:
        UnknownHandoffError: if there is none of that number.
    """
    if locked and connection.dialect.name == "postgresql":  # on SQLite whoever writes is alone
        mine = sa.select(HANDOFFS.c.number).where(HANDOFFS.c.number == number)
        connection.execute(mine.with_for_update())
    found = handoffs(connection, HANDOFFS.c.number == number)
    if not found:
        raise UnknownHandoffError("A hand-off: found no such number, expected that of one that is kept.")
    return found[0]


def handoffs(connection: sa.Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[Handoff]:
    """Return the hand-offs that conditions on the table hold for, the newest first."""
    statement = _HANDOFFS.where(*conditions).order_by(HANDOFFS.c.number.desc()).limit(limit)
    return [_handoff(row) for row in connection.execute(statement)]


def whole(connection: sa.Connection, number: int) -> WholeHandoff:
    """Return a hand-off with everything that is known of it.

    Raises:
        UnknownHandoffError: if there is none of that number.
    """
    found = handoff(connection, number)
    document = connection.execute(sa.select(HANDOFFS.c.document).where(HANDOFFS.c.number == number)).scalar_one()
    events = connection.execute(_EVENTS, {"handoff": number})
    followed_by = connection.execute(_FOLLOWERS, {"handoff": number}).scalar()
    review = connection.execute(_FIRST_REVIEWS, {"escalation": found.escalation}).scalar()
    sent = messages(connection, MESSAGES.c.kind.in_((KIND, WITHDRAWAL)) & (MESSAGES.c.subject == number))
    return WholeHandoff(found, json.loads(document), tuple(map(_event, events)), tuple(sent), followed_by, review)


def page(
    connection: sa.Connection, filters: HandoffFilters, cursor: str | None, limit: int, now: datetime
) -> HandoffPage:
    """Return the hand-offs that pass, the newest first, from a cursor on.

    Raises:
        CursorError: if the cursor is not one that a page gave out.
    """
    conditions = _conditions(filters, now)
    if cursor is not None:
        conditions.append(HANDOFFS.c.number < read_cursor(cursor)[0])
    found = handoffs(connection, *conditions, limit=limit + 1)
    shown = found[:limit]
    next_cursor = write_cursor(shown[-1].number, shown[-1].opened_at) if len(found) > limit else None
    return HandoffPage(tuple(with_delivery(connection, shown)), next_cursor)


def with_delivery(connection: sa.Connection, found: Sequence[Handoff]) -> list[Listed]:
    """Return hand-offs with how each reached its team."""
    by_subject: dict[int, list[Message]] = defaultdict(list)
    numbers = [one.number for one in found]
    if numbers:
        for message in messages(connection, (MESSAGES.c.kind == KIND) & MESSAGES.c.subject.in_(numbers)):
            by_subject[message.subject].append(message)
    return [Listed(one, delivery_of(by_subject[one.number])) for one in found]


def needs_desk() -> sa.ColumnElement[bool]:
    """Return the condition that nobody has a hand-off: refused and not handed on, or given up without being sent."""
    of_it = (MESSAGES.c.kind == KIND) & (MESSAGES.c.subject == HANDOFFS.c.number)
    dead = sa.exists().where(of_it, MESSAGES.c.state == "dead")
    other = sa.exists().where(of_it, MESSAGES.c.state.in_(("sent", "waiting")))
    follower = HANDOFFS.alias("follower")
    followed = sa.exists().where(follower.c.follows == HANDOFFS.c.number)
    refused = (HANDOFFS.c.state == "refused") & ~followed
    return refused | ((HANDOFFS.c.state == "open") & dead & ~other)


def _conditions(filters: HandoffFilters, now: datetime) -> "list[sa.ColumnElement[bool]]":
    found: list[sa.ColumnElement[bool]] = []
    if filters.team is not None:
        found.append(HANDOFFS.c.team == filters.team)
    if filters.state is not None:
        found.append(HANDOFFS.c.state == filters.state)
    if filters.late:
        found += [HANDOFFS.c.state.in_(WITH_TEAM), HANDOFFS.c.act_by <= now]
    if filters.needs_desk:
        found.append(needs_desk())
    return found


def _handoff(row: Any) -> Handoff:
    return Handoff(**{**row._mapping, "actions": tuple(json.loads(row.actions or "[]"))})


def _event(row: Any) -> Event:
    return Event(**{**row._mapping, "actions": tuple(json.loads(row.actions or "[]"))})


_OF_ESCALATION = ("client", "id")
_HANDOFFS = sa.select(
    *((ESCALATIONS if one.name in _OF_ESCALATION else HANDOFFS).c[one.name] for one in fields(Handoff))
).join_from(HANDOFFS, ESCALATIONS, HANDOFFS.c.escalation == ESCALATIONS.c.number)
_EVENTS = (
    sa.select(*(HANDOFF_EVENTS.c[one.name] for one in fields(Event)))
    .where(HANDOFF_EVENTS.c.handoff == sa.bindparam("handoff"))
    .order_by(HANDOFF_EVENTS.c.number)
)
_FIRST_REVIEWS = (
    sa.select(REVIEWS.c.number)
    .where(REVIEWS.c.escalation == sa.bindparam("escalation"), REVIEWS.c.purpose.in_(FIRST))
    .order_by(REVIEWS.c.number.desc())
    .limit(1)
)
_FOLLOWERS = (
    sa.select(HANDOFFS.c.number)
    .where(HANDOFFS.c.follows == sa.bindparam("handoff"))
    .order_by(HANDOFFS.c.number)
    .limit(1)
)
