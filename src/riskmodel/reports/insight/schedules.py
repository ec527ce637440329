"""When a report is to be made by itself in; the moments at which it is due, and schedules kept in the casebook, out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import REPORT_SCHEDULES
from riskmodel.casework.contacts import is_address
from riskmodel.records import LANGUAGES, Language
from riskmodel.reports.insight.periods import asked_for
from riskmodel.reports.insight.records import Asked, ReportError, UnknownReportError
from riskmodel.reports.insight.rendering import FORMATS, Format

Every = Literal["day", "week", "month"]
EVERY: tuple[Every, ...] = get_args(Every)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_DAY_OF_MONTH = 28  # every month has it
MOST_RECIPIENTS = 20
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class NewSchedule:
    """When a report is to be made, what it is about, and who is told.

    Attributes:
        every: ``day`` reports on the day before, ``week`` on the seven before, ``month`` on the calendar month before.
        on_day: of a week 0 for Monday to 6, of a month 1 to 28; None for every day.
        at: the time of day in the zone, such as ``08:00``.
        format_: of the file that the e-mail links to.
        recipients: e-mail addresses, or teams of the policy.
    """

    every: Every
    on_day: int | None
    at: str
    zone: str
    market: str | None
    language: str | None
    words: Language
    format: Format
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class ReportSchedule:
    """A schedule as it is kept; one that ended stays, for the reports that it had made."""

    number: int
    made_at: datetime
    made_by: str
    new: NewSchedule
    ended_at: datetime | None


def checked(given: Mapping[str, Any], teams: frozenset[str], now: datetime) -> NewSchedule:
    """Return the schedule that values are for, by the names of its fields.

    Raises:
        ReportError: naming what cannot be used and what was expected.
    """
    asked_for(None, None, now=now, zone=given["zone"], market=given["market"], language=given["language"])
    every = _one_of("turn", given["every"], EVERY)
    days = {"day": (None,), "week": tuple(range(7)), "month": tuple(range(1, LAST_DAY_OF_MONTH + 1))}[every]
    if given["on_day"] not in days:
        expected = {"day": "none", "week": "Monday to Sunday", "month": f"1 to {LAST_DAY_OF_MONTH}"}[every]
        raise ReportError(f"A schedule's day: found another, expected {expected}.")
    if _TIME.fullmatch(given["at"]) is None:
        raise ReportError("A schedule's time: found text of another form, expected one such as 08:00.")
    recipients = tuple(given["recipients"])
    if not 1 <= len(recipients) <= MOST_RECIPIENTS:
        raise ReportError(f"A schedule's recipients: found {len(recipients)}, expected 1 to {MOST_RECIPIENTS}.")
    if not all(one in teams or is_address(one) for one in recipients):
        raise ReportError("A schedule's recipients: found another word, expected e-mail addresses or teams' names.")
    words, format_ = _one_of("words", given["words"], LANGUAGES), _one_of("format", given["format"], FORMATS)
    about = (given["zone"], given["market"], given["language"])
    return NewSchedule(every, given["on_day"], given["at"], *about, words, format_, recipients)


def _one_of(what: str, word: str, words: tuple[Word, ...]) -> Word:
    """Return a word of a list, as which it was given."""
    for one in words:
        if one == word:
            return one
    raise ReportError(f"A schedule's {what}: found another word, expected one of {', '.join(words)}.")


def due(schedule: ReportSchedule, now: datetime) -> tuple[datetime, Asked] | None:
    """Return the last moment at which a report was due, and what it is about; None before the first one."""
    new, zone = schedule.new, ZoneInfo(schedule.new.zone)
    day = now.astimezone(zone).date()
    for _ in range(2 * 31):
        moment = datetime.combine(day, time.fromisoformat(new.at), zone)
        if _is_turn(new, day) and moment <= now:
            return (moment, _asked(new, day)) if moment >= schedule.made_at else None
        day -= timedelta(days=1)
    return None


def _is_turn(new: NewSchedule, day: date) -> bool:
    return new.every == "day" or new.on_day == (day.weekday() if new.every == "week" else day.day)


def _asked(new: NewSchedule, day: date) -> Asked:
    last = day - timedelta(days=1)
    if new.every == "month":
        last = day.replace(day=1) - timedelta(days=1)
        first = last.replace(day=1)
    else:
        first = last if new.every == "day" else last - timedelta(days=6)
    return Asked(first, last, new.zone, new.market, new.language)


def add(database: Database, new: NewSchedule, event: AuditEvent) -> int:
    """Keep a schedule that was checked, and return its number; the event says who wants it."""
    row = {field.name: getattr(new, field.name) for field in fields(NewSchedule)}
    row |= {"recipients": json.dumps(list(new.recipients)), "made_at": event.at, "made_by": event.actor}

    def work(connection: sa.Connection) -> int:
        append(connection, [event])
        made = sa.insert(REPORT_SCHEDULES).values(**row).returning(REPORT_SCHEDULES.c.number)
        number: int = connection.execute(made).scalar_one()
        return number

    return database.write(work)


def end(database: Database, number: int, event: AuditEvent) -> None:
    """End a schedule: nothing more is made by it.

    Raises:
        UnknownReportError: if none of that number is there.
    """

    def work(connection: sa.Connection) -> None:
        there = (REPORT_SCHEDULES.c.number == number) & REPORT_SCHEDULES.c.ended_at.is_(None)
        ended = sa.update(REPORT_SCHEDULES).where(there).values(ended_at=event.at, ended_by=event.actor)
        if connection.execute(ended).rowcount == 0:
            raise UnknownReportError("A schedule: found none of that number, expected one that has not ended.")
        append(connection, [event])

    database.write(work)


def active(database: Database) -> list[ReportSchedule]:
    """Return the schedules that have not ended, the oldest first."""
    return database.read(active_within)


def active_within(connection: sa.Connection) -> list[ReportSchedule]:
    """Return the same within a transaction."""
    statement = sa.select(REPORT_SCHEDULES).where(REPORT_SCHEDULES.c.ended_at.is_(None))
    rows = connection.execute(statement.order_by(REPORT_SCHEDULES.c.number)).mappings()
    found = []
    for row in rows:
        new = {field.name: row[field.name] for field in fields(NewSchedule)}
        new["recipients"] = tuple(json.loads(row["recipients"]))
        found.append(ReportSchedule(row["number"], row["made_at"], row["made_by"], NewSchedule(**new), row["ended_at"]))
    return found
