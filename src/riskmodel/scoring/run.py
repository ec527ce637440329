"""A model, a file of escalations and a name in; a file of assessments out, and one of the rows that were refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from riskmodel.errors import DataError, EscalationError, FieldProblem
from riskmodel.model import RiskModel
from riskmodel.records import Assessment, Escalation, read_escalation
from riskmodel.scoring.files import check_files, open_rows, refused_file
from riskmodel.scoring.rows import COLUMNS, ROW, Row, Rows, name_columns
from riskmodel.scoring.write import WRITERS, WriteProblems, problem_writer, whole

# Rows assessed at once; the states of a batch's tokens, 1.5 KB each, are in memory together.
BATCH_ROWS, BATCH_CHARACTERS = 64, 40_000

Numbered = tuple[int, Escalation]


@dataclass(frozen=True)
class Scored:
    """How many rows were rated and refused, and in what time."""

    rated: int
    refused: int
    refused_file: Path
    seconds: float

    def __str__(self) -> str:
        """Return all of it as one line."""
        where = f" ({self.refused_file})" if self.refused else ""
        pace = (self.rated + self.refused) / max(self.seconds, 1e-9)
        return f"Rated {self.rated:,}, refused {self.refused:,}{where}, {pace:,.0f} rows/s."


@dataclass
class _Refusals:
    """Writes down the rows refused, and counts them."""

    write: WriteProblems
    count: int = field(default=0)

    def add(self, number: int, problems: list[FieldProblem]) -> None:
        self.write(number, problems)
        self.count += 1


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
            refusals = _Refusals(write_problems)
            with WRITERS[target.suffix.lower()](part) as write:
                for number, assessment in _assessed(model, _valid(rows, refusals, report), refusals, now):
                    write(number, assessment)
                    rated += 1
            report(rows.total, rows.total)
    except OSError as error:
        raise DataError(f"Scoring {source} into {target} stopped: {error.strerror or error}.") from None
    return Scored(rated, refusals.count, refused_file(target), time.perf_counter() - began)


def _valid(rows: Rows, refusals: _Refusals, report: Callable[[int, int], None]) -> Iterator[Numbered]:
    """Yield the rows that are escalations; refuse the others."""
    for row in rows.rows:
        outcome = _read(row)
        if isinstance(outcome, Escalation):
            yield row.number, outcome
        else:
            refusals.add(row.number, outcome)
        report(rows.done(), rows.total)


def _read(row: Row) -> Escalation | list[FieldProblem]:
    if row.problem is not None:
        return [row.problem]
    try:
        return read_escalation({"id": f"{ROW}-{row.number}", **row.fields})
    except EscalationError as error:
        return error.problems


def _assessed(
    model: RiskModel, escalations: Iterator[Numbered], refusals: _Refusals, now: datetime
) -> Iterator[tuple[int, Assessment]]:
    """Yield the assessments in order; refuse what the model fails on."""
    for batch in _batches(escalations):
        for number, outcome in _assess(model, batch, now):
            if isinstance(outcome, Assessment):
                yield number, outcome
            else:
                refusals.add(number, [outcome])


def _batches(escalations: Iterator[Numbered]) -> Iterator[list[Numbered]]:
    batch: list[Numbered] = []
    characters = 0
    for number, escalation in escalations:
        characters += len(escalation.text)
        if batch and (characters > BATCH_CHARACTERS or len(batch) == BATCH_ROWS):
            yield batch
            batch, characters = [], len(escalation.text)
        batch.append((number, escalation))
    if batch:
        yield batch


def _assess(model: RiskModel, batch: list[Numbered], now: datetime) -> Iterator[tuple[int, Assessment | FieldProblem]]:
    """Yield an outcome for each: all at once; if that fails, one by one, so that the one at fault fails alone."""
    try:
        outcomes = model.assess([escalation for _, escalation in batch], now)
    except Exception as error:  # noqa: BLE001 (the border of a row: one in a million must not end the run)
        if len(batch) > 1:
            for one in batch:
                yield from _assess(model, [one], now)
        else:
            yield (
                batch[0][0],
                FieldProblem(ROW, f"a fault ({type(error).__name__})", "an escalation the model can rate"),
            )
        return
    yield from zip((number for number, _ in batch), outcomes, strict=True)
