"""A Parquet file in, its rows out, a batch of them in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
def open_parquet(path: Path) -> Iterator[Rows]:
    """Open a Parquet file.

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
        done = 0

        def rows() -> Iterator[Row]:
            nonlocal done
            for row in _rows(path, file, [name for name in COLUMNS if name in columns]):
                done = row.number
                yield row

        yield Rows(columns, file.metadata.num_rows, lambda: done, rows())


def _rows(path: Path, file: pq.ParquetFile, columns: list[str]) -> Iterator[Row]:
    number = 0
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
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
