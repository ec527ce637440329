"""One thread, one model: a failing item fails alone, what was cancelled is not computed, and an end is an end."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riskmodel.errors import ArtifactError
from riskmodel.records import Assessment, Escalation
from riskmodel.service import loading
from riskmodel.service.errors import AssessmentError, NotReadyError
from riskmodel.service.loading import LoadedModel
from riskmodel.service.settings import Settings
from riskmodel.service.worker import PART_CHARACTERS, PART_ESCALATIONS, Worker, parts
from riskmodel.stages.encoding import Encoder, Encoding

# Past the door no such time exists: there is no deadline after it.
FAILING = Escalation.model_construct(text="The parcel is late.", received_at=datetime.max.replace(tzinfo=UTC))


def escalation(text: str, name: str | None = None) -> Escalation:
    return Escalation(text=text, id=name)


class WatchedEncoder:
    """The real encoder; tells which thread read which texts, and waits at a gate first."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.read, self.threads = encoder, list[str](), set[str]()
        self.reached, self.gate = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        self.reached.set()
        assert self.gate.wait(10)
        self.read += texts
        self.threads.add(threading.current_thread().name)
        return self.encoder.encode(texts)


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return loading.load(Settings(model=tiny_model, threads=1))


@asynccontextmanager
async def running(load: Callable[[], LoadedModel]) -> AsyncIterator[Worker]:
    worker = Worker(load, on_failure=lambda: None)
    worker.start()
    while worker.state == "loading":
        await asyncio.sleep(0.005)
    yield worker
    await worker.stop()


def watched(loaded: LoadedModel) -> tuple[LoadedModel, WatchedEncoder]:
    encoder = WatchedEncoder(loaded.model.encoder)
    model = dataclasses.replace(loaded.model, encoder=encoder)  # type: ignore[arg-type]
    return LoadedModel(model, loaded.description), encoder


def test_assessments_come_in_order(loaded: LoadedModel) -> None:
    async def act() -> list[object]:
        async with running(lambda: loaded) as worker:
            return [outcome.id for outcome in await worker.assess(batch) if isinstance(outcome, Assessment)]

    batch = [escalation("A parcel is late. " * (at % 7 + 1), f"e{at}") for at in range(100)]

    assert asyncio.run(act()) == [f"e{at}" for at in range(100)]


def test_an_item_that_fails_fails_alone(loaded: LoadedModel) -> None:
    async def act() -> list[Assessment | AssessmentError]:
        async with running(lambda: loaded) as worker:
            outcomes = await worker.assess([escalation("First.", "a"), FAILING, escalation("Last.", "b")])
            assert worker.state == "ready"
            return outcomes

    first, failed, last = asyncio.run(act())

    assert isinstance(first, Assessment)
    assert isinstance(failed, AssessmentError)
    assert isinstance(last, Assessment)
    assert (first.id, last.id) == ("a", "b")


def test_one_that_fails_by_itself_raises(loaded: LoadedModel) -> None:
    async def act() -> None:
        async with running(lambda: loaded) as worker:
            await worker.assess_one(FAILING)

    with pytest.raises(AssessmentError):
        asyncio.run(act())


def test_one_thread_owns_the_model_and_the_loop_stays_free(loaded: LoadedModel) -> None:
    async def act() -> None:
        async with running(lambda: with_gate) as worker:
            pending = [asyncio.create_task(worker.assess_one(escalation(f"Parcel {at}."))) for at in range(4)]
            await asyncio.to_thread(encoder.reached.wait)
            await asyncio.sleep(0.02)  # the loop turns while the thread is held
            assert not any(task.done() for task in pending)
            encoder.gate.set()
            await asyncio.gather(*pending)

    with_gate, encoder = watched(loaded)
    asyncio.run(act())

    assert len(encoder.threads) == 1
    assert threading.current_thread().name not in encoder.threads


def test_what_is_cancelled_while_it_waits_is_not_computed(loaded: LoadedModel) -> None:
    async def act() -> None:
        async with running(lambda: with_gate) as worker:
            first = asyncio.create_task(worker.assess_one(escalation("First.")))
            await asyncio.to_thread(encoder.reached.wait)
            dropped = asyncio.create_task(worker.assess_one(escalation("Dropped.")))
            last = asyncio.create_task(worker.assess_one(escalation("Last.")))
            await asyncio.sleep(0.02)
            dropped.cancel()
            await asyncio.sleep(0)
            encoder.gate.set()
            await asyncio.gather(first, last)

    with_gate, encoder = watched(loaded)
    asyncio.run(act())

    assert encoder.read == ["First.", "Last."]


def test_a_long_batch_lets_others_in_between(loaded: LoadedModel) -> None:
    async def act() -> None:
        async with running(lambda: with_gate) as worker:
            long = asyncio.create_task(worker.assess([escalation("Batch.")] * PART_ESCALATIONS * 3))
            await asyncio.to_thread(encoder.reached.wait)
            single = asyncio.create_task(worker.assess_one(escalation("Single.")))
            await asyncio.sleep(0.02)
            encoder.gate.set()
            await asyncio.gather(long, single)

    with_gate, encoder = watched(loaded)
    asyncio.run(act())

    assert encoder.read.index("Single.") == PART_ESCALATIONS


def test_after_the_end_what_waits_and_what_comes_is_refused(loaded: LoadedModel) -> None:
    async def act() -> list[BaseException | Assessment]:
        async with running(lambda: with_gate) as worker:
            tasks = [asyncio.create_task(worker.assess_one(escalation(name))) for name in ("Runs.", "Waits.")]
            await asyncio.to_thread(encoder.reached.wait)
            await asyncio.sleep(0.02)
            stopping = asyncio.create_task(worker.stop())
            await asyncio.sleep(0.02)
            encoder.gate.set()
            await stopping
            tasks.append(asyncio.create_task(worker.assess_one(escalation("Comes."))))
            return await asyncio.gather(*tasks, return_exceptions=True)

    with_gate, encoder = watched(loaded)
    runs, waits, comes = asyncio.run(act())

    assert isinstance(runs, Assessment)
    assert isinstance(waits, NotReadyError)
    assert isinstance(comes, NotReadyError)
    assert encoder.read == ["Runs."]


@pytest.mark.parametrize("error", [ArtifactError("heads.npz is missing."), KeyError("blend")])
def test_a_model_that_cannot_be_loaded_is_a_failure_that_is_told_once(error: Exception) -> None:
    def load() -> LoadedModel:
        raise error

    async def act() -> Worker:
        worker = Worker(load, on_failure=lambda: told.append("failed"))
        worker.start()
        while worker.state == "loading":
            await asyncio.sleep(0.005)
        with pytest.raises(NotReadyError):
            await worker.assess([escalation("Comes.")])
        await worker.stop()
        return worker

    told: list[str] = []
    worker = asyncio.run(act())

    assert told == ["failed"]
    assert isinstance(worker.failure, ArtifactError)


def test_parts_are_bounded_and_keep_order() -> None:
    batch = [escalation("a" * size) for size in (5, PART_CHARACTERS, 1, PART_CHARACTERS - 1, 1, *[1] * 40)]

    found = list(parts(batch))

    assert [item for part in found for item in part] == batch
    assert [len(part) for part in found[:3]] == [1, 1, 2]
    assert all(len(part) <= PART_ESCALATIONS for part in found)
    assert list(parts([])) == []
