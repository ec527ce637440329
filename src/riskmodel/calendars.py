"""When a team works: weekly hours, a time zone and holidays in, the moment when enough open hours have passed out."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from holidays import country_holidays
from pydantic import AfterValidator, Field

from riskmodel.records import Record

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = 3_600_000_000  # microseconds, as a datetime counts
FAR = timedelta(days=366)  # beyond it working hours are not worth counting, holiday by holiday for centuries
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - 1  # its end is a moment that can still be told in every zone
_DAY = 86_400


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"found {name!r}, expected a name of the IANA time zones, such as America/Bogota")
    return name


def _known_holidays(place: str | None) -> str | None:
    if place is not None:
        country, _, subdivision = place.partition("-")
        try:
            country_holidays(country, subdiv=subdivision or None)
        except NotImplementedError:
            raise ValueError(
                f"found {place!r}, expected a country with known holidays, such as BR, or a part, such as BR-SP"
            ) from None
    return place


def _readable_hours(hours: dict[str, str]) -> dict[str, str]:
    week_of(hours)
    return hours


class Calendar(Record):
    """When a team works: hours of the day by day of the week, closed on public holidays.

    ``hours``: ``{"mon-fri": "09:00-12:00, 13:00-18:00", "sat": "09:00-13:00"}``, local time; ``24:00`` ends a day.
    ``holidays``: a country, or a part of one (``BR``, ``BR-SP``); ``closed``: further days.
    """

    time_zone: Annotated[str, AfterValidator(_known_zone)]
    hours: Annotated[dict[str, str], AfterValidator(_readable_hours)]
    holidays: Annotated[str | None, AfterValidator(_known_holidays)] = None
    closed: Annotated[list[date], Field(strict=False)] = []  # noqa: RUF012  pydantic copies it

    def after(self, moment: datetime, hours: int) -> datetime:
        """Return the first moment by which a number of open hours have passed since ``moment``."""
        return self._reach(moment, hours * HOUR)

    def open_time(self, since: datetime, until: datetime) -> timedelta:
        """Return how much open time lies between two moments, the earlier first."""
        first, last = _micros(since), _micros(until)
        years = range(since.astimezone(self._zone).year, until.astimezone(self._zone).year + 1)
        return timedelta(microseconds=sum(self.open_in(year).between(first, last) for year in years))

    def at_share(self, since: datetime, until: datetime, share: float) -> datetime:
        """Return when a share of the open time between two moments has passed; more than all of it lies behind."""
        wanted = round(self.open_time(since, until) / timedelta(microseconds=1) * share)
        return self._reach(since, wanted) if wanted > 0 else since + (until - since) * share

    def _reach(self, moment: datetime, left: int) -> datetime:
        at, year = _micros(moment), moment.astimezone(self._zone).year
        while True:
            spans = self.open_in(year)
            found = spans.reach(at, left)
            if found is not None:
                return _EPOCH + timedelta(microseconds=found)
            left -= spans.left_at(at)
            year += 1

    def open_in(self, year: int) -> "OpenSpans":
        """Return when the team works in a year of its own zone."""
        found = self._years.get(year)
        return found if found is not None else self._years.setdefault(year, self._work_out(year))

    @cached_property
    def _years(self) -> "dict[int, OpenSpans]":
        return {}

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def _work_out(self, year: int) -> "OpenSpans":
        week, free = week_of(self.hours), set(self.closed)
        if self.holidays is not None:
            country, _, subdivision = self.holidays.partition("-")
            free |= country_holidays(country, subdiv=subdivision or None, years=year).keys()
        first, last = date(year, 1, 1).toordinal(), min(date(year, 12, 31).toordinal(), _LAST_DAY)
        days = (date.fromordinal(day) for day in range(first, last + 1))
        spans = [
            (start * _SECOND, end * _SECOND)
            for day in days
            if day not in free
            for opens, closes in week[day.weekday()]
            for start, end in local_span(self._zone, day, opens, closes)
        ]
        lengths = (end - start for start, end in spans)
        return OpenSpans([start for start, _ in spans], [end for _, end in spans], [0, *accumulate(lengths)])


@dataclass(frozen=True)
class OpenSpans:
    """Stretches of open time in order, in microseconds since 1970.

    Attributes:
        starts, ends: of each stretch.
        before: open time before each stretch, and all of it at the end.
    """

    starts: list[int]
    ends: list[int]
    before: list[int]

    def passed_at(self, moment: int) -> int:
        """Return how much open time had passed at a moment."""
        at = bisect_right(self.starts, moment) - 1
        return 0 if at < 0 else self.before[at] + min(moment, self.ends[at]) - self.starts[at]

    def left_at(self, moment: int) -> int:
        """Return how much open time was still to come at a moment."""
        return self.before[-1] - self.passed_at(moment)

    def between(self, first: int, last: int) -> int:
        """Return how much open time lies between two moments."""
        return self.passed_at(last) - self.passed_at(first)

    def reach(self, moment: int, wanted: int) -> int | None:
        """Return when so much open time, more than none, has passed since a moment; None if later than all this."""
        total = self.passed_at(moment) + wanted
        if total > self.before[-1]:
            return None
        at = bisect_left(self.before, total) - 1
        return self.starts[at] + total - self.before[at]


def week_of(hours: dict[str, str]) -> list[list[tuple[int, int]]]:
    """Return the hours of each day of the week as minutes of the day, in order.

    Raises:
        ValueError: naming the day or the hours that cannot be read or overlap.
    """
    week: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for days, written in hours.items():
        spans = [_span(part.strip()) for part in written.split(",")]
        for day in _days(days):
            week[day] = sorted([*week[day], *spans])
            if any(later < end for (_, end), (later, _) in pairwise(week[day])):
                raise ValueError(f"found hours of {DAYS[day]} that overlap, expected each hour once")
    if not any(week):
        raise ValueError("found no hours, expected some in the week")
    return week


def _days(written: str) -> range:
    first, _, last = written.partition("-")
    if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
        raise ValueError(f"found {written!r}, expected a day or days, such as mon, mon-fri or sat-sun")
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def _span(written: str) -> tuple[int, int]:
    try:
        opens, closes = (_minutes(part) for part in written.split("-"))
    except ValueError:
        opens = closes = 0
    if opens >= closes:
        raise ValueError(f"found {written!r}, expected hours of one day, such as 09:00-18:00")
    return opens, closes


def _minutes(written: str) -> int:
    hours, minutes = written.split(":")
    if len(hours) != 2 or len(minutes) != 2 or not (int(minutes) < 60 and int(hours) * 60 + int(minutes) <= 1440):
        raise ValueError
    return int(hours) * 60 + int(minutes)


def local_span(zone: ZoneInfo, day: date, opens: int, closes: int) -> list[tuple[int, int]]:
    """Return when the clocks of a zone show a day between two minutes of it, in seconds since 1970.

    Where they are set within it, there are two stretches; an hour that is skipped is in none, one that comes twice is
    in both.
    """
    midnight = (day.toordinal() - _FIRST_DAY) * _DAY
    start, end = midnight + opens * 60, midnight + closes * 60
    before, after = _offset(zone, start, fold=0), _offset(zone, end, fold=1)
    if before == after:
        return [(start - before, end - before)]
    low, high = start - max(before, after), end - min(before, after)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_at(zone, middle) == before else (low, middle)
    spans = (start - before, min(end - before, high)), (max(start - after, high), end - after)
    return [(first, last) for first, last in spans if first < last]


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _offset(zone: ZoneInfo, local: int, fold: int) -> int:
    shown = datetime(1970, 1, 1, tzinfo=zone, fold=fold) + timedelta(seconds=local)
    return _seconds(shown.replace(fold=fold).utcoffset())


def _offset_at(zone: ZoneInfo, seconds: int) -> int:
    return _seconds((_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
