"""Nothing in; how every place stands out: what waits, what is due soon, late and will be, and who was reminded."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import HANDOFFS, IS_OPEN, IS_WITH_TEAM, QUESTIONS, REMINDERS, REVIEWS
from riskmodel.casework.contacts import DESK
from riskmodel.casework.deadlines import Reminder, reminders
from riskmodel.casework.forecast import Forecast
from riskmodel.casework.pace import told, work_of
from riskmodel.policy import Policy
from riskmodel.review.records import URGENT

SOON, SHIFT = timedelta(hours=1), timedelta(hours=4)
REMINDED_SINCE = timedelta(hours=24)
REMINDERS_SHOWN = 8
FORECAST_SECONDS = 60.0  # between two forecasts of a place
OUTSIDE = "outside"


@dataclass(frozen=True)
class Counts:
    """How much waits, and when it is due; what is due within an hour is within four too, what is late in neither."""

    waiting: int = 0
    within_hour: int = 0
    within_four: int = 0
    late: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True)
class Place:
    """How the desk, a team or the world outside stands.

    Attributes:
        work: reviews of the desk, hand-offs of a team; nothing outside.
        questions: that wait for its answer.
        reminded: reminders of the last day; ``raised`` are those that its lead was told too.
        forecast: None where too little was done lately to tell.
    """

    name: str
    work: Counts
    questions: Counts
    reminded: int
    raised: int
    forecast: Forecast | None


@dataclass(frozen=True)
class Board:
    """All places, the desk first and those that have nothing to do last, and the newest reminders."""

    at: datetime
    places: tuple[Place, ...]
    reminders: tuple[Reminder, ...]


class Boards:
    """Says how things stand; threads may share it.

    Args:
        database: of the casebook.
        policy: whose teams are shown.
    """

    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy
        self._lock = threading.Lock()
        self._told: dict[str, tuple[datetime, Forecast | None]] = {}

    def now(self, now: datetime) -> Board:
        """Return how things stand; the forecasts may be a minute old."""
        work, asked, made, newest = self._database.read(lambda connection: _read(connection, now))
        names = [DESK, *self._policy.teams]
        places = [
            Place(
                name,
                work.get(name, Counts()),
                asked.get(name, Counts()),
                *made.get(name, (0, 0)),
                self._forecast(name, now),
            )
            for name in names
        ]
        places.sort(key=lambda place: (place.name != DESK, not (place.work.waiting or place.questions.waiting)))
        others = [counts for name, counts in asked.items() if name not in names]
        if others:
            told_outside = [counts for name, counts in made.items() if name not in names]
            reminded, raised = (sum(each) for each in zip((0, 0), *told_outside, strict=True))
            places.append(Place(OUTSIDE, Counts(), _sum(others), reminded, raised, None))
        return Board(now, tuple(places), newest)

    def _forecast(self, place: str, now: datetime) -> Forecast | None:
        with self._lock:  # whoever comes meanwhile waits for the one that is being made
            made_at, found = self._told.get(place, (None, None))
            if made_at is None or not timedelta(0) <= now - made_at < timedelta(seconds=FORECAST_SECONDS):
                work = self._database.read(lambda connection: work_of(connection, place, now))
                found = told(work, place, self._policy, now, int(now.timestamp()))
                self._told[place] = now, found
            return found


def _read(
    connection: sa.Connection, now: datetime
) -> tuple[dict[str, Counts], dict[str, Counts], dict[str, tuple[int, int]], tuple[Reminder, ...]]:
    desk = _counts(REVIEWS.c.queued_at, REVIEWS.c.act_by, sa.literal(DESK), now)
    desk = desk.where(sa.text(IS_OPEN), REVIEWS.c.purpose.in_(URGENT))
    teams = _counts(HANDOFFS.c.opened_at, HANDOFFS.c.act_by, HANDOFFS.c.team, now).where(sa.text(IS_WITH_TEAM))
    asked = _counts(QUESTIONS.c.asked_at, QUESTIONS.c.due_at, QUESTIONS.c.destination, now)
    asked = asked.where(QUESTIONS.c.state == "open").group_by(QUESTIONS.c.destination)
    work = _named(connection.execute(desk).all()) | _named(connection.execute(teams.group_by(HANDOFFS.c.team)).all())
    is_raised = sa.case((REMINDERS.c.rank == "lead", 1), else_=0)
    made = (
        sa.select(REMINDERS.c.destination, sa.func.count(), sa.func.sum(is_raised))
        .where(REMINDERS.c.at > now - REMINDED_SINCE)
        .group_by(REMINDERS.c.destination)
    )
    reminded = {name: (int(count), int(raised)) for name, count, raised in connection.execute(made)}
    newest = reminders(connection, REMINDERS.c.at > now - REMINDED_SINCE, REMINDERS_SHOWN)
    return work, _named(connection.execute(asked).all()), reminded, tuple(newest)


def _counts(since: "sa.Column[datetime]", act_by: "sa.Column[datetime]", name: Any, now: datetime) -> "sa.Select[Any]":
    def due(first: datetime | None, last: datetime) -> Any:
        is_due = act_by <= last if first is None else (act_by > first) & (act_by <= last)
        return sa.func.coalesce(sa.func.sum(sa.case((is_due, 1), else_=0)), 0)

    return sa.select(
        name, sa.func.count(), due(now, now + SOON), due(now, now + SHIFT), due(None, now), sa.func.min(since)
    )


def _named(rows: Sequence[Any]) -> dict[str, Counts]:
    return {
        name: Counts(int(waiting), int(hour), int(four), int(late), oldest)
        for name, waiting, hour, four, late, oldest in rows
    }


def _sum(counts: Sequence[Counts]) -> Counts:
    oldest = [one.oldest for one in counts if one.oldest is not None]
    return Counts(
        sum(one.waiting for one in counts),
        sum(one.within_hour for one in counts),
        sum(one.within_four for one in counts),
        sum(one.late for one in counts),
        min(oldest, default=None),
    )
