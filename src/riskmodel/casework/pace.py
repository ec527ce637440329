"""A place in (the desk, or a team), what came to it and was done lately out, on the clock that it works by.

That clock stands still while a team does not work; the desk's never does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from riskmodel.calendars import FAR, Calendar
from riskmodel.casebook.tables import HANDOFFS, IS_OPEN, IS_WITH_TEAM, REVIEWS, VERDICTS
from riskmodel.casework.contacts import DESK
from riskmodel.casework.forecast import Forecast, History, Piece, forecast
from riskmodel.policy import Policy
from riskmodel.review.records import URGENT

LOOKED_BACK = timedelta(days=14)
MOST = 3_000  # things that came or were done that are looked at; where more did, the time is shorter
AHEAD = timedelta(hours=8)  # a shift
HOUR = timedelta(hours=1)

Hours = Callable[[datetime], float]


@dataclass(frozen=True)
class Work:
    """What a place had and has to do.

    Attributes:
        came: when each thing came, was or is due, and is ordered by; those that came since ``since``.
        done: when each thing that was done since then came, and was done.
        open: what is to be done now, in order; as much as can matter.
        waited: how many were open at ``since``, of those that are open still.
    """

    since: datetime
    came: Sequence[tuple[datetime, datetime, datetime]]
    done: Sequence[tuple[datetime, datetime]]
    open: Sequence[tuple[datetime, datetime, datetime]]
    waited: int


def work_of(connection: sa.Connection, place: str, now: datetime) -> Work:
    """Return what the desk, or a team, had and has to do."""
    return _reviews(connection, now) if place == DESK else _handoffs(connection, place, now)


def told(work: Work, place: str, policy: Policy, now: datetime, seed: int) -> Forecast | None:
    """Return how much will be late in the next hours at the present pace; None where too little was done to tell."""
    hours = _clock(place, policy, work.since)
    came = [Piece(*map(hours, one)) for one in work.came]
    before = sum(arrived < work.since for arrived, _ in work.done)
    history = History(0.0, hours(now), work.waited + before, came, [hours(ended) for _, ended in work.done])
    until = hours(now + AHEAD)
    found = forecast([Piece(*map(hours, one)) for one in work.open], history, until, seed)
    if found is None:
        return None
    # What falls due before anybody works again cannot be done in time, whatever the pace.
    lost = sum(now < due <= now + AHEAD and hours(due) <= history.now for _, due, _ in work.open)
    return Forecast(found.until, found.low + lost, found.likely + lost, found.high + lost, found.hours_each)


def _clock(place: str, policy: Policy, since: datetime) -> Hours:
    calendar = None if place == DESK else policy.calendars[policy.teams[place].calendar]
    if not isinstance(calendar, Calendar):
        return lambda moment: (moment - since) / HOUR

    def hours(moment: datetime) -> float:
        if moment <= since:
            return (moment - since) / HOUR
        return calendar.open_time(since, min(moment, since + FAR)) / HOUR  # what is due in centuries is due in a year

    return hours


def _reviews(connection: sa.Connection, now: datetime) -> Work:
    row = (REVIEWS.c.queued_at, REVIEWS.c.act_by, REVIEWS.c.order_at)
    urgent = REVIEWS.c.purpose.in_(URGENT)
    came = connection.execute(sa.select(*row).where(urgent).order_by(REVIEWS.c.number.desc()).limit(MOST)).all()
    decided = (
        sa.select(REVIEWS.c.queued_at, VERDICTS.c.decided_at)
        .join_from(VERDICTS, REVIEWS, VERDICTS.c.review == REVIEWS.c.number)
        .where(urgent, VERDICTS.c.kind != "retracted")
        .order_by(VERDICTS.c.number.desc())
        .limit(MOST)
    )
    is_open = sa.select(*row).where(sa.text(IS_OPEN), urgent).order_by(REVIEWS.c.order_at).limit(MOST)
    waits = sa.select(sa.func.count()).select_from(REVIEWS).where(sa.text(IS_OPEN), urgent)
    done = connection.execute(decided).all()
    since = _since(came, [ended for _, ended in done], now)
    waited = connection.execute(waits.where(REVIEWS.c.queued_at < since)).scalar_one()
    return _work(since, came, done, connection.execute(is_open).all(), waited)


def _handoffs(connection: sa.Connection, team: str, now: datetime) -> Work:
    row = (HANDOFFS.c.opened_at, HANDOFFS.c.act_by, HANDOFFS.c.act_by.label("order_at"))
    its = HANDOFFS.c.team == team
    came = connection.execute(sa.select(*row).where(its).order_by(HANDOFFS.c.number.desc()).limit(MOST)).all()
    ended = sa.select(HANDOFFS.c.opened_at, HANDOFFS.c.ended_at).where(its, HANDOFFS.c.ended_at.is_not(None))
    done = connection.execute(ended.order_by(HANDOFFS.c.number.desc()).limit(MOST)).all()
    is_open = sa.select(*row).where(its, sa.text(IS_WITH_TEAM)).order_by(HANDOFFS.c.act_by).limit(MOST)
    waits = sa.select(sa.func.count()).select_from(HANDOFFS).where(its, sa.text(IS_WITH_TEAM))
    since = _since(came, [moment for _, moment in done], now)
    waited = connection.execute(waits.where(HANDOFFS.c.opened_at < since)).scalar_one()
    return _work(since, came, done, connection.execute(is_open).all(), waited)


def _since(came: Sequence[Any], done: Sequence[datetime], now: datetime) -> datetime:
    """Return from when on all is known that came and was done."""
    ends = [min(moments) for moments in ([row[0] for row in came], list(done)) if len(moments) == MOST]
    return max([now - LOOKED_BACK, *ends])


def _work(since: datetime, came: Sequence[Any], done: Sequence[Any], is_open: Sequence[Any], waited: int) -> Work:
    return Work(
        since,
        [tuple(row) for row in came if row[0] >= since],
        [tuple(row) for row in done if row[1] >= since],
        [tuple(row) for row in is_open],
        waited,
    )
