"""A kept report, a format and a language in, the file out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.records import Language
from riskmodel.redaction import redact
from riskmodel.reports.insight.csv_rows import csv_text
from riskmodel.reports.insight.document import Document
from riskmodel.reports.insight.html import html
from riskmodel.reports.insight.markdown import markdown
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.storing import as_document
from riskmodel.reports.insight.writing import document

Format = Literal["html", "md", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
TYPES: Mapping[Format, str] = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


@dataclass(frozen=True)
class File:
    """A report as a file."""

    name: str
    media_type: str
    content: bytes


def render(database: Database, report: Report, format_: Format, language: Language, base: str = "") -> File:
    """Return a report as a file.

    Args:
        database: where the cases that it names are looked up.
        report: what is shown.
        format_: of the file.
        language: of its words; figures as CSV and JSON have none but statements.
        base: where the desk is reached, for links into it.
    """
    write: dict[Format, Callable[[], str]] = {
        "html": lambda: html(written(database, report, language), base),
        "md": lambda: markdown(written(database, report, language)),
        "csv": lambda: csv_text(report),
        "json": lambda: _json(report, written(database, report, language)),
    }
    return File(f"{report.id}.{format_}", TYPES[format_], write[format_]().encode())


def written(database: Database, report: Report, language: Language) -> Document:
    """Return a report in words, with the ids of the cases that it names, masked; forgotten ones have none."""
    numbers = [row["case"] for row in report.figures["deadlines.open"].dicts()]
    statement = sa.select(ESCALATIONS.c.number, ESCALATIONS.c.id).where(ESCALATIONS.c.number.in_(numbers))
    rows = database.read(lambda connection: connection.execute(statement).all())
    return document(report, language, {row.number: redact(row.id) for row in rows})


def _json(report: Report, told: Document) -> str:
    says = [{"text": statement.text, "figure": statement.figure} for statement in told.statements]
    return json.dumps(as_document(report) | {"says": says}, ensure_ascii=False, indent=1) + "\n"
