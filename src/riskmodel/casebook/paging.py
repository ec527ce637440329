"""Filters and a cursor in, a page of cases out: the newest first, at the same cost however deep."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.operators import custom_op

from riskmodel.casebook.reading import load
from riskmodel.casebook.records import GOLDEN_CLIENT, Case, CursorError
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, micros_of, moment_of

MAX_CURSOR = 2**63 - 1
FEW = 2_000  # cases that are looked at one by one without anyone noticing
_CURSOR = re.compile(r"(\d{1,19})\.(-?\d{1,18})")


@dataclass(frozen=True)
class Filters:
    """Which cases; what is None does not matter. What the model said counts as of the newest assessment."""

    client: str | None = None
    rating: str | None = None
    language: str | None = None
    category: str | None = None
    source: str | None = None
    market: str | None = None
    team: str | None = None
    route: str | None = None
    model_version: str | None = None
    kept_from: datetime | None = None
    kept_before: datetime | None = None
    golden: bool = True  # also those that are kept to test analysts


@dataclass(frozen=True)
class Page:
    """Cases, the newest first, and the cursor of the next page; None at the end."""

    cases: tuple[Case, ...]
    next_cursor: str | None


# Those that few cases pass come first: the first that is given says which index is walked.
_BY_RARITY = ("market", "category", "team", "rating", "source", "model_version", "language", "route", "client")


def page(connection: sa.Connection, filters: Filters, before: str | None, limit: int) -> Page:
    """Return the cases that pass, from a cursor on.

    Raises:
        CursorError: if the cursor is not one that a page gave out.
    """
    statement = page_statement(filters, before, limit + 1, connection.dialect.name, _rarest(connection, filters))
    numbers = connection.execute(statement).scalars().all()
    cases = load(connection, numbers[:limit])
    more = len(numbers) > limit and cases
    return Page(tuple(cases), write_cursor(cases[-1].number, cases[-1].kept_at) if more else None)


def page_statement(
    filters: Filters, before: str | None, limit: int, dialect: str, leading: str | None
) -> "sa.Select[Any]":
    """Return the query for the numbers of cases: it walks by time where time is bound, else by number.

    Args:
        filters: what passes.
        before: the cursor.
        limit: the most numbers.
        dialect: of the database; PostgreSQL, which has statistics, chooses the index itself.
        leading: the filter whose index is walked; None for time, or for no filter.
    """
    given = _given(filters)
    number = ASSESSMENTS.c.escalation if leading is not None and leading in ASSESSMENTS.c else ESCALATIONS.c.number
    statement = sa.select(number).limit(limit)
    if any(name in ASSESSMENTS.c for name in given):
        statement = statement.join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
        statement = statement.where(_is_newest())
    for name in given:
        column: sa.ColumnElement[Any] = _column(name)
        if name != leading and dialect == "sqlite":
            column = _unindexed(column)
        statement = statement.where(column == getattr(filters, name))
    if not filters.golden:
        column = ESCALATIONS.c.client
        statement = statement.where((_unindexed(column) if dialect == "sqlite" else column) != GOLDEN_CLIENT)
    if _bounds_time(filters):
        return _by_time(statement, filters, before)
    if before is not None:
        statement = statement.where(number < read_cursor(before)[0])
    return statement.order_by(number.desc())


def _given(filters: Filters) -> list[str]:
    return [name for name in _BY_RARITY if getattr(filters, name) is not None]


def _bounds_time(filters: Filters) -> bool:
    return filters.kept_from is not None or filters.kept_before is not None


def _rarest(connection: sa.Connection, filters: Filters) -> str | None:
    """Return the filter that few cases pass, so that few must be looked at; it counts no further than ``FEW``."""
    given = _given(filters)
    if _bounds_time(filters) or not given:
        return None
    if len(given) == 1 or connection.dialect.name != "sqlite":
        return given[0]
    counts = {}
    for name in given:
        column: sa.Column[Any] = _column(name)
        some = sa.select(sa.literal(1)).where(column == getattr(filters, name)).limit(FEW).subquery()
        counts[name] = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return min(given, key=lambda name: counts[name])  # the first of those that are equal


def _column(name: str) -> "sa.Column[Any]":
    return ASSESSMENTS.c[name] if name in ASSESSMENTS.c else ESCALATIONS.c[name]


def write_cursor(number: int, kept_at: datetime) -> str:
    """Return what stands for a place on the way through the cases, fit for a URL."""
    return base64.urlsafe_b64encode(f"{number}.{micros_of(kept_at)}".encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[int, datetime]:
    """Return the number and the moment that a cursor stands for.

    Raises:
        CursorError: if it is not one that a page gave out.
    """
    try:
        written = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        match = _CURSOR.fullmatch(written)
        if match and int(match[1]) <= MAX_CURSOR:
            return int(match[1]), moment_of(int(match[2]))
    except (ValueError, OverflowError):
        pass
    raise CursorError("A cursor: found text of another form, expected what the page before gave as the next one.")


def _by_time(statement: "sa.Select[Any]", filters: Filters, before: str | None) -> "sa.Select[Any]":
    number, kept_at = ESCALATIONS.c.number, ESCALATIONS.c.kept_at
    if filters.kept_from is not None:
        statement = statement.where(kept_at >= filters.kept_from)
    if filters.kept_before is not None:
        statement = statement.where(kept_at < filters.kept_before)
    if before is not None:
        last_number, last_kept_at = read_cursor(before)
        place = sa.tuple_(sa.literal(last_kept_at, kept_at.type), sa.literal(last_number))
        statement = statement.where(sa.tuple_(kept_at, number) < place)
    return statement.order_by(kept_at.desc(), number.desc())


def _is_newest() -> sa.ColumnElement[bool]:
    later = ASSESSMENTS.alias("later")
    newer = (later.c.escalation == ASSESSMENTS.c.escalation) & (later.c.number > ASSESSMENTS.c.number)
    return ~sa.exists().where(newer)


def _unindexed(column: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
    """Keep SQLite, which has no statistics, from gathering and sorting a whole client where it could walk in order."""
    plus: sa.ColumnElement[Any] = sa.UnaryExpression(column, operator=custom_op("+"), type_=column.type)
    return plus
