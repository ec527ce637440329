"""A model, a file of escalations and a name in; a file of assessments out, and one of the rows that were refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from riskmodel.errors import DataError
from riskmodel.model import RiskModel
from riskmodel.scoring.assessing import Refusals, assess_rows
from riskmodel.scoring.files import check_files, open_rows, refused_file
from riskmodel.scoring.rows import COLUMNS, Row, Rows, name_columns
from riskmodel.scoring.write import WRITERS, problem_writer, whole


@dataclass(frozen=True)
class Scored:
    """How many rows were rated and refused, and how many of them now, in what time; None where it was all of them."""

    rated: int
    refused: int
    refused_file: Path
    seconds: float
    now: int | None = None

    def __str__(self) -> str:
        """Return all of it as one line."""
        where = f" ({self.refused_file})" if self.refused else ""
        now = self.rated + self.refused if self.now is None else self.now
        pace = now / max(self.seconds, 1e-9)
        return f"Rated {self.rated:,}, refused {self.refused:,}{where}, {pace:,.0f} rows/s."


def score(
    model: RiskModel,
    source: Path,
    target: Path,
    *,
    now: datetime,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda done, total: None,
    notice: Callable[[str], None] = lambda line: None,
) -> Scored:
    """Assess every row of a file. Nothing is left behind when it does not come to the end.

    Args:
        model: rates the rows, in batches.
        source: has the column ``text`` and may have the other fields of an escalation; others are ignored.
        target: its extension, like that of ``source``, chooses the kind: .csv, .jsonl or .parquet.
        now: when rows without ``received_at`` arrived.
        overwrite: whether ``target`` may exist.
        report: is told how much of the file was read, and how much there is.
        notice: is told which columns are ignored.

    Raises:
        DataError: if the input lacks the column ``text`` or cannot be read, or the output cannot be written.
        SettingsError: as :func:`check_files`.
    """
    check_files(source, target, overwrite)
    began, rated = time.perf_counter(), 0
    try:
        with open_rows(source) as rows, whole(target) as part, problem_writer(refused_file(target)) as write_problems:
            ignored = [name for name in rows.columns if name not in COLUMNS]
            if ignored:
                notice(f"Ignored columns of {source}: {name_columns(ignored)}.")
            refusals = Refusals(write_problems)
            with WRITERS[target.suffix.lower()](part) as write:
                for number, assessment in assess_rows(model, _reported(rows, report), refusals, now):
                    write(number, assessment)
                    rated += 1
            report(rows.total, rows.total)
    except OSError as error:
        raise DataError(f"Scoring {source} into {target} stopped: {error.strerror or error}.") from None
    return Scored(rated, refusals.count, refused_file(target), time.perf_counter() - began)


def _reported(rows: Rows, report: Callable[[int, int], None]) -> Iterator[Row]:
    for row in rows.rows:
        yield row
        report(rows.done(), rows.total)
