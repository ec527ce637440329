"""A folder of Parquet files in, a folder of parts out, on any engine; what was begun goes on where it stopped."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from riskmodel.errors import DataError
from riskmodel.policy import load_policy
from riskmodel.scoring.blocks import Block, cut, look_at, rows_of_block
from riskmodel.scoring.engines import Engine, Worker
from riskmodel.scoring.files import refused_file
from riskmodel.scoring.packing import pack
from riskmodel.scoring.parts import Run, begin, finish, finished, forget_tries
from riskmodel.scoring.rating import Job, make_rater
from riskmodel.scoring.run import Scored


class Task(Protocol):
    """What is done with every block."""

    @property
    def made_by(self) -> dict[str, str]:
        """Return what the output depends on beside the input, each by its name."""

    def worker(self, job: Job) -> Callable[[], Worker]:
        """Return what makes a worker."""


class Rating:
    """Rating by a version, whose folder is read once.

    Raises:
        ArtifactError: if it has no readable manifest.
    """

    def __init__(self, folder: Path) -> None:
        manifest, self._packed = pack(folder)
        self.made_by = {
            "task": "score",
            "model": f"{manifest.name} {manifest.version}",
            "seal": manifest.seal,
            "policy": load_policy().version,
        }

    def worker(self, job: Job) -> Callable[[], Worker]:
        """Return what loads the version and rates by it."""
        return partial(make_rater, self._packed, job)


def work_off(
    task: Task,
    source: Path,
    target: Path,
    engine: Engine,
    *,
    now: datetime,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda done, total: None,
    notice: Callable[[str], None] = lambda line: None,
) -> Scored:
    """Do a task with every row of a Parquet file or a folder of them; blocks that are finished are not done again.

    Args:
        task: what is done.
        source: a file, or a folder with others in it; all workers must reach it under this path.
        target: the folder of the output, which all workers must reach too.
        engine: where it is done.
        now: when rows without ``received_at`` arrived; a run that goes on keeps the time of its beginning.
        overwrite: whether to begin anew what was begun before.
        report: is told how many rows are done, and how many there are.
        notice: is told what goes on from before.

    Raises:
        DataError: if the input cannot be read, or changes while it is, or the output cannot be written.
        SettingsError: if the output holds another run or something else.
    """
    source, target = source.resolve(), target.resolve()
    started, files = time.perf_counter(), look_at(source)
    wanted = Run(made_by=task.made_by, now=now, block_rows=rows_of_block(files, engine.workers), input=files)
    run, done_now = begin(target, wanted, overwrite), 0
    if run.finished is not None:
        notice("All of it was done before.")
    else:
        blocks = list(cut(files, run.block_rows))
        done_now = _do_what_is_left(task, source, target, engine, run, blocks, report, notice)
        if look_at(source) != files:
            raise DataError(f"{source} was changed while it was read: begin anew with --overwrite.")
        run = finish(target, run, blocks, with_file=source.is_dir())
    count = run.finished
    assert count is not None
    return Scored(count.done, count.refused, refused_file(target), time.perf_counter() - started, done_now)


def _do_what_is_left(
    task: Task,
    source: Path,
    target: Path,
    engine: Engine,
    run: Run,
    blocks: Sequence[Block],
    report: Callable[[int, int], None],
    notice: Callable[[str], None],
) -> int:
    """Do the blocks that are not finished; return how many rows they have."""
    left = [block for block in blocks if finished(target, block) is None]
    total, to_do = (sum(block.rows for block in some) for some in (blocks, left))
    done = total - to_do
    if done:
        notice(f"Goes on where it stopped: {done:,} of {total:,} rows are done.")
    report(done, total)
    forget_tries(target)
    job = Job(source, target, run.now, engine.threads)
    for counted in engine.run(task.worker(job), left) if left else ():
        done += counted.done + counted.refused
        report(done, total)
    return to_do
