"""A file of JSON lines in, its rows out: one object a line, in UTF-8."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from riskmodel.records import kind_of
from riskmodel.scoring.rows import MAX_LINE, Row, Rows, check_columns, readable, unreadable

PEEK_LINES = 100  # where fields are named on every line, these tell which there are
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EXPECTED = "one JSON object in UTF-8"


@contextmanager
def open_jsonl(path: Path) -> Iterator[Rows]:
    """Open a file of JSON lines; a row's number is its line's, empty lines are passed over.

    Raises:
        DataError: if none of its first objects has the field ``text``.
    """
    with path.open("rb") as file:
        first = [list(row) for _, row in islice(_objects(file), PEEK_LINES) if isinstance(row, dict)]
        columns = tuple(dict.fromkeys(name for names in first for name in names))
        if first:
            check_columns(path, columns)
        file.seek(0)
        yield Rows(columns, path.stat().st_size, file.tell, _rows(file))


def _rows(file: BinaryIO) -> Iterator[Row]:
    for number, found in _objects(file):
        yield found if isinstance(found, Row) else readable(number, found)


def _objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Row]]:
    """Yield each line's number and object, or the row that says why there is none."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, unreadable(number, f"more than {MAX_LINE:,} bytes", EXPECTED)
        elif content := line.removeprefix(BYTE_ORDER_MARK if number == 1 else b"").strip():
            yield number, _parse(number, content)


def _parse(number: int, content: bytes) -> dict[str, Any] | Row:
    try:
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        return unreadable(number, f"a byte at {error.start:,} that is not UTF-8", EXPECTED)
    except json.JSONDecodeError as error:
        return unreadable(number, f"no JSON at column {error.colno:,}", EXPECTED)
    except RecursionError:
        return unreadable(number, "JSON that is nested too deeply", EXPECTED)
    except ValueError:  # an integer of thousands of digits, which Python refuses to read
        return unreadable(number, "a number that is too long", EXPECTED)
    return value if isinstance(value, dict) else unreadable(number, kind_of(value), EXPECTED)
