"""Reports in, kept in the casebook; and out again by their ids, or a list of them, the newest first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import REPORTS
from riskmodel.reports.insight.records import Asked, AsOf, Figure, Report, UnknownReportError

_HEAD = ("number", "id", "made_at", "made_by", "first_day", "last_day", "zone", "market", "language", "seconds")


@dataclass(frozen=True)
class Made:
    """A report in a list: everything but its figures."""

    number: int
    id: str
    made_at: datetime
    made_by: str
    asked: Asked
    seconds: float
    schedule: int | None


def keep(database: Database, report: Report, event: AuditEvent) -> int:
    """Keep a report, with who had it made; return its number."""

    def work(connection: sa.Connection) -> int:
        append(connection, [event])
        return insert(connection, report)

    return database.write(work)


def insert(connection: sa.Connection, report: Report, due_at: datetime | None = None) -> int:
    """Keep a report within the transaction that is open, and return its number.

    Args:
        connection: in a transaction.
        report: what is kept.
        due_at: of a scheduled one; no other of that schedule is kept for that moment.
    """
    row = {
        "id": report.id,
        "made_at": report.made_at,
        "made_by": report.made_by,
        "first_day": report.asked.first.isoformat(),
        "last_day": report.asked.last.isoformat(),
        "zone": report.asked.zone,
        "market": report.asked.market,
        "language": report.asked.language,
        "numbers": _json(report.as_of.numbers),
        "versions": _json(report.versions),
        "seconds": report.seconds,
        "figures": _json({name: _written(figure) for name, figure in report.figures.items()}),
        "schedule": report.schedule,
        "due_at": due_at,
    }
    number: int = connection.execute(sa.insert(REPORTS).values(**row).returning(REPORTS.c.number)).scalar_one()
    return number


def read(database: Database, id_: str) -> Report:
    """Return a report.

    Raises:
        UnknownReportError: if none of that id is kept.
    """
    statement = sa.select(REPORTS).where(REPORTS.c.id == id_)
    row = database.read(lambda connection: connection.execute(statement).one_or_none())
    if row is None:
        raise UnknownReportError("A report: found no such id, expected that of one that is kept.")
    figures = {name: _read(name, written) for name, written in json.loads(row.figures).items()}
    as_of = AsOf(row.made_at, json.loads(row.numbers))
    return Report(row.id, _asked(row), as_of, row.made_by, json.loads(row.versions), figures, row.seconds, row.schedule)


def page(database: Database, limit: int, before: int | None = None) -> list[Made]:
    """Return reports, the newest first, older than a number."""
    statement = sa.select(*(REPORTS.c[name] for name in (*_HEAD, "schedule"))).order_by(REPORTS.c.number.desc())
    if before is not None:
        statement = statement.where(REPORTS.c.number < before)
    rows = database.read(lambda connection: connection.execute(statement.limit(limit)).all())
    return [Made(row.number, row.id, row.made_at, row.made_by, _asked(row), row.seconds, row.schedule) for row in rows]


def as_document(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it: what was asked for, what it rests on, and each figure with its query."""
    return {
        "id": report.id,
        "made_at": report.made_at.isoformat(),
        "made_by": report.made_by,
        "seconds": report.seconds,
        "asked": {
            "from": report.asked.first.isoformat(),
            "to": report.asked.last.isoformat(),
            "zone": report.asked.zone,
            "market": report.asked.market,
            "language": report.asked.language,
        },
        "as_of": {"moment": report.made_at.isoformat(), "numbers": dict(report.as_of.numbers)},
        "versions": dict(report.versions),
        "figures": {name: _written(figure) for name, figure in report.figures.items()},
    }


def _written(figure: Figure) -> Mapping[str, Any]:
    return {
        "columns": list(figure.columns),
        "rows": [list(row) for row in figure.rows],
        "query": figure.query,
        "link": figure.link,
    }


def _read(name: str, written: Mapping[str, Any]) -> Figure:
    rows = tuple(tuple(row) for row in written["rows"])
    return Figure(name, tuple(written["columns"]), rows, written["query"], written["link"])


def _asked(row: Any) -> Asked:
    first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    return Asked(first, last, row.zone, row.market, row.language)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
