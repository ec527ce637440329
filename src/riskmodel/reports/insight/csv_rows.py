"""A report in, its figures as CSV out: a number a row, with the figure it belongs to and what it counts."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from riskmodel.reports.insight.records import Figure, Report

HEADER = ("report", "figure", "of", "period", "measure", "value")
MEASURES = frozenset({"n", "p50", "p75", "p90", "p99", "weight"})
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(report: Report) -> str:
    """Return the figures; the period 0 is the one asked for, 1 the one before. A spreadsheet runs none of it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADER)
    for figure in report.figures.values():
        for row in _rows(figure):
            writer.writerow([_safe(value) for value in (report.id, figure.name, *row)])
    return file.getvalue()


def _rows(figure: Figure) -> Iterator[tuple[str, Any, str, Any]]:
    for row in figure.dicts():
        of = "; ".join(f"{name}={value}" for name, value in row.items() if name not in MEASURES and name != "period")
        measures = [name for name in row if name in MEASURES]
        if not measures:
            yield of, row.get("period", ""), "", ""
        for name in measures:
            yield of, row.get("period", ""), name, "" if row[name] is None else row[name]


def _safe(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula."""
    text = str(value)
    return value if isinstance(value, int | float) or not text.startswith(DANGEROUS) else f"'{text}"
