"""A document in, Markdown out, with its tables; pictures are told in words."""

import re
from collections.abc import Iterator

from riskmodel.reports.insight.document import Document, Section, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def markdown(document: Document) -> str:
    """Return the report as CommonMark with tables as GitHub has them."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_plain(document.title)}"
    for line in document.subtitle:
        yield from ("", _plain(line))
    yield from ("", f"## {_plain(document.says_title)}", "")
    for statement in document.statements:
        yield f"- {_plain(statement.text)} (`{statement.figure}`)"
    yield ""
    for tile in document.tiles:
        said = ", ".join(part for part in (tile.before, tile.note) if part)
        yield f"- {_plain(tile.title)}: **{_plain(tile.value)}** ({_plain(said)}; `{tile.figure}`)"
    for section in document.sections:
        yield from _section(section)
    yield from ("", f"## {_plain(document.method_title)}")
    for paragraph in document.method:
        yield from ("", _plain(paragraph))
    yield from ("", f"## {_plain(document.queries_title)}", "", _plain(document.queries_intro))
    for source in document.sources:
        yield from ("", f"### `{source.name}` ({source.rows})", "", "```sql", source.query, "```")


def _section(section: Section) -> Iterator[str]:
    yield from ("", f"## {_plain(section.title)}")
    for paragraph in section.paragraphs:
        yield from ("", _plain(paragraph))
    for picture in section.pictures:
        yield from (
            "",
            f"*{_plain(picture.drawing.title)}*: {_plain(picture.drawing.alternative)} (`{picture.figure}`)",
        )
    for table in section.tables:
        yield from _table(table)
    for quote in section.quotes:
        yield ""
        yield from (f"> {_plain(line)}" for line in quote.text.splitlines())
        yield from (">", f"> {_plain(quote.note)}")


def _table(table: Table) -> Iterator[str]:
    yield from ("", f"**{_plain(table.caption)}** (`{table.figure}`)", "")
    yield "| " + " | ".join(_plain(column.text) for column in table.columns) + " |"
    yield "| " + " | ".join("---:" if column.numeric else "---" for column in table.columns) + " |"
    for row in table.rows:
        yield "| " + " | ".join(_plain(cell.text) for cell in row) + " |"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
