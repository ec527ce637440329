"""A CSV file in, its rows out: UTF-8, a header, separated by comma, semicolon or tab, line breaks in quotes allowed."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from riskmodel.errors import DataError
from riskmodel.scoring.rows import MAX_LINE, TEXT, Row, Rows, check_columns, readable, unreadable

if TYPE_CHECKING:
    from _csv import Reader  # the public module does not name the type

DELIMITERS = ",;\t"  # spreadsheets write semicolons where the comma is the decimal sign: Brazil, Argentina, Spain
ENCODING = "utf-8-sig"  # with or without the mark that spreadsheets put first


@contextmanager
def open_csv(path: Path) -> Iterator[Rows]:
    """Open a CSV file; a row's number counts the records after the header, empty lines aside.

    Raises:
        DataError: if its header is not UTF-8 or lacks the column ``text``.
    """
    with path.open("rb") as raw:
        delimiter = _delimiter(raw)
        # Bytes that are not UTF-8 become lone surrogates, so that only their own row is refused.
        file = io.TextIOWrapper(raw, ENCODING, errors="surrogateescape", newline="")
        reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
        columns = _header(path, reader)
        check_columns(path, columns)
        yield Rows(columns, path.stat().st_size, raw.tell, _rows(reader, columns))


def _delimiter(raw: BinaryIO) -> str:
    first = raw.readline(MAX_LINE).decode(ENCODING, "replace")
    raw.seek(0)
    for delimiter in DELIMITERS:
        if TEXT in [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]:
            return delimiter
    return DELIMITERS[0]


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines, of one that is too long only the start: no legal row is that long."""
    while line := file.readline(MAX_LINE):
        yield line
        while len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            line = file.readline(MAX_LINE)


def _header(path: Path, reader: "Reader") -> tuple[str, ...]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise DataError(f"{path} has no readable header: {error}.") from None
    if not _is_utf8(header):
        raise DataError(f"{path} is not CSV in UTF-8: save it as UTF-8.")
    return tuple(name.strip() for name in header)


def _rows(reader: "Reader", columns: tuple[str, ...]) -> Iterator[Row]:
    number = 0
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # its message tells the form that was broken, never what stood there
            number += 1
            yield unreadable(number, f"broken quotes in lines {first:,} to {reader.line_num:,} ({error})", "valid CSV")
            continue
        if not cells:
            continue
        number += 1
        if len(cells) != len(columns):
            yield unreadable(number, f"{len(cells):,} cells", f"{len(columns):,}, as in the header")
        elif not _is_utf8(cells):
            yield unreadable(number, "bytes that are not UTF-8", "UTF-8")
        else:
            yield readable(number, _typed(dict(zip(columns, cells, strict=True))))


def _typed(cells: dict[str, str]) -> dict[str, Any]:
    """Return cells with the one field that is a number as one."""
    number = cells.get("credibility", "")
    return {**cells, "credibility": int(number)} if re.fullmatch("[0-9]", number) else dict(cells)


def _is_utf8(cells: list[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
