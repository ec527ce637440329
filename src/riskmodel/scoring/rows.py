"""What every kind of file is read as: numbered rows, each with its fields or with why it cannot be read."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.errors import DataError, FieldProblem
from riskmodel.records import Escalation

COLUMNS = tuple(Escalation.model_fields)
TEXT = "text"
ROW = "row"  # the field that a problem names where the whole row is at fault
# The longest legal text, every letter escaped, has 0.24 MB in JSON; the rest is room for columns that are ignored.
MAX_LINE = 4 * 1024 * 1024
MAX_NAMED = 20
# A file without a header shows a report where names should stand; only what is surely a name is repeated.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Row:
    """One row: its number from 1, and its fields that are not empty, or why it cannot be read."""

    number: int
    fields: dict[str, Any]
    problem: FieldProblem | None = None


@dataclass(frozen=True)
class Rows:
    """An open file: its columns, its rows one by one, and how much of it was read.

    ``total`` and ``done()`` count bytes or rows, whichever the kind of file tells.
    """

    columns: tuple[str, ...]
    total: int
    done: Callable[[], int]
    rows: Iterator[Row]


def unreadable(number: int, found: str, expected: str, field: str = ROW) -> Row:
    """Return a row that cannot be read."""
    return Row(number, {}, FieldProblem(field, found, expected))


def readable(number: int, fields: dict[str, Any]) -> Row:
    """Return a row with those of its fields that an escalation has and that are not empty; an empty text stays."""
    kept = {name: fields[name] for name in COLUMNS if fields.get(name) not in (None, "")}
    return Row(number, {"text": "", **kept} if fields.get("text") == "" else kept)


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Check that a file can be scored.

    Raises:
        DataError: if it has no column ``text``, or a column that we read twice.
    """
    twice = [name for name, count in Counter(columns).items() if count > 1 and name in COLUMNS]
    if twice:
        raise DataError(f"{path} has the column {twice[0]} twice, expected it once.")
    if TEXT not in columns:
        found = f"found {name_columns(columns)}" if columns else "it is empty"
        raise DataError(
            f"{path} has no column {TEXT}: {found}, expected {TEXT} and, if known, {', '.join(COLUMNS[1:])}."
        )


def name_columns(columns: Sequence[str]) -> str:
    """Return the names of columns as a list in words; those that may be somebody's report are only counted."""
    named = [name for name in columns if _NAME.fullmatch(name)][:MAX_NAMED]
    others = len(columns) - len(named)
    if others:
        named.append(f"{others:,} that {'is' if others == 1 else 'are'} not named here")
    return ", ".join(named)
