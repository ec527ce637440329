"""Who has sent too much is told when it gets in again: not sooner, and hardly later."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.service.errors import RateLimitError, problem_of
from riskmodel.service.security import Caller, Door, seconds_until

MIDNIGHT = 1_767_225_600.0  # where a window of any length begins
ROUNDING = 1e-3  # of the limiter, far below what a request takes
CALLER = Caller("tool", "key", "client")


class Clock:
    """The time that the limiter reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = MIDNIGHT
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def refused(door: Door, escalations: int) -> RateLimitError | None:
    """Return the refusal; None if the escalations were let in."""
    try:
        door.count(CALLER, escalations)
    except RateLimitError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ([(0, 60)], 1),
        ([(0, 60)], 30),
        ([(0, 60)], 60),
        ([(45, 60)], 1),
        ([(59.5, 60)], 60),
        ([(0, 40)], 21),
        ([(10, 60), (75, 15)], 10),
        ([(10, 60), (75, 15)], 50),
        ([(50, 60), (119, 58)], 60),
        ([(0, 1), (1, 1), (2, 58)], 7),
    ],
)
def test_at_the_second_it_was_told_a_key_gets_in_and_a_second_before_it_does_not(
    sent: list[tuple[float, int]], asked: int, clock: Clock
) -> None:
    door = Door(None, "60/minute")
    for at, escalations in sent:
        clock.now = MIDNIGHT + at
        assert refused(door, escalations) is None
    first = refused(door, asked)
    assert first is not None

    clock.now += first.retry_after - 1 - ROUNDING
    too_soon = refused(door, asked)
    clock.now += 1 + 2 * ROUNDING
    in_time = refused(door, asked)

    assert too_soon is not None
    assert in_time is None


def test_more_than_ever_gets_in_is_told_how_many_do(clock: Clock) -> None:
    door = Door(None, "60/minute")
    door.count(CALLER, 60)

    error = refused(door, 256)
    assert error is not None
    clock.now += error.retry_after

    (fault,) = problem_of(error).errors
    assert (fault.field, fault.expected) == ("escalations", "at most 60 at once")
    assert refused(door, 256) is not None
    assert refused(door, 60) is None


def test_keys_that_are_off_have_no_limit() -> None:
    door = Door(None, "1/hour")
    caller = Caller("local", None, "admin")

    for _ in range(3):
        door.count(caller, 1_000)


def test_a_window_with_room_is_not_waited_for() -> None:
    assert seconds_until(5, before=0, now=5, left=30, window=60) == 0
    assert seconds_until(5, before=6, now=2, left=30, window=60) == 0


@given(
    room=st.integers(0, 100),
    before=st.integers(0, 200),
    now=st.integers(0, 200),
    left=st.floats(0.01, 60, allow_subnormal=False),
)
def test_just_after_the_wait_the_count_has_room_and_half_way_it_has_not(
    room: int, before: int, now: int, left: float
) -> None:
    def counted(seconds: float) -> float:
        if seconds < left:
            return before * (left - seconds) / 60 + now
        return now * max(0.0, 60 - (seconds - left)) / 60

    wait = seconds_until(room, before=before, now=now, left=left, window=60)

    assert counted(wait + 1e-6) < room + 1
    if wait > 1e-3:
        assert counted(wait / 2) >= room + 1
