"""A version and a block of rows in, the block's part of the output out: what a worker does that rates."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from riskmodel.artifact import load_model
from riskmodel.errors import DataError
from riskmodel.model import RiskModel
from riskmodel.policy import load_policy
from riskmodel.scoring.assessing import Refusals, assess_rows
from riskmodel.scoring.blocks import Block, path_of
from riskmodel.scoring.packing import Packed, unpacked
from riskmodel.scoring.parquet_rows import open_parquet
from riskmodel.scoring.parts import Counted, part_of
from riskmodel.scoring.write import parquet_writer


@dataclass(frozen=True)
class Job:
    """Where a worker reads and writes, when rows without ``received_at`` arrived, and on how many cores it works."""

    source: Path
    target: Path
    now: datetime
    threads: int


class Rater:
    """Rates blocks with one loaded model."""

    def __init__(self, model: RiskModel, job: Job) -> None:
        self._model = model
        self._job = job

    def __call__(self, block: Block) -> Counted:
        """Rate a block.

        Raises:
            DataError: if it cannot be read, or its part not be written.
        """
        job, done = self._job, 0
        try:
            with (
                open_parquet(path_of(job.source, block.file), block.before, block.rows) as rows,
                part_of(job.target, block) as (path, write_problems),
                parquet_writer(path) as write,
            ):
                refusals = Refusals(write_problems)
                for number, assessment in assess_rows(self._model, rows.rows, refusals, job.now):
                    write(number, assessment)
                    done += 1
        except OSError as error:
            raise DataError(f"{block.name} cannot be written: {error.strerror or error}.") from None
        return Counted(done=done, refused=refusals.count)


def make_rater(packed: Packed, job: Job) -> Rater:
    """Load a version, verified, and return a worker that rates with it."""
    with unpacked(packed) as folder:
        return Rater(load_model(folder, load_policy(), job.threads, across_texts=True), job)
