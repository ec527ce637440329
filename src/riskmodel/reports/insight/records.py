"""What a report is asked for, what it rests on, its figures, and the report itself: all frozen, all JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from riskmodel.errors import RiskmodelError

Row = tuple[Any, ...]


class ReportError(RiskmodelError):
    """A report cannot be made as it was asked for; says what was expected."""


class UnknownReportError(RiskmodelError):
    """No report of that id is kept."""


@dataclass(frozen=True)
class Asked:
    """What a report is about: whole days of a time zone, the last one included, of all markets and languages or one.

    Attributes:
        zone: an IANA name, such as America/Sao_Paulo.
    """

    first: date
    last: date
    zone: str = "UTC"
    market: str | None = None
    language: str | None = None

    @property
    def days(self) -> int:
        """Return how many days it covers."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class AsOf:
    """What a report rests on: a moment, and the highest number of each table that is appended to, at that moment."""

    moment: datetime
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Figure:
    """A table of numbers under a name that never changes, and the query that gave it, which can be run as it stands.

    Attributes:
        link: the casebook's filter that shows the cases behind it; None where no filter does.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    query: str = field(repr=False)
    link: str | None = None

    def dicts(self) -> list[dict[str, Any]]:
        """Return the rows by the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Report:
    """A report as it was made.

    Attributes:
        versions: of the software, of the tables and of the policy.
        figures: by name.
        schedule: the number of the schedule that had it made, if one did.
        seconds: that the figures took.
    """

    id: str
    asked: Asked
    as_of: AsOf
    made_by: str
    versions: Mapping[str, str]
    figures: Mapping[str, Figure] = field(repr=False)
    seconds: float
    schedule: int | None = None

    @property
    def made_at(self) -> datetime:
        """Return when it was made."""
        return self.as_of.moment


@dataclass(frozen=True)
class Difference:
    """A figure that came out otherwise when a report was made again: rows that are gone, and rows that came."""

    figure: str
    gone: tuple[Row, ...]
    came: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """A report beside itself made again from what is kept now.

    Attributes:
        forgotten: escalations that were there and are gone.
        appeared: escalations that were being written when it was made.
        why: what explains the differences, as keys and values of the catalogue.
    """

    report: Report
    differences: tuple[Difference, ...]
    forgotten: int
    appeared: int
    versions: Mapping[str, tuple[str, str]]

    @property
    def is_same(self) -> bool:
        """Whether every figure came out as it was."""
        return not self.differences
