"""An analyst and a review in, the review in the analyst's hands out, and in nobody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.tables import IS_CLAIMED, REVIEWS
from riskmodel.review import reading
from riskmodel.review.queue import conditions
from riskmodel.review.records import Filters, QueueItem, TakenError
from riskmodel.review.turns import InTurn

_IN_HAND = ("claimed", "held")
_NOBODY: dict[str, Any] = {
    "state": "waiting",
    "analyst": None,
    "assigned_at": None,
    "claimed_at": None,
    "heartbeat_at": None,
}


class Claims:
    """Who works on what. Whatever changes a review returns it as it is then; on PostgreSQL and SQLite alike.

    Args:
        database: of the casebook, in turn.
        claim_seconds: after so long without a heartbeat a claim is given up; what is held on purpose is not.
    """

    def __init__(self, database: InTurn, claim_seconds: float) -> None:
        self._database = database
        self._patience = timedelta(seconds=claim_seconds)

    def next(self, analyst: str, filters: Filters, now: datetime) -> QueueItem | None:
        """Claim the first review that waits, passes the filters and is not being claimed by another; None if none."""
        passing = [*conditions(replace(filters, mine=None, analyst=analyst)), REVIEWS.c.state == "waiting"]
        first = (
            sa.select(REVIEWS.c.number)
            .where(*passing)
            .order_by(REVIEWS.c.order_at, REVIEWS.c.number)
            .limit(1)
            .with_for_update(skip_locked=True, of=REVIEWS)
        )

        def work(connection: sa.Connection) -> QueueItem | None:
            self._give_up(connection, now)
            number = connection.execute(first).scalar()
            return None if number is None else _change(connection, number, _claimed(analyst, now))

        return self._database.write(work)

    def take(self, number: int, analyst: str, now: datetime) -> QueueItem:
        """Claim a particular review: one that waits, or that the analyst has already.

        Raises:
            UnknownReviewError: if there is none of that number.
            TakenError: if somebody else has it, or it is decided.
            NotForYouError: if another's opinion is asked for.
        """

        def work(connection: sa.Connection) -> QueueItem:
            self._give_up(connection, now)
            review = reading.item(connection, number, locked=True)
            if review.state == "waiting":
                reading.check_may_judge(connection, review, analyst)
                return _change(connection, number, _claimed(analyst, now))
            _check_own(review, analyst)
            if review.state == "claimed":  # another window of the same analyst
                return _beat(connection, number, now)
            return _change(connection, number, _claimed(analyst, now) | {"assigned_at": review.assigned_at})

        return self._database.write(work)

    def heartbeat(self, number: int, analyst: str, now: datetime) -> QueueItem:
        """Say that the analyst is still there.

        Raises:
            TakenError: if the review is no longer the analyst's; it may have been given up.
        """
        return self._own(number, analyst, lambda connection, _: _beat(connection, number, now))

    def hold(self, number: int, analyst: str, now: datetime) -> QueueItem:
        """Keep a review on purpose, such as while help is asked for: it is not given up.

        Raises:
            TakenError: if the review is not the analyst's.
        """
        changes = {"state": "held", "heartbeat_at": now}
        return self._own(number, analyst, lambda connection, _: _change(connection, number, changes))

    def release(self, number: int, analyst: str, now: datetime) -> QueueItem:
        """Put a review back to its place in the queue.

        Raises:
            TakenError: if the review is not the analyst's.
        """
        return self._own(number, analyst, lambda connection, _: _change(connection, number, _NOBODY))

    def hand_over(self, number: int, analyst: str, to: str, now: datetime, *, as_lead: bool = False) -> QueueItem:
        """Give a review to a named colleague, for whom it is held until taken.

        Args:
            number: of the review.
            analyst: who gives it.
            to: who gets it.
            now: the moment.
            as_lead: whether it may be another's, or nobody's.

        Raises:
            TakenError: if the review is not the analyst's, or is decided.
            NotForYouError: if the colleague gave an opinion on it before.
        """
        given = _NOBODY | {"state": "held", "analyst": to, "assigned_at": now}

        def work(connection: sa.Connection) -> QueueItem:
            review = reading.item(connection, number, locked=True)
            if not as_lead or review.state == "decided":
                _check_own(review, analyst)
            reading.check_may_judge(connection, review, to)
            return _change(connection, number, given)

        return self._database.write(work)

    def _give_up(self, connection: sa.Connection, now: datetime) -> None:
        """Put stale claims back. Their version stays: a verdict that a lost connection delayed is still welcome."""
        stale = (
            sa.select(REVIEWS.c.number)
            .where(sa.text(IS_CLAIMED), REVIEWS.c.heartbeat_at < now - self._patience)
            .with_for_update(skip_locked=True)
        )
        numbers = connection.execute(stale).scalars().all()
        if numbers:
            connection.execute(sa.update(REVIEWS).where(REVIEWS.c.number.in_(numbers)).values(_NOBODY))

    def _own(
        self,
        number: int,
        analyst: str,
        change: Callable[[sa.Connection, QueueItem], QueueItem],
    ) -> QueueItem:
        def work(connection: sa.Connection) -> QueueItem:
            review = reading.item(connection, number, locked=True)
            _check_own(review, analyst)
            return change(connection, review)

        return self._database.write(work)


def _claimed(analyst: str, now: datetime) -> dict[str, Any]:
    moments = dict.fromkeys(("assigned_at", "claimed_at", "heartbeat_at", "last_claim_at"), now)
    return {"state": "claimed", "analyst": analyst, **moments}


def _change(connection: sa.Connection, number: int, changes: dict[str, Any]) -> QueueItem:
    statement = sa.update(REVIEWS).where(REVIEWS.c.number == number)
    connection.execute(statement.values(**changes, version=REVIEWS.c.version + 1))
    return reading.item(connection, number)


def _beat(connection: sa.Connection, number: int, now: datetime) -> QueueItem:
    connection.execute(sa.update(REVIEWS).where(REVIEWS.c.number == number).values(heartbeat_at=now))
    return reading.item(connection, number)


def _check_own(review: QueueItem, analyst: str) -> None:
    if review.analyst != analyst or review.state not in _IN_HAND:
        raise TakenError(review.number, review.state, review.analyst)
