"""Folders in, folders out, in this process: what holds on every engine."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskmodel import RiskModel
from riskmodel.errors import DataError, RiskmodelError, SettingsError
from riskmodel.scoring import Scored, score
from riskmodel.scoring.blocks import Block
from riskmodel.scoring.engines import Here, Worker, open_engine
from riskmodel.scoring.folders import Rating, work_off
from riskmodel.scoring.parts import MOST_TRIES, RUN, WORK, Counted
from tests.riskmodel.scoring.made import part_names, read_lines, read_parts, rows, write_parquet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a partitioned folder of three blocks: 300 rows and 40."""
    write_parquet(tmp_path / "in" / "day=1" / "a.parquet", rows(300))
    write_parquet(tmp_path / "in" / "day=2" / "b.parquet", rows(40, start=300))
    return tmp_path / "in"


@pytest.fixture
def rate(tiny_model: Path, source: Path, tmp_path: Path) -> Callable[..., Scored]:
    """Return a function that rates the folder into ``out``."""

    def run(engine: Here | None = None, model: Path = tiny_model, now: datetime = NOW, **options: object) -> Scored:
        done: Scored = work_off(Rating(model), source, tmp_path / "out", engine or Here(1), now=now, **options)  # type: ignore[arg-type]
        return done

    return run


class StopsAfter(Here):
    """Ends like a process that is killed, after so many blocks; notes which blocks it was given."""

    def __init__(self, blocks: int) -> None:
        super().__init__(threads=1)
        self._blocks = blocks
        self.given: list[str] = []

    def run(self, make: Callable[[], Worker], blocks: Iterable[Block]) -> Iterator[Counted]:
        worker = make()
        for at, block in enumerate(blocks):
            self.given.append(block.name)
            if at == self._blocks:
                raise KeyboardInterrupt
            yield worker(block)


def test_a_folder_is_rated_as_each_of_its_files_alone_would_be(
    rate: Callable[..., Scored], source: Path, model: RiskModel, tmp_path: Path
) -> None:
    done = rate()

    for name in ("day=1/a", "day=2/b"):
        alone = tmp_path / "alone.parquet"
        score(model, source / f"{name}.parquet", alone, now=NOW, overwrite=True)
        assert read_parts(tmp_path / "out", name).equals(pq.read_table(alone))
        of_file = [line for line in read_lines(tmp_path / "out.refused.jsonl") if line.pop("file") == f"{name}.parquet"]
        assert of_file == read_lines(tmp_path / "alone.refused.jsonl")
    assert part_names(tmp_path / "out") == ["day=1/a-00000.parquet", "day=1/a-00001.parquet", "day=2/b-00000.parquet"]
    assert (done.rated, done.refused) == (292, 48)


def test_the_output_is_a_partitioned_dataset_as_others_read_it(rate: Callable[..., Scored], tmp_path: Path) -> None:
    rate()

    table = pq.read_table(tmp_path / "out")

    assert table.num_rows == 292
    assert {str(day) for day in table.column("day").to_pylist()} == {"1", "2"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [RUN, "day=1", "day=2"]


def test_one_file_gives_a_folder_and_refusals_as_the_rating_of_a_file_does(
    source: Path, tiny_model: Path, model: RiskModel, tmp_path: Path
) -> None:
    file = source / "day=1" / "a.parquet"

    work_off(Rating(tiny_model), file, tmp_path / "out", Here(1), now=NOW)

    score(model, file, tmp_path / "alone.parquet", now=NOW)
    assert read_parts(tmp_path / "out").equals(pq.read_table(tmp_path / "alone.parquet"))
    assert (tmp_path / "out.refused.jsonl").read_bytes() == (tmp_path / "alone.refused.jsonl").read_bytes()


def test_what_was_begun_goes_on_with_what_is_left_and_as_if_it_had_never_stopped(
    rate: Callable[..., Scored], tmp_path: Path
) -> None:
    rate()
    whole = read_parts(tmp_path / "out")
    refused = (tmp_path / "out.refused.jsonl").read_bytes()
    shutil.rmtree(tmp_path / "out")
    first, second, notices = StopsAfter(2), StopsAfter(99), list[str]()
    with pytest.raises(KeyboardInterrupt):
        rate(first)
    assert not list((tmp_path / "out").rglob("b-00000.parquet"))

    done = rate(second, now=NOW + timedelta(days=3), notice=notices.append)

    assert second.given == ["day=2/b-00000"]
    assert notices == ["Goes on where it stopped: 300 of 340 rows are done."]
    assert read_parts(tmp_path / "out").equals(whole)  # act_by too: the time is that of the beginning
    assert (tmp_path / "out.refused.jsonl").read_bytes() == refused
    assert (done.rated, done.refused, done.now) == (292, 48, 40)


def test_what_is_finished_is_not_done_again(rate: Callable[..., Scored], tmp_path: Path) -> None:
    rate()
    again, notices = StopsAfter(0), list[str]()

    done = rate(again, notice=notices.append)

    assert again.given == []
    assert notices == ["All of it was done before."]
    assert (done.rated, done.refused, done.now) == (292, 48, 0)


@pytest.mark.parametrize("damage", ["empty", "cut", "another"])
def test_a_part_that_is_damaged_is_done_again(damage: str, rate: Callable[..., Scored], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        rate(StopsAfter(2))
    part = tmp_path / "out" / "day=1" / "a-00000.parquet"
    good = part.read_bytes()
    other = (tmp_path / "out" / "day=1" / "a-00001.parquet").read_bytes()
    part.write_bytes({"empty": b"", "cut": good[:-20], "another": other}[damage])
    again = StopsAfter(99)

    rate(again)

    assert again.given == ["day=1/a-00000", "day=2/b-00000"]
    assert read_parts(tmp_path / "out").column("row").to_pylist()[:5] == [1, 2, 3, 4, 5]


def test_another_input_is_refused_until_it_may_begin_anew(
    rate: Callable[..., Scored], source: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        rate(StopsAfter(1))
    write_parquet(source / "day=3" / "c.parquet", rows(5))

    with pytest.raises(SettingsError, match=r"another input: day=3/c.parquet was added.*--overwrite to begin anew"):
        rate()

    assert rate(overwrite=True).rated == 297


def test_another_model_is_refused_with_what_differs(
    rate: Callable[..., Scored], own_tiny_model: Path, tmp_path: Path
) -> None:
    rate()
    manifest = own_tiny_model / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": "tiny"', '"version": "other"'))

    with pytest.raises(SettingsError, match="begun with model riskmodel tiny, this is riskmodel other"):
        rate(model=own_tiny_model)


def test_a_model_that_was_changed_rates_nothing(rate: Callable[..., Scored], own_tiny_model: Path) -> None:
    (own_tiny_model / "lexical.json").write_text("{}")

    with pytest.raises(RiskmodelError, match="sha256"):
        rate(model=own_tiny_model)


def test_a_folder_that_is_not_an_output_of_ours_is_left_alone(rate: Callable[..., Scored], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("kept")

    with pytest.raises(SettingsError, match="something else in it"):
        rate(overwrite=True)

    assert (tmp_path / "out" / "thesis.txt").read_text() == "kept"


def test_an_input_that_changes_while_it_is_read_gives_no_finished_output(
    rate: Callable[..., Scored], source: Path, tmp_path: Path
) -> None:
    def add(done: int, total: int) -> None:
        if done == total:
            write_parquet(source / "late.parquet", rows(2))

    with pytest.raises(DataError, match="was changed while it was read"):
        rate(report=add)

    assert '"finished": null' in (tmp_path / "out" / RUN).read_text()


def test_a_block_that_ends_every_worker_does_not_go_round_for_ever(rate: Callable[..., Scored], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        rate(StopsAfter(0))
    tries = tmp_path / "out" / WORK / "day=1" / "a-00000.tries"

    class Dies(Here):
        """Leaves what a worker leaves that is killed each time."""

        def run(self, make: Callable[[], Worker], blocks: Iterable[Block]) -> Iterator[Counted]:
            tries.parent.mkdir(parents=True, exist_ok=True)
            tries.write_bytes(b"." * MOST_TRIES)
            return super().run(make, blocks)

    with pytest.raises(DataError, match=r"day=1/a.parquet: rows 1 to 256 ended their worker 4 times"):
        rate(Dies(1))

    assert rate().rated == 292  # a new run tries again


def test_progress_counts_rows_up_to_all_of_them(rate: Callable[..., Scored]) -> None:
    told: list[tuple[int, int]] = []

    rate(report=lambda done, total: told.append((done, total)))

    assert told == [(0, 340), (256, 340), (300, 340), (340, 340)]


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("local", {"address": "auto"}, "--address and --workers are of --engine ray"),
        ("local", {"workers": 2}, "--address and --workers are of --engine ray"),
        ("ray", {"threads": 2}, "--threads is of --engine local"),
    ],
)
def test_options_of_the_other_engine_are_refused(name: str, options: dict[str, object], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        open_engine(name, **options)  # type: ignore[arg-type]
