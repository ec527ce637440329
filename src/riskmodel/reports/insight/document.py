"""What every format of a report is made of: statements, tiles, sections; each part names the figure behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from riskmodel.reports.insight.drawing import Drawing


@dataclass(frozen=True)
class Statement:
    """A sentence that its figure supports."""

    text: str
    figure: str


@dataclass(frozen=True)
class Tile:
    """A headline figure with that of the period before, and what must be known of it."""

    title: str
    value: str
    before: str
    note: str
    figure: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table; a number stands at its right end. ``rating`` colours it, ``link`` leads to the cases."""

    text: str
    numeric: bool = False
    rating: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Table:
    """A table under its caption. The first cell of each row names it."""

    caption: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figure: str


@dataclass(frozen=True)
class Picture:
    """A drawing, and the figure that it shows."""

    drawing: Drawing
    figure: str


@dataclass(frozen=True)
class Quote:
    """A text that stands for others; masked."""

    text: str
    note: str
    language: str


@dataclass(frozen=True)
class Section:
    """A part of a report: words first, then what shows them."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True)
class Source:
    """A figure as the appendix shows it: its name, its query, how many rows it has."""

    name: str
    query: str = field(repr=False)
    rows: str


@dataclass(frozen=True)
class Document:
    """A whole report, in words, ready to be set."""

    id: str
    language: str
    title: str
    subtitle: tuple[str, ...]
    says_title: str
    statements: tuple[Statement, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    method_title: str
    method: tuple[str, ...]
    queries_title: str
    queries_intro: str
    sources: tuple[Source, ...]
    query_word: str


def table(caption: str, columns: Sequence[Cell], rows: Iterable[Sequence[Cell]], figure: str) -> Table:
    """Return a table."""
    return Table(caption, tuple(columns), tuple(tuple(row) for row in rows), figure)


def number(text: str) -> Cell:
    """Return the cell of a number."""
    return Cell(text, numeric=True)
