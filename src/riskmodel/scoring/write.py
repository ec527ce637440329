"""Assessments in, a file of them out, which appears under its name only when it is complete."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import FieldProblem
from riskmodel.records import Assessment
from riskmodel.scoring.flat import FLAT_COLUMNS, NUMBERS, ROW_NUMBER, TIME, flatten

GROUP_ROWS = 4_096  # of a Parquet row group, held in memory until it is full: about 4 MB

Write = Callable[[int, Assessment], None]
WriteProblems = Callable[[int, Sequence[FieldProblem]], None]


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; it becomes ``target`` if all goes well, and is gone if anything does not."""
    part = target.with_name(target.name + ".part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def jsonl_writer(path: Path) -> Iterator[Write]:
    """Yield a function that writes a row number and the whole assessment on one line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(number: int, assessment: Assessment) -> None:
            file.write(f'{{"{ROW_NUMBER}":{number},{assessment.model_dump_json(by_alias=True)[1:]}\n')

        yield write


@contextmanager
def csv_writer(path: Path) -> Iterator[Write]:
    """Yield a function that writes flat rows under a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FLAT_COLUMNS)
        writer.writeheader()

        def write(number: int, assessment: Assessment) -> None:
            row = flatten(number, assessment)
            writer.writerow(row | {TIME: row[TIME].isoformat().replace("+00:00", "Z")})

        yield write


@contextmanager
def parquet_writer(path: Path) -> Iterator[Write]:
    """Yield a function that writes flat rows, a row group of them at a time."""
    schema = pa.schema([(name, _type(name)) for name in FLAT_COLUMNS])
    rows: list[dict[str, Any]] = []
    with pq.ParquetWriter(path, schema) as writer:

        def write(number: int, assessment: Assessment) -> None:
            rows.append(flatten(number, assessment))
            if len(rows) == GROUP_ROWS:
                flush()

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            rows.clear()

        yield write
        if rows:
            flush()


@contextmanager
def problem_writer(path: Path) -> Iterator[WriteProblems]:
    """Yield a function that writes a line for each problem of a row; no file is left where there was none."""
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield partial(write_problems, file)
    if path.stat().st_size == 0:
        path.unlink()


def write_problems(file: IO[str], number: int, problems: Sequence[FieldProblem]) -> None:
    """Write a line for each problem of a row."""
    for problem in problems:
        line = {ROW_NUMBER: number, "field": problem.field, "found": problem.found, "expected": problem.expected}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _type(name: str) -> pa.DataType:
    if name == TIME:
        return pa.timestamp("us", "UTC")
    return pa.int64() if name == ROW_NUMBER else pa.float64() if name in NUMBERS else pa.string()


WRITERS: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {
    ".csv": csv_writer,
    ".jsonl": jsonl_writer,
    ".parquet": parquet_writer,
}
