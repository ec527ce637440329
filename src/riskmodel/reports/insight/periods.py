"""Days of a time zone in, the moments between which they lie out: those of the period, and of equal ones before it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from riskmodel.records import LANGUAGES, MARKETS
from riskmodel.reports.insight.records import Asked, ReportError

BEFORE = 4  # equal periods before the one that is asked for, which say what is usual
MOST_DAYS = 3 * 366
FIRST_YEAR = 2000
_LANGUAGE = re.compile(r"[a-z]{2,3}")  # ISO 639, as the language stage gives it


@dataclass(frozen=True)
class Periods:
    """The period and those before it, as moments in UTC.

    Attributes:
        bounds: ``BEFORE`` + 2 of them, ascending; the period lies between the last two.
    """

    bounds: tuple[datetime, ...]

    @property
    def begin(self) -> datetime:
        """Return where the period begins."""
        return self.bounds[-2]

    @property
    def end(self) -> datetime:
        """Return the first moment after the period."""
        return self.bounds[-1]

    def of(self, back: int) -> tuple[datetime, datetime]:
        """Return begin and end of a period: 0 is the one asked for, 1 the one before."""
        return self.bounds[-2 - back], self.bounds[-1 - back]


def periods(asked: Asked) -> Periods:
    """Return the moments of what is asked for. A day may have 23 or 25 hours where clocks are changed."""
    zone = ZoneInfo(asked.zone)
    days = [asked.first - timedelta(days=asked.days * back) for back in range(BEFORE, 0, -1)]
    days += [asked.first, asked.last + timedelta(days=1)]
    return Periods(tuple(midnight(day, zone) for day in days))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day of a zone begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def asked_for(
    first: date | None,
    last: date | None,
    *,
    now: datetime,
    zone: str = "UTC",
    market: str | None = None,
    language: str | None = None,
) -> Asked:
    """Return what is asked for, checked; without days, the seven before today.

    Raises:
        ReportError: naming what cannot be used and what was expected.
    """
    try:
        today = now.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ReportError("A report's zone: found no such name, expected one such as America/Sao_Paulo.") from None
    last = last or today - timedelta(days=1)
    asked = Asked(first or last - timedelta(days=6), last, zone, market, language)
    if asked.first.year < FIRST_YEAR:
        raise ReportError(f"A report's first day: found {asked.first}, expected one from {FIRST_YEAR} on.")
    if not 1 <= asked.days <= MOST_DAYS:
        raise ReportError(f"A report's days: found {asked.first} to {asked.last}, expected 1 to {MOST_DAYS:,} days.")
    if last > today:
        raise ReportError(f"A report's last day: found {last}, expected today ({today}) or earlier.")
    if market is not None and market not in MARKETS:
        raise ReportError("A report's market: found another word, expected a country code such as BR, MX or US.")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        raise ReportError(f"A report's language: found another word, expected a code such as {', '.join(LANGUAGES)}.")
    return asked
