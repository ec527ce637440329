"""A model and rows in, numbered assessments out, in order; rows that cannot be rated are refused on the way."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.model import RiskModel
from riskmodel.records import Assessment, Escalation, read_escalation
from riskmodel.scoring.rows import ROW, Row
from riskmodel.scoring.write import WriteProblems

# Rows assessed at once; the states of a batch's tokens, 1.5 KB each, are in memory together.
BATCH_ROWS, BATCH_CHARACTERS = 64, 40_000

Numbered = tuple[int, Escalation]


class Refusals:
    """Writes down the rows refused, and counts them."""

    def __init__(self, write: WriteProblems) -> None:
        self._write = write
        self.count = 0

    def add(self, number: int, problems: Sequence[FieldProblem]) -> None:
        """Write down what is wrong with a row."""
        self._write(number, problems)
        self.count += 1


def assess_rows(
    model: RiskModel, rows: Iterator[Row], refusals: Refusals, now: datetime
) -> Iterator[tuple[int, Assessment]]:
    """Yield the assessments of rows with the rows' numbers, in order.

    Args:
        model: rates the rows, in batches.
        rows: are read as they are needed.
        refusals: take the rows that are no escalations, and those that the model fails on.
        now: when rows without ``received_at`` arrived.
    """
    for batch in _batches(_valid(rows, refusals)):
        for number, outcome in _assess(model, batch, now):
            if isinstance(outcome, Assessment):
                yield number, outcome
            else:
                refusals.add(number, [outcome])


def _valid(rows: Iterator[Row], refusals: Refusals) -> Iterator[Numbered]:
    """Yield the rows that are escalations; refuse the others."""
    for row in rows:
        outcome = _read(row)
        if isinstance(outcome, Escalation):
            yield row.number, outcome
        else:
            refusals.add(row.number, outcome)


def _read(row: Row) -> Escalation | list[FieldProblem]:
    if row.problem is not None:
        return [row.problem]
    try:
        return read_escalation({"id": f"{ROW}-{row.number}", **row.fields})
    except EscalationError as error:
        return error.problems


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
