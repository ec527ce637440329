"""Filters and a cursor in, what waits for a person out: by deadline, brought forward by expected harm."""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.paging import read_cursor, write_cursor
from riskmodel.casebook.tables import IS_OPEN, REVIEWS
from riskmodel.review import reading
from riskmodel.review.records import Filters, QueueItem, QueuePage, ReviewCase

COUNTED = 1_000  # beyond that a page says "more"; to count on would cost more than the page itself
_ALIKE = ("language", "category", "source", "market", "purpose", "rating")  # filter and column have one name


class Queue:
    """What is open, and each review with its case."""

    def __init__(self, database: Database, claim_seconds: float) -> None:
        self._database = database
        self._patience = timedelta(seconds=claim_seconds)

    def page(self, filters: Filters, cursor: str | None, limit: int, now: datetime) -> QueuePage:
        """Return the open reviews that pass, in the order of the queue, from a cursor on.

        A claim whose heartbeat is too old is shown as given up, which it will be when the next review is claimed.

        Raises:
            CursorError: if the cursor is not one that a page gave out.
        """
        found = self._database.read(lambda connection: _page(connection, filters, cursor, limit))
        oldest = now - self._patience
        return replace(found, items=tuple(_given_up(item) if _is_stale(item, oldest) else item for item in found.items))

    def case(self, number: int, *, as_lead: bool = False) -> ReviewCase:
        """Return a review with everything one needs to judge it; a lead also sees what others said of a test.

        Raises:
            UnknownReviewError: if there is none of that number.
        """
        return self._database.read(lambda connection: reading.case(connection, number, as_lead=as_lead))


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Return what must hold for an open review that passes."""
    found: list[sa.ColumnElement[bool]] = [sa.text(IS_OPEN)]  # type: ignore[list-item]  # stands in `where` all the same
    found += [REVIEWS.c[name] == value for name in _ALIKE if (value := getattr(filters, name)) is not None]
    if filters.reason is not None:
        found.append(REVIEWS.c.reasons.contains(f'"{filters.reason}"', autoescape=True))
    if filters.mine is not None:
        found.append(REVIEWS.c.analyst == filters.mine)
    if filters.analyst is not None:
        found.append(reading.is_offered(filters.analyst))
    return found


def _is_stale(item: QueueItem, oldest: datetime) -> bool:
    return item.state == "claimed" and item.heartbeat_at is not None and item.heartbeat_at < oldest


def _given_up(item: QueueItem) -> QueueItem:
    return replace(item, state="waiting", analyst=None, assigned_at=None, claimed_at=None, heartbeat_at=None)


def _page(connection: sa.Connection, filters: Filters, cursor: str | None, limit: int) -> QueuePage:
    order_at, number = REVIEWS.c.order_at, REVIEWS.c.number
    passing = conditions(filters)
    statement = sa.select(number).where(*passing).order_by(order_at, number).limit(limit + 1)
    if cursor is not None:
        last_number, last_order_at = read_cursor(cursor)
        place = sa.tuple_(sa.literal(last_order_at, order_at.type), sa.literal(last_number))
        statement = statement.where(sa.tuple_(order_at, number) > place)
    numbers = connection.execute(statement).scalars().all()
    items = reading.items(connection, numbers[:limit])
    more = len(numbers) > limit and items
    if more or cursor is not None:
        waiting = _count(connection, passing)
    else:  # all that passes is on this page
        waiting = sum(item.state == "waiting" for item in items)
    next_cursor = write_cursor(items[-1].number, items[-1].order_at) if more else None
    return QueuePage(tuple(items), next_cursor, min(waiting, COUNTED), waiting > COUNTED)


def _count(connection: sa.Connection, passing: "list[sa.ColumnElement[bool]]") -> int:
    some = sa.select(sa.literal(1)).where(*passing, REVIEWS.c.state == "waiting").limit(COUNTED + 1).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
