"""Names of files in, what is wrong with them out before any work; the extension chooses how a file is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from riskmodel.errors import DataError, SettingsError
from riskmodel.scoring.csv_rows import open_csv
from riskmodel.scoring.jsonl_rows import open_jsonl
from riskmodel.scoring.parquet_rows import open_parquet
from riskmodel.scoring.rows import Rows

READERS: dict[str, Callable[[Path], AbstractContextManager[Rows]]] = {
    ".csv": open_csv,
    ".jsonl": open_jsonl,
    ".parquet": open_parquet,
}


def open_rows(source: Path) -> AbstractContextManager[Rows]:
    """Return a context in which the rows of a file can be read."""
    return READERS[source.suffix.lower()](source)


def refused_file(target: Path) -> Path:
    """Return the file beside the output that takes the rows refused."""
    return target.with_name(f"{target.stem}.refused.jsonl")


def check_files(source: Path, target: Path, overwrite: bool = False) -> None:
    """Check what can be checked before any work.

    Raises:
        DataError: if the input is not there, cannot be read or lacks the column ``text``.
        SettingsError: if an extension is unknown, or the output exists or has no folder.
    """
    for path in (source, target):
        if path.suffix.lower() not in READERS:
            raise SettingsError(f"{path} has an unknown extension, expected one of {', '.join(READERS)}.")
    if not source.is_file():
        raise DataError(f"{source} does not exist or is no file.")
    if not target.parent.is_dir():
        raise SettingsError(f"The folder {target.parent} for the output does not exist.")
    for path in (target, refused_file(target)):
        if path.is_dir() or (path.exists() and path.samefile(source)):
            raise SettingsError(f"{path} cannot take the output: it is the input or a folder. Choose another name.")
        if path.exists() and not overwrite:
            raise SettingsError(f"{path} exists. Choose another name or add --overwrite.")
    try:
        with open_rows(source):
            pass
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror or error}.") from None
