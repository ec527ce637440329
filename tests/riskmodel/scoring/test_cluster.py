"""The same work on a real Ray cluster of two nodes with a core each, and what is left when parts of it are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from benchmarks.on_ray import cluster as two_nodes
from riskmodel.errors import ArtifactError, DataError, SettingsError
from riskmodel.scoring import Scored
from riskmodel.scoring.engines import Here, open_engine
from riskmodel.scoring.folders import Rating, work_off
from tests.riskmodel.scoring.made import part_names, read_lines, read_parts, rows, write_parquet

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray warns of itself

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 1_500  # six blocks
NODE_BYTES = 100 * 2**20
WAIT_SECONDS = 90


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Return the address of a head and a second node, each with processes of its own."""
    with two_nodes(NODE_BYTES) as address:
        yield address


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    write_parquet(folder / "day=1" / "a.parquet", rows(ROWS - 100), group=400)
    write_parquet(folder / "day=2" / "b.parquet", rows(100, start=ROWS))
    return folder


@pytest.fixture(scope="module")
def here(source: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what this process made of the folder."""
    target = tmp_path_factory.mktemp("here") / "out"
    work_off(Rating(tiny_model), source, target, Here(), now=NOW)
    return target


@pytest.fixture
def rate(cluster: str, source: Path, tiny_model: Path, tmp_path: Path) -> Callable[..., Scored]:
    """Return a function that rates the folder into ``out`` on the cluster."""

    def run(model: Path = tiny_model, **options: object) -> Scored:
        with open_engine("ray", address=cluster) as engine:
            return work_off(Rating(model), source, tmp_path / "out", engine, now=NOW, **options)  # type: ignore[arg-type]

    return run


def assert_same(found: Path, expected: Path) -> None:
    """Compare two outputs: every value of every row, parts and refusals."""
    assert part_names(found) == part_names(expected)
    assert read_parts(found).equals(read_parts(expected))
    refused = [path.with_name(f"{path.name}.refused.jsonl") for path in (found, expected)]
    assert refused[0].read_bytes() == refused[1].read_bytes()


def actors() -> list[psutil.Process]:
    """Return the processes of this test's cluster that work."""
    return [found for found in psutil.Process().children(recursive=True) if "MapWorker" in _title(found)]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def test_two_nodes_give_what_this_process_gives_bit_for_bit(
    rate: Callable[..., Scored], here: Path, tmp_path: Path
) -> None:
    pids: set[int] = set()
    told: list[int] = []

    def watch(done: int, total: int) -> None:
        told.append(done)
        pids.update(process.pid for process in actors())

    done = rate(report=watch)

    assert_same(tmp_path / "out", here)
    assert done.rated + done.refused == ROWS
    assert told == sorted(told)
    assert len(pids) == 2


def test_a_worker_that_is_killed_costs_no_row_and_doubles_none(
    rate: Callable[..., Scored], here: Path, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if done and not killed:
            for process in actors():
                killed.append(process.pid)
                process.kill()

    rate(report=kill)

    assert killed
    assert_same(tmp_path / "out", here)
    numbers = read_parts(tmp_path / "out", "day=1").column("row").to_pylist()
    numbers += {line["row"] for line in read_lines(tmp_path / "out.refused.jsonl") if line["file"].startswith("day=1")}
    assert sorted(numbers) == list(range(1, ROWS - 99))


def test_a_driver_that_is_killed_goes_on_where_it_stopped(
    cluster: str, rate: Callable[..., Scored], source: Path, here: Path, tiny_model: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "riskmodel", "score", source, tmp_path / "out", "--engine", "ray"]
    options = ["--address", cluster, "--model", tiny_model]
    with (tmp_path / "log").open("w") as log:
        driver = subprocess.Popen([*map(str, command), *map(str, options)], stdout=log, stderr=log)
    ends = time.monotonic() + WAIT_SECONDS
    while not (tmp_path / "out").is_dir() or not part_names(tmp_path / "out"):
        assert driver.poll() is None and time.monotonic() < ends, (tmp_path / "log").read_text()
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.wait(10)
    before = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in part_names(tmp_path / "out")}
    assert 0 < len(before) < len(part_names(here))
    notices: list[str] = []

    done = rate(notice=notices.append)

    assert notices[0].startswith("Goes on where it stopped")
    assert done.now is not None and done.now < ROWS
    found = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in part_names(tmp_path / "out")}
    assert before.items() <= found.items()  # none of it was done again
    columns = [name for name in read_parts(here).column_names if name != "act_by"]  # it began at another time
    assert read_parts(tmp_path / "out").select(columns).equals(read_parts(here).select(columns))


def test_what_is_wrong_on_a_worker_is_said_here_in_one_sentence(
    rate: Callable[..., Scored], own_tiny_model: Path, source: Path, tmp_path: Path
) -> None:
    (own_tiny_model / "lexical.json").write_text("{}")

    with pytest.raises((DataError, ArtifactError), match=r"lexical.json was changed: its sha256 is"):
        rate(model=own_tiny_model)


def test_a_corpus_is_embedded_there_as_here(cluster: str, source: Path, tiny_model: Path, tmp_path: Path) -> None:
    from riskmodel.artifact import ENCODER
    from tests.tiny import SPEC
    from training.embedding import Embedding

    task = Embedding(tiny_model / ENCODER, SPEC)
    with open_engine("ray", address=cluster) as engine:
        work_off(task, source, tmp_path / "there", engine, now=NOW)

    work_off(task, source, tmp_path / "here", Here(), now=NOW)
    assert_same(tmp_path / "there", tmp_path / "here")


def test_an_address_where_nothing_answers_is_said_within_seconds() -> None:
    began = time.monotonic()

    with (
        pytest.raises(SettingsError, match=r"No Ray cluster answers at 127.0.0.1:1 \("),
        open_engine("ray", address="127.0.0.1:1"),
    ):
        pass

    assert time.monotonic() - began < 20


@pytest.mark.parametrize("address", ["somewhere:port", "ray://somewhere:"])
def test_an_address_of_another_form_is_said(address: str) -> None:
    with pytest.raises(SettingsError, match="expected HOST:PORT"), open_engine("ray", address=address):
        pass


def test_without_ray_it_is_said_what_to_install(source: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('no ray')")
    command = [sys.executable, "-m", "riskmodel", "score", source, tmp_path / "out", "--engine", "ray"]
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    done = subprocess.run(
        [*map(str, command), "--model", str(tiny_model)],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr == "Error: --engine ray needs Ray: pip install 'riskmodel[ray]'.\n"
