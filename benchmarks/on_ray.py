"""A lake of escalations on a Ray cluster of two nodes: one worker beside two, equal rows, workers and driver killed."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.texts import read_texts
from riskmodel.scoring.parts import RUN
from training.progress import say

NODES = 2
NODE_BYTES = 256 * 2**20
RECEIVED = "2026-01-31T18:00:00Z"  # or deadlines would follow the time of the run
WORKER = "MapWorker"  # how Ray calls the processes of its pool
POLL_SECONDS = 0.05
START_SECONDS = 120
TRIES = 3


@dataclass(frozen=True)
class Lake:
    """Folders of Parquet files, and where outputs go."""

    work: Path
    model: Path

    @property
    def source(self) -> Path:
        """Return the folder with all rows, in two files."""
        return self.work / "in"

    def command(self, source: Path, target: Path, *options: str) -> list[str]:
        """Return the command line of a user."""
        shutil.rmtree(target, ignore_errors=True)
        return [*self._score(source, target), *options]

    def again(self, source: Path, target: Path, *options: str) -> list[str]:
        """Return the same command line, which goes on with what is there."""
        return [*self._score(source, target), *options]

    def _score(self, source: Path, target: Path) -> list[str]:
        return [sys.executable, "-m", "riskmodel", "score", str(source), str(target), "--model", str(self.model)]


def measure_on_ray(model: Path, rows: int, rounds: int, keep: Callable[[dict[str, Any]], None]) -> None:
    """Measure everything and hand it to ``keep`` after each part.

    Args:
        model: a version's folder.
        rows: of the lake.
        rounds: of one worker beside two; ratios are of one round, and the median is reported.
        keep: takes what was measured so far.
    """
    with tempfile.TemporaryDirectory() as name, cluster() as address:
        lake = Lake(Path(name), model)
        _fill(lake.source, rows)
        _fill(lake.work / "one row", 1)
        found: dict[str, Any] = {"rows": rows, "nodes": NODES, "cores_of_a_node": 1}
        found["throughput"] = _throughput(lake, address, rows, rounds)
        keep(found)
        say("the same on one machine")
        _done(lake.command(lake.source, lake.work / "here"))
        found["identical_to_local"] = _same(lake.work / "here", lake.work / "out 2")
        keep(found)
        found["worker_killed"] = _kill(lake, address, rows, _workers)
        keep(found)
        found["driver_killed"] = _kill(lake, address, rows, lambda driver: [driver])
        keep(found)


@contextlib.contextmanager
def cluster(node_bytes: int = NODE_BYTES) -> Iterator[str]:
    """Run two nodes, each with processes of its own and one core; yield their address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster  # noqa: PLC0415  only this command needs Ray

    node = {"num_cpus": 1, "object_store_memory": node_bytes}
    made = Cluster()
    try:
        for at in range(NODES):
            _add_node(lambda at=at: made.add_node(**node, **({} if at else {"include_dashboard": False})))  # type: ignore[misc]
        yield str(made.address)
    finally:
        made.shutdown()


def _add_node(add: Callable[[], object]) -> None:
    """Add a node; one that waits in vain for its own agent, which busy cores bring about, is tried again."""
    for left in reversed(range(TRIES)):
        try:
            add()
            return
        except Exception:  # Ray raises nothing narrower
            if not left:
                raise


def _fill(folder: Path, rows: int) -> None:
    """Write rows into two partitions; a text in fifty is blank, so that it is refused."""
    texts = islice(cycle(read_texts()), rows)
    made = [
        {"id": f"case-{at}", "text": " " if at % 50 == 49 else text, "received_at": RECEIVED}
        for at, text in enumerate(texts)
    ]
    for day, part in enumerate((made[: len(made) // 2], made[len(made) // 2 :])):
        if part:
            (folder / f"day={day}").mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(part), folder / f"day={day}" / "part.parquet", row_group_size=500)


def _throughput(lake: Lake, address: str, rows: int, rounds: int) -> dict[str, Any]:
    """Time one worker and two in turn; also what starting costs, and two plain processes beside one after the other."""
    seconds: dict[str, list[float]] = {name: [] for name in ("start", "one", "two", "plain_in_turn", "plain_at_once")}
    for at in range(rounds):
        say(f"round {at + 1} of {rounds}")
        for name, source, workers in (("start", "one row", 1), ("one", "in", 1), ("two", "in", 2)):
            options = ("--engine", "ray", "--address", address, "--workers", str(workers))
            command = lake.command(lake.work / source, lake.work / f"out {workers}", *options)
            seconds[name].append(_timed(lambda command=command: _done(command)))  # type: ignore[misc]
        for name, at_once in (("plain_in_turn", False), ("plain_at_once", True)):
            halves = [
                lake.command(lake.source / f"day={day}", lake.work / f"half {day}", "--threads", "1") for day in (0, 1)
            ]
            run = _all_at_once if at_once else _one_by_one
            seconds[name].append(_timed(lambda run=run, halves=halves: run(halves)))  # type: ignore[misc]
        say(", ".join(f"{name} {taken[-1]:.1f} s" for name, taken in seconds.items()))
    start = statistics.median(seconds["start"])
    whole = [one / two for one, two in zip(seconds["one"], seconds["two"], strict=True)]
    working = [(one - start) / (two - start) for one, two in zip(seconds["one"], seconds["two"], strict=True)]
    plain = [turn / once for turn, once in zip(seconds["plain_in_turn"], seconds["plain_at_once"], strict=True)]
    return {
        "seconds": {name: [round(one, 2) for one in taken] for name, taken in seconds.items()},
        "rows_per_second": {
            name: round(rows / (statistics.median(seconds[name]) - start), 1) for name in ("one", "two")
        },
        "two_over_one": {
            "whole_command": round(statistics.median(whole), 3),
            "without_what_one_row_takes": round(statistics.median(working), 3),
            "of_plain_processes": round(statistics.median(plain), 3),
        },
        "load_average_at_the_end": [round(load, 2) for load in os.getloadavg()],
    }


def _kill(
    lake: Lake, address: str, rows: int, victims: Callable[[psutil.Process], list[psutil.Process]]
) -> dict[str, Any]:
    """Kill processes once half of the parts are there; run the same command again if the driver was among them."""
    target, options = lake.work / "killed", ("--engine", "ray", "--address", address)
    began = time.perf_counter()
    driver = psutil.Popen(lake.command(lake.source, target, *options), stdout=subprocess.DEVNULL)
    half = len(_parts(lake.work / "out 2")) // 2
    while len(_parts(target)) < half:
        if driver.poll() is not None or time.perf_counter() - began > START_SECONDS + rows:
            raise RuntimeError("The run ended before half of it was done: give it more rows.")
        time.sleep(POLL_SECONDS)
    before = {path: path.stat().st_mtime_ns for path in _parts(target)}
    killed = victims(driver)
    resident = max((process.memory_info().rss for process in killed), default=0)
    for process in killed:
        process.kill()
    driver.wait()
    again = driver.returncode != 0
    if again:
        _done(lake.again(lake.source, target, *options))
    kept = sum(path.stat().st_mtime_ns == changed for path, changed in before.items())
    return {
        "processes_killed": len(killed),
        "resident_mb_the_most": round(resident / 2**20),
        "parts_finished_then": len(before),
        "of_these_done_again": len(before) - kept,
        "command_run_again": again,
        "parts": len(_parts(target)),
        "rows_once": _rows_once(target, rows),
        "identical_to_local": _same(lake.work / "here", target),
    }


def _workers(driver: psutil.Process) -> list[psutil.Process]:
    """Return the processes that work on this benchmark's cluster."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if WORKER in " ".join(process.cmdline())]


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("day=*/*.parquet")) if folder.is_dir() else []


def _table(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path, partitioning=None) for path in _parts(folder)])


def _refused(folder: Path) -> list[str]:
    return folder.with_name(f"{folder.stem}.refused.jsonl").read_text(encoding="utf-8").splitlines()


def _same(here: Path, there: Path) -> bool:
    """Return whether two outputs hold the same rows, value for value, and the same refusals."""
    return bool(_table(here).equals(_table(there))) and _refused(here) == _refused(there)


def _rows_once(folder: Path, rows: int) -> bool:
    ids = _table(folder).column("id").to_pylist()
    return len(ids) == len(set(ids)) and len(ids) + len(_refused(folder)) == rows and (folder / RUN).is_file()


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _done(command: list[str]) -> None:
    _one_by_one([command])


def _one_by_one(commands: list[list[str]]) -> None:
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _all_at_once(commands: list[list[str]]) -> None:
    running = [subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in commands]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError("A plain process failed.")
