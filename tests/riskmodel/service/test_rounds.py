"""Rounds: again and again, never over themselves, whatever fails, until stopped."""

import io
import threading
import time
from collections.abc import Callable

from riskmodel.service.rounds import Round, Rounds


class Told:
    """Remembers what it is told of rounds."""

    def __init__(self) -> None:
        self.made: list[tuple[str, bool]] = []

    def round_made(self, name: str, *, failed: bool) -> None:
        self.made.append((name, failed))


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.005)


def test_work_that_fails_is_counted_logged_without_its_message_and_done_again(logs: io.StringIO) -> None:
    told, turns = Told(), []

    def work() -> None:
        turns.append(1)
        if len(turns) == 1:
            raise ValueError("the words of a report")

    rounds = Rounds([Round("sums", 0.01, work)], told)
    rounds.start()
    eventually(lambda: len(told.made) >= 3)
    rounds.stop()

    assert told.made[:2] == [("sums", True), ("sums", False)]
    assert "round failed" in logs.getvalue() and "ValueError" in logs.getvalue() and "words" not in logs.getvalue()


def test_a_round_that_takes_longer_than_its_interval_never_overlaps_itself_and_holds_up_no_other() -> None:
    told, inside, most = Told(), [], []

    def slow() -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.05)
        inside.pop()

    rounds = Rounds([Round("slow", 0.0, slow), Round("quick", 0.005, lambda: None)], told)
    rounds.start()
    eventually(lambda: told.made.count(("slow", False)) >= 3)
    rounds.stop()

    assert max(most) == 1
    assert told.made.count(("quick", False)) > told.made.count(("slow", False))


def test_copies_work_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)
    told = Told()
    rounds = Rounds([Round("pairs", 60, both.wait, copies=2)], told)
    rounds.start()
    eventually(lambda: len(told.made) == 2)
    rounds.stop()

    assert told.made == [("pairs", False)] * 2


def test_what_was_never_begun_can_be_stopped() -> None:
    told = Told()
    Rounds([Round("idle", 0.0, lambda: None)], told).stop()
    assert told.made == []


def test_stopping_waits_for_what_is_under_way_and_asks_it_to_end() -> None:
    told, asked = Told(), threading.Event()
    began = threading.Event()

    def work() -> None:
        began.set()
        assert asked.wait(10)

    rounds = Rounds([Round("long", 0.0, work, stop=asked.set)], told)
    rounds.start()
    began.wait(10)
    rounds.stop()

    assert told.made == [("long", False)]
