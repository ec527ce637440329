"""A few threads: requests take turns, a text that fails fails alone, and a thread that dies is replaced."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riskmodel.model import Assessed
from riskmodel.records import Escalation
from riskmodel.service import loading
from riskmodel.service.errors import AssessmentError
from riskmodel.service.lanes import LONG_CHARACTERS, Job, Lanes
from riskmodel.service.loading import LoadedModel
from tests.riskmodel.service.watched import WatchedEncoder, watched

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 20


class Finished:
    """Collects what lanes make, and waits for a number of it."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Assessed | AssessmentError] = {}
        self._one = threading.Semaphore(0)

    def __call__(self, job: Job, outcome: Assessed | AssessmentError, seconds: float) -> None:
        self.outcomes[job.escalation.text] = outcome
        self._one.release()

    def wait_for(self, count: int) -> None:
        assert all(self._one.acquire(timeout=SECONDS) for _ in range(count))


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return loading.load(tiny_model, threads=1)


@pytest.fixture
def finished() -> Finished:
    return Finished()


@contextmanager
def running(count: int) -> Iterator[tuple[Lanes, list[str]]]:
    deaths: list[str] = []
    lanes = Lanes(count, on_death=lambda: deaths.append(threading.current_thread().name))
    lanes.start()
    try:
        yield lanes, deaths
    finally:
        lanes.stop()


def jobs(loaded: LoadedModel, finished: Finished, *texts: str) -> list[Job]:
    return [Job(loaded, Escalation(text=text, id="e"), NOW, "r", finished) for text in texts]


def reach(encoder: WatchedEncoder, count: int = 1) -> None:
    assert all(encoder.reached.acquire(timeout=SECONDS) for _ in range(count))


def test_requests_take_turns_so_that_a_batch_does_not_hold_up_a_single_one(
    loaded: LoadedModel, finished: Finished
) -> None:
    model, encoder = watched(loaded, gate_open=False)
    with running(1) as (lanes, _):
        lanes.put(jobs(model, finished, *(f"Batch {at}." for at in range(5))))
        reach(encoder)
        lanes.put(jobs(model, finished, "Single."))
        encoder.gate.set()
        finished.wait_for(6)

    assert encoder.read == ["Batch 0.", "Batch 1.", "Single.", "Batch 2.", "Batch 3.", "Batch 4."]


def test_all_lanes_work_at_once_and_know_that_they_are_not_alone(loaded: LoadedModel, finished: Finished) -> None:
    model, encoder = watched(loaded, gate_open=False)
    with running(2) as (lanes, _):
        lanes.put(jobs(model, finished, "One.", "Two."))
        reach(encoder, 2)
        encoder.gate.set()
        finished.wait_for(2)
        lanes.put(jobs(model, finished, "Alone."))
        finished.wait_for(1)

    assert len(encoder.threads) == 2
    assert encoder.crowded == [True, True, False]


def test_a_lane_is_kept_free_of_long_texts(loaded: LoadedModel, finished: Finished) -> None:
    model, encoder = watched(loaded, gate_open=False)
    long = "The parcel is late. " * (LONG_CHARACTERS // 10)
    with running(2) as (lanes, _):
        lanes.put(jobs(model, finished, f"A {long}"))
        lanes.put(jobs(model, finished, f"B {long}"))
        lanes.put(jobs(model, finished, "Short."))
        reach(encoder, 2)
        encoder.gate.set()
        finished.wait_for(3)

    assert encoder.read.index("Short.") < encoder.read.index(f"B {long}")
    assert all(isinstance(outcome, Assessed) for outcome in finished.outcomes.values())


def test_one_lane_alone_takes_long_texts_too(loaded: LoadedModel, finished: Finished) -> None:
    with running(1) as (lanes, _):
        lanes.put(jobs(loaded, finished, "The parcel is late. " * (LONG_CHARACTERS // 10)))
        finished.wait_for(1)


def test_what_was_abandoned_is_not_assessed(loaded: LoadedModel, finished: Finished) -> None:
    model, encoder = watched(loaded, gate_open=False)
    with running(1) as (lanes, _):
        lanes.put(jobs(model, finished, "First."))
        reach(encoder)
        dropped = jobs(model, finished, "Dropped.")
        lanes.put(dropped)
        lanes.put(jobs(model, finished, "Last."))
        dropped[0].abandoned = True
        encoder.gate.set()
        finished.wait_for(2)

    assert encoder.read == ["First.", "Last."]


def test_a_poison_text_fails_alone(loaded: LoadedModel, finished: Finished) -> None:
    model, _ = watched(loaded)
    with running(2) as (lanes, deaths):
        lanes.put(jobs(model, finished, "Good.", "Poison.", "Also good."))
        finished.wait_for(3)
        assert lanes.alive == 2

    assert isinstance(finished.outcomes["Poison."], AssessmentError)
    assert isinstance(finished.outcomes["Good."], Assessed)
    assert isinstance(finished.outcomes["Also good."], Assessed)
    assert deaths == []


def test_a_lane_that_dies_answers_its_job_with_an_error_and_is_replaced(
    loaded: LoadedModel, finished: Finished
) -> None:
    model, _ = watched(loaded)
    with running(1) as (lanes, deaths):
        lanes.put(jobs(model, finished, "Death.", "Lives."))
        finished.wait_for(2)
        assert lanes.alive == 1

    assert isinstance(finished.outcomes["Death."], AssessmentError)
    assert isinstance(finished.outcomes["Lives."], Assessed)
    assert len(deaths) == 1


def test_a_job_that_does_not_end_is_seen(loaded: LoadedModel, finished: Finished) -> None:
    model, encoder = watched(loaded, gate_open=False)
    with running(1) as (lanes, _):
        assert lanes.longest_running == 0
        lanes.put(jobs(model, finished, "Stuck."))
        reach(encoder)
        assert lanes.longest_running > 0
        encoder.gate.set()
        finished.wait_for(1)
        assert lanes.longest_running == 0


def test_stopping_finishes_what_runs_and_gives_back_what_waits(loaded: LoadedModel, finished: Finished) -> None:
    model, encoder = watched(loaded, gate_open=False)
    lanes = Lanes(1)
    lanes.start()
    lanes.put(jobs(model, finished, "Runs.", "Waits."))
    reach(encoder)
    threading.Timer(0.05, encoder.gate.set).start()

    left = lanes.stop()

    assert [job.escalation.text for job in left] == ["Waits."]
    assert isinstance(finished.outcomes["Runs."], Assessed)
    assert encoder.read == ["Runs."]
    assert lanes.alive == 0
