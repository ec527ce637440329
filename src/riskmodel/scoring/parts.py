"""The folder of an output: what it is made of, its finished parts, and what is left to do.

<folder>/<file>-00000.parquet   a finished block; appears under its name only when it is complete
         _riskmodel.json        input, model and time of the run; readers of such folders pass over what begins with _
         _work/                 what is being written, and the rows refused so far; gone once all is finished
"""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from riskmodel.errors import DataError, SettingsError
from riskmodel.records import Record
from riskmodel.scoring.blocks import SUFFIX, Block, InputFile
from riskmodel.scoring.files import refused_file
from riskmodel.scoring.write import WriteProblems, whole, write_problems

RUN, WORK = "_riskmodel.json", "_work"
MOST_TRIES = 4  # of a block in one run: one that ends every worker must not go round for ever
ANEW = "Choose another name, or add --overwrite to begin anew."


class Counted(Record):
    """How many rows were done and refused."""

    done: int
    refused: int


class Run(Record):
    """What an output is made of: written before any work, so that another run goes on only with the same."""

    made_by: dict[str, str]
    now: datetime
    block_rows: int
    input: list[InputFile]
    finished: Counted | None = None


def begin(target: Path, wanted: Run, overwrite: bool) -> Run:
    """Make the folder of an output, or find what was begun in it; return the run that it now holds.

    Raises:
        SettingsError: if the folder holds another run, or something else, or cannot be made.
    """
    if not target.parent.is_dir():
        raise SettingsError(f"The folder {target.parent} for the output does not exist.")
    if target.exists() and not target.is_dir():
        raise SettingsError(f"{target} is a file, expected the name of a folder for the output.")
    if (target / RUN).is_file():
        if not overwrite:
            found = read_run(target)
            _check_same(target, found, wanted)
            return found
        shutil.rmtree(target)
    elif target.is_dir() and any(target.iterdir()):
        raise SettingsError(f"{target} is a folder with something else in it. Choose another name.")
    (target / WORK).mkdir(parents=True, exist_ok=True)
    write_run(target, wanted)
    return wanted


def read_run(target: Path) -> Run:
    """Read which run a folder holds.

    Raises:
        DataError: if its record cannot be read.
    """
    try:
        return Run.model_validate_json((target / RUN).read_bytes())
    except (OSError, ValidationError):
        raise DataError(f"{target / RUN} cannot be read. {ANEW}") from None


def write_run(target: Path, run: Run) -> None:
    """Write which run a folder holds."""
    with whole(target / RUN) as part:
        part.write_text(run.model_dump_json(indent=1) + "\n", encoding="utf-8")


@contextmanager
def part_of(target: Path, block: Block) -> Iterator[tuple[Path, WriteProblems]]:
    """Yield a path for the rows of a block and a function for those refused; both take their names at the end.

    Whoever does a block again, also while another still works on it, writes the same under the same name.

    Raises:
        DataError: if it was begun too often without coming to an end.
    """
    tries = _begin(target, block)
    mine = target / WORK / uuid.uuid4().hex
    rows, refused = mine.with_suffix(SUFFIX), mine.with_suffix(".jsonl")
    try:
        with refused.open("w", encoding="utf-8", newline="\n") as file:
            yield rows, partial(write_problems, file)
        if refused.stat().st_size:
            _move(refused, _refused_of(target, block))
        _move(rows, target / f"{block.name}{SUFFIX}")  # last: that it is there says that the block is finished
        tries.unlink(missing_ok=True)
    finally:
        rows.unlink(missing_ok=True)
        refused.unlink(missing_ok=True)


def forget_tries(target: Path) -> None:
    """Let every block that is not finished be tried as often as may be."""
    for path in (target / WORK).rglob("*.tries"):
        path.unlink(missing_ok=True)


def finished(target: Path, block: Block) -> Counted | None:
    """Return what came of a block, None if it is not finished: each of its rows must be done or refused."""
    try:
        done = pq.read_metadata(target / f"{block.name}{SUFFIX}").num_rows
    except (OSError, pa.ArrowException):
        return None
    refused = len({line["row"] for line in _refusals(target, block)})
    return Counted(done=done, refused=refused) if done + refused == block.rows else None


def finish(target: Path, run: Run, blocks: Sequence[Block], with_file: bool) -> Run:
    """Put the refused rows of all blocks beside the folder, note that all is finished, and clear up.

    Raises:
        DataError: naming a block that is not finished.
    """
    count = Counted(done=0, refused=0)
    for block in blocks:
        found = finished(target, block)
        if found is None:
            raise DataError(f"{target / block.name}{SUFFIX} is not whole. Run the same command again.")
        count = Counted(done=count.done + found.done, refused=count.refused + found.refused)
    beside = refused_file(target)
    with whole(beside) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        _gather(target, blocks, file, with_file)
    if not count.refused:
        beside.unlink()
    ended = run.model_copy(update={"finished": count})
    write_run(target, ended)
    shutil.rmtree(target / WORK, ignore_errors=True)
    return ended


def _gather(target: Path, blocks: Iterable[Block], file: IO[str], with_file: bool) -> None:
    for block in blocks:
        for line in _refusals(target, block):
            named = {"file": block.file, **line} if with_file else line
            file.write(json.dumps(named, ensure_ascii=False) + "\n")


def _refused_of(target: Path, block: Block) -> Path:
    return target / WORK / f"{block.name}.refused.jsonl"


def _refusals(target: Path, block: Block) -> list[dict[str, object]]:
    path = _refused_of(target, block)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _begin(target: Path, block: Block) -> Path:
    """Count a try on disk, where the death of a worker leaves it."""
    tries = target / WORK / f"{block.name}.tries"
    tries.parent.mkdir(parents=True, exist_ok=True)
    with tries.open("ab") as file:
        file.write(b".")
        count = file.tell()
    if count > MOST_TRIES:
        raise DataError(
            f"{block.file}: rows {block.before + 1:,} to {block.before + block.rows:,} ended their worker "
            f"{MOST_TRIES} times. What is finished stays; the same command tries again."
        )
    return tries


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    path.replace(to)


def _check_same(target: Path, found: Run, wanted: Run) -> None:
    for name in wanted.made_by | found.made_by:
        was, now = found.made_by.get(name, "none"), wanted.made_by.get(name, "none")
        if was != now:
            raise SettingsError(f"{target} was begun with {name} {was}, this is {now}. {ANEW}")
    if found.input != wanted.input:
        before, after = ({file.name: file for file in run.input} for run in (found, wanted))
        names = sorted(name for name in before | after if before.get(name) != after.get(name))
        raise SettingsError(
            f"{target} was begun with another input: {names[0]} was added, taken away or changed. {ANEW}"
        )
