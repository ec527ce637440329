"""A Parquet file, or a folder of them, in; the blocks of rows that it is worked off in out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.errors import DataError, SettingsError
from riskmodel.records import Record
from riskmodel.scoring.rows import check_columns

SUFFIX = ".parquet"
# What a dead worker leaves is done again: at 100 rows/s and core, at most three minutes of it.
LEAST_ROWS, MOST_ROWS = 256, 16_384
BLOCKS_A_WORKER = 16  # so that the last ones end at about the same time
HIDDEN = ("_", ".")  # what every reader of such folders passes over


class InputFile(Record):
    """One file of the input: where it lies below the folder, and by what a change of it is noticed."""

    name: str
    rows: int
    bytes: int
    changed: int  # seconds since 1970: finer times do not survive a copy


@dataclass(frozen=True)
class Block:
    """Some rows of one file that follow one another: the unit of work, of output and of starting again."""

    file: str
    at: int
    before: int
    rows: int

    @property
    def name(self) -> str:
        """Return the name of its output without an extension, below the folder of the output."""
        return f"{PurePosixPath(self.file).with_suffix('')}-{self.at:05d}"


def look_at(source: Path) -> list[InputFile]:
    """Return the files of an input in the order of their names; of a folder those in folders below it too.

    Raises:
        DataError: if there are none, or one is no Parquet or lacks the column ``text``.
        SettingsError: if it is a file of another kind.
    """
    if source.is_dir():
        paths = sorted(path for path in source.rglob(f"*{SUFFIX}") if path.is_file() and not _is_hidden(path, source))
        if not paths:
            raise DataError(f"{source} holds no {SUFFIX} file.")
        return [_look_at(path, path.relative_to(source)) for path in paths]
    if not source.is_file():
        raise DataError(f"{source} does not exist.")
    if source.suffix.lower() != SUFFIX:
        raise SettingsError(f"{source} is no {SUFFIX} file and no folder of them, which is what is read in blocks.")
    return [_look_at(source, Path(source.name))]


def path_of(source: Path, file: str) -> Path:
    """Return where a file of an input lies."""
    return source / file if source.is_dir() else source


def rows_of_block(files: list[InputFile], workers: int) -> int:
    """Return how many rows a block should have, so that all workers have something to do until the end."""
    share = sum(file.rows for file in files) // max(1, workers * BLOCKS_A_WORKER)
    return min(MOST_ROWS, max(LEAST_ROWS, share))


def cut(files: list[InputFile], rows: int) -> Iterator[Block]:
    """Yield the blocks of all files, of ``rows`` rows each but for the last of a file; a file without rows has one."""
    for file in files:
        for at, before in enumerate(range(0, max(1, file.rows), rows)):
            yield Block(file.name, at, before, min(rows, file.rows - before))


def _is_hidden(path: Path, source: Path) -> bool:
    return any(part.startswith(HIDDEN) for part in path.relative_to(source).parts)


def _look_at(path: Path, name: Path) -> InputFile:
    try:
        found, schema = path.stat(), pq.read_schema(path)
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):
        raise DataError(f"{path} cannot be read as Parquet.") from None
    check_columns(path, schema.names)
    return InputFile(name=name.as_posix(), rows=rows, bytes=found.st_size, changed=int(found.st_mtime))
