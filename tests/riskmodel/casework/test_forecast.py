"""The forecast is asked of queues whose truth is known, as they are played here by other code."""

import heapq

import numpy as np
import pytest

from riskmodel.casework.forecast import Forecast, History, Piece, forecast, paces

DAYS = 14 * 24.0
AHEAD = 8.0


def coming(random: np.random.Generator, arrivals: float, until: float) -> list[Piece]:
    """Return what comes in hours 0 to ``until``, due four hours or a day later, with the moment that orders it."""
    count = random.poisson(arrivals * until)
    came = np.sort(random.uniform(0, until, count))
    within = random.choice([4.0, 24.0], count, p=[0.6, 0.4])
    return [Piece(float(at), float(at + hours), float(at + hours)) for at, hours in zip(came, within, strict=True)]


def play(pieces: list[Piece], random: np.random.Generator, people: int, minutes: float) -> dict[int, float]:
    """Have several people work a queue, each for exponentially long; return when each piece is done, by its place."""
    free, queue, done, next_ = [0.0] * people, [], {}, 0
    heapq.heapify(free)
    while next_ < len(pieces) or queue:
        at = heapq.heappop(free)
        if not queue and next_ < len(pieces):
            at = max(at, pieces[next_].came)
        while next_ < len(pieces) and pieces[next_].came <= at:
            heapq.heappush(queue, (pieces[next_].order, next_))
            next_ += 1
        if not queue:
            break
        _, which = heapq.heappop(queue)
        done[which] = at + random.exponential(minutes / 60)
        heapq.heappush(free, done[which])
    return done


def asked(seed: int, people: int, arrivals: float, minutes: float, *, rush: int = 0) -> tuple[Forecast | None, int]:
    """Return the forecast at the end of two weeks, and what came true; a rush comes in the last half hour."""
    random = np.random.default_rng(seed)
    pieces = coming(random, arrivals, DAYS + AHEAD)
    late_comers = np.sort(random.uniform(DAYS - 0.5, DAYS, rush))
    pieces = sorted([*pieces, *(Piece(at, at + 4, at + 4) for at in late_comers.tolist())], key=lambda one: one.came)
    done = play(pieces, random, people, minutes)
    before = [(at, piece) for at, piece in enumerate(pieces) if piece.came <= DAYS]
    history = History(0.0, DAYS, 0, [piece for _, piece in before], [done[at] for at, _ in before if done[at] <= DAYS])
    found = forecast([piece for at, piece in before if done[at] > DAYS], history, DAYS + AHEAD, seed)
    truth = sum(DAYS < piece.due <= DAYS + AHEAD and done[at] > piece.due for at, piece in enumerate(pieces))
    return found, truth


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "arrivals", "minutes", "rush"),
    [
        pytest.param(1, 2.0, 15, 25, id="one, in a rush"),
        pytest.param(3, 5.0, 30, 60, id="three, in a rush such as there was none before"),
    ],
)
def test_what_comes_true_lies_in_the_interval_as_often_as_it_says(
    people: int, arrivals: float, minutes: float, rush: int
) -> None:
    rounds = [asked(seed, people, arrivals, minutes, rush=rush) for seed in range(40)]

    held = [found.low <= truth <= found.high for found, truth in rounds if found is not None]
    assert len(held) == 40
    # 90% is promised; of 40, fewer than 30 would come of chance once in a thousand times.
    assert sum(held) >= 30


def test_a_queue_that_is_idle_will_be_late_with_nothing() -> None:
    found, truth = asked(1, people=1, arrivals=0.5, minutes=10)

    assert found is not None
    assert (found.low, found.likely, found.high, truth) == (0, 0, 0, 0)
    assert found.hours_each == pytest.approx(10 / 60, rel=0.25)


def test_a_rush_that_nobody_can_work_off_is_told_before_it_is_late() -> None:
    found, truth = asked(2, people=1, arrivals=0.5, minutes=30, rush=40)

    assert truth > 20
    assert found is not None
    assert found.low > 10


def test_a_pace_is_not_told_from_a_handful() -> None:
    pieces = [Piece(float(at), at + 4.0, at + 4.0) for at in range(10)]
    history = History(0, 10, 0, pieces, [piece.came + 0.5 for piece in pieces])

    assert forecast([], history, 18, seed=0) is None


def test_time_in_which_nothing_waited_is_no_ones_pace() -> None:
    # One an hour, each done ten minutes after it came, and two at the end that wait for one another.
    came = [Piece(float(at), at + 4.0, at + 4.0) for at in range(1, 6)] + [Piece(6.0, 10.0, 10.0)] * 2
    history = History(0, 10, 0, came, [*(at + 1 / 6 for at in range(1, 7)), 6.5])

    found = paces(history)

    assert found.hours == pytest.approx([1 / 6] * 6 + [1 / 3])
    assert found.queued.tolist() == [1, 1, 1, 1, 1, 1, 1]


def test_what_was_there_before_counts_as_waiting() -> None:
    history = History(0, 10, 3, [], [1.0, 2.0, 4.0])

    assert paces(history).hours.tolist() == [1.0, 2.0]


def test_the_same_question_gets_the_same_answer() -> None:
    assert asked(3, people=1, arrivals=3.0, minutes=18) == asked(3, people=1, arrivals=3.0, minutes=18)
