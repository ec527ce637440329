"""What gathers is worked off together; what fails fails alone; a thread that dies is replaced."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from riskmodel.errors import CasebookUnavailableError
from riskmodel.service.errors import NotReadyError
from riskmodel.service.grouping import LINGER_SECONDS, Grouped
from tests.riskmodel.service.watched import ThreadDeath


@asynccontextmanager
async def running(work: Callable[[list[int]], Sequence[int]], most: int = 8) -> AsyncIterator[Grouped[int, int]]:
    grouped = Grouped(work, most, "test")
    grouped.start()
    yield grouped
    await asyncio.to_thread(grouped.stop)
    assert not grouped.alive


def submit(grouped: Grouped[int, int], *items: int) -> list[asyncio.Future[int]]:
    futures = [asyncio.get_running_loop().create_future() for _ in items]
    for item, future in zip(items, futures, strict=True):
        grouped.submit(item, future)
    return futures


def test_what_gathers_while_the_thread_works_is_worked_off_together() -> None:
    def double(items: list[int]) -> list[int]:
        groups.append(items)
        assert gate.wait(10)
        return [item * 2 for item in items]

    async def act() -> list[int]:
        async with running(double, most=3) as grouped:
            futures = submit(grouped, 0)
            while not groups:
                await asyncio.sleep(0.001)
            futures += submit(grouped, 1, 2, 3, 4)
            gate.set()
            return await asyncio.gather(*futures)

    groups: list[list[int]] = []
    gate = threading.Event()

    assert asyncio.run(act()) == [0, 2, 4, 6, 8]
    assert groups == [[0], [1, 2, 3], [4]]


def test_the_one_at_fault_fails_alone() -> None:
    def check(items: list[int]) -> list[int]:
        if 1 in items:
            raise ValueError("one")
        return items

    async def act() -> list[int | BaseException]:
        async with running(check) as grouped:
            return await asyncio.gather(*submit(grouped, 0, 1, 2), return_exceptions=True)

    first, failed, last = asyncio.run(act())

    assert (first, last) == (0, 2)
    assert isinstance(failed, ValueError)


def test_a_database_that_does_not_answer_is_asked_once_for_all() -> None:
    def refuse(items: list[int]) -> list[int]:
        asked.append(len(items))
        raise CasebookUnavailableError("locked")

    async def act() -> list[int | BaseException]:
        async with running(refuse) as grouped:
            return await asyncio.gather(*submit(grouped, 0, 1, 2), return_exceptions=True)

    asked: list[int] = []

    assert all(isinstance(result, CasebookUnavailableError) for result in asyncio.run(act()))
    assert sum(asked) == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_replaced_and_what_it_held_is_answered() -> None:
    def die(items: list[int]) -> list[int]:
        if 13 in items:
            raise ThreadDeath
        return items

    async def act() -> int:
        async with running(die, most=1) as grouped:
            (dead,) = submit(grouped, 13)
            with pytest.raises(NotReadyError):
                await dead
            (alive,) = submit(grouped, 1)
            return await alive

    assert asyncio.run(act()) == 1


def test_what_was_cancelled_meanwhile_harms_nobody() -> None:
    def slow(items: list[int]) -> list[int]:
        assert gate.wait(10)
        return items

    async def act() -> int:
        async with running(slow) as grouped:
            dropped, kept = submit(grouped, 1, 2)
            dropped.cancel()
            gate.set()
            return await kept

    gate = threading.Event()

    assert asyncio.run(act()) == 2


def test_stopping_works_off_what_waits() -> None:
    async def act() -> list[int]:
        async with running(lambda items: items, most=2) as grouped:
            futures = submit(grouped, *range(7))
        return await asyncio.gather(*futures)

    assert asyncio.run(act()) == list(range(7))


def test_when_more_will_come_soon_a_group_is_waited_for() -> None:
    def note(items: list[int]) -> list[int]:
        groups.append(items)
        return items

    async def act() -> None:
        grouped = Grouped(note, 64, "test", is_busy=lambda: busy)
        grouped.start()
        first = submit(grouped, 1)
        await asyncio.sleep(LINGER_SECONDS / 5)
        await asyncio.gather(*first, *submit(grouped, 2))
        await asyncio.to_thread(grouped.stop)

    groups: list[list[int]] = []
    busy = True
    asyncio.run(act())
    assert groups == [[1, 2]]

    groups.clear()
    busy = False
    asyncio.run(act())
    assert groups == [[1], [2]]
