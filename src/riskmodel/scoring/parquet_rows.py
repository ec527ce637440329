"""A Parquet file in, its rows out, a batch of them in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import DataError
from riskmodel.scoring.rows import COLUMNS, Row, Rows, check_columns, readable, unreadable

BATCH_ROWS = 256
BUFFER_BYTES = 1024 * 1024  # a column; without it a whole row group, which may hold millions of rows, is in memory


@dataclass(frozen=True)
class _Unreadable:
    """Stands in the place of a value that Python cannot represent."""


@contextmanager
def open_parquet(path: Path, before: int = 0, count: int | None = None) -> Iterator[Rows]:
    """Open a Parquet file.

    Args:
        path: of the file.
        before: how many rows are passed over; those that follow keep their numbers.
        count: how many rows are read; None for all that follow.

    Raises:
        DataError: if it is damaged, no Parquet, or lacks the column ``text``.
    """
    try:
        file = pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError):
        raise DataError(f"{path} cannot be read as Parquet.") from None
    with file:
        columns = tuple(file.schema_arrow.names)
        check_columns(path, columns)
        total = file.metadata.num_rows - before if count is None else count
        done = 0

        def rows() -> Iterator[Row]:
            nonlocal done
            for row in _rows(path, file, [name for name in COLUMNS if name in columns], before, before + total):
                done = row.number - before
                yield row

        yield Rows(columns, total, lambda: done, rows())


def _rows(path: Path, file: pq.ParquetFile, columns: list[str], start: int, stop: int) -> Iterator[Row]:
    """Yield the rows numbered from ``start + 1`` to ``stop``; groups of rows that hold none of them are not read."""
    number = start
    try:
        for batch in _batches(file, columns, start, stop):
            values = [_values(name, batch.column(name)) for name in columns]
            for cells in zip(*values, strict=True):
                number += 1
                broken = [name for name, cell in zip(columns, cells, strict=True) if isinstance(cell, _Unreadable)]
                if broken:
                    yield unreadable(number, "a value that cannot be read", "UTF-8, or a time in range", broken[0])
                else:
                    yield readable(number, dict(zip(columns, cells, strict=True)))
    except (pa.ArrowException, OSError):
        raise DataError(f"{path} cannot be read as Parquet after row {number:,}.") from None


def _batches(file: pq.ParquetFile, columns: list[str], start: int, stop: int) -> Iterator[pa.RecordBatch]:
    ends = list(accumulate(file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)))
    begins = [0, *ends][: len(ends)]
    groups = [at for at, (begin, end) in enumerate(zip(begins, ends, strict=True)) if begin < stop and end > start]
    if not groups:
        return
    at = begins[groups[0]]
    for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=columns):
        wanted = batch.slice(max(0, start - at))[: max(0, stop - max(at, start))]
        at += batch.num_rows
        if wanted.num_rows:
            yield wanted
        if at >= stop:
            return


def _values(name: str, column: pa.Array) -> list[Any]:
    """Return a column's values; whole numbers in ``id`` become text, as in a CSV file.

    Where some rows have no ``credibility``, pandas writes the others' as fractions.
    """
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    elif name == "id" and pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    elif name == "credibility" and pa.types.is_floating(column.type):
        return [None if not cell.is_valid else _whole(cell.as_py()) for cell in column]
    return [_value(cell) for cell in column]


def _whole(number: float) -> float | int | None:
    return None if isnan(number) else int(number) if number.is_integer() else number


def _value(cell: pa.Scalar) -> Any:
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return _Unreadable()
