"""A language in, the words of the report and its numbers, days and moments as that language writes them out."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, get_day_names
from babel.numbers import format_decimal, format_percent

from riskmodel.catalogue import Catalogue, read_catalogue
from riskmodel.records import Language

FOLDER = Path(__file__).with_name("words")
# As the Americas write: a decimal point in Spanish, a comma in Brazil's Portuguese.
LOCALES: dict[Language, str] = {"en": "en_US", "es": "es_419", "pt": "pt_BR"}
LEAST_CHANGE = 0.005  # what is rounded to nothing has no sign
GROUPS = {
    "category": "categories",
    "source": "sources",
    "language": "languages",
    "rating": "ratings",
    "team": "teams",
    "action": "actions",
}


@dataclass(frozen=True)
class Words:
    """What a report says, in one language and for one time zone."""

    t: Catalogue
    locale: Locale
    zone: ZoneInfo

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key, with values filled in."""
        return self.t(key, **values)

    def name(self, kind: str, value: str) -> str:
        """Return what a value is called: a category, source, language, rating, team, or a market by its code."""
        if not value:
            return self.t("unknown")
        if kind == "market":
            return f"{self.locale.territories.get(value, value)} ({value})"
        return self.t.name(GROUPS[kind], value)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number, rounded to digits behind the point."""
        return str(format_decimal(round(value, digits), format=f"#,##0.{'0' * digits}".rstrip("."), locale=self.locale))

    def percent(self, share: float | None) -> str:
        """Return a share: below a tenth, or near all, with a digit behind the point."""
        if share is None:
            return "–"
        fine = share not in (0, 1) and (share < 0.1 or share > 0.9)
        return str(format_percent(share, format="#,##0.0%" if fine else "#,##0%", locale=self.locale))

    def change(self, change: float | None) -> str:
        """Return a change as a signed percentage."""
        if change is None:
            return "–"
        if abs(change) < LEAST_CHANGE:
            return str(format_percent(0, locale=self.locale))
        return str(format_percent(change, format="+#,##0%;−#,##0%", locale=self.locale))

    def day(self, day: date) -> str:
        """Return a day."""
        return str(format_date(day, "medium", locale=self.locale))

    def short_day(self, day: date) -> str:
        """Return a day without its year, as an axis shows it."""
        return str(format_date(day, "d MMM" if self.t.language != "en" else "MMM d", locale=self.locale))

    def weekday(self, weekday: int) -> str:
        """Return the short name of a day of the week, Monday being 0."""
        return str(get_day_names("abbreviated", context="stand-alone", locale=self.locale)[weekday])

    def long_weekday(self, weekday: int) -> str:
        """Return the name of a day of the week, Monday being 0."""
        return str(get_day_names("wide", context="stand-alone", locale=self.locale)[weekday])

    def moment(self, moment: datetime) -> str:
        """Return a moment in the report's zone."""
        shown = format_datetime(moment, "medium", tzinfo=self.zone, locale=self.locale)
        return f"{shown} ({self.zone.key})"

    def span(self, minutes: float | None) -> str:
        """Return a span of time in units that read the same in our languages."""
        if minutes is None:
            return self.t("deadlines.not_yet")
        whole = int(minutes)
        days, hours, rest = whole // 1440, whole // 60 % 24, whole % 60
        return f"{days} d {hours} h" if days else f"{hours} h {rest:02} min" if hours else f"{rest} min"


@cache
def words(language: Language, zone: str = "UTC") -> Words:
    """Return the words of a language, with moments in a zone."""
    return Words(read_catalogue(FOLDER, language), Locale.parse(LOCALES[language]), ZoneInfo(zone))
