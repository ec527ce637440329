"""What waits, what came and what was done in; how much will be late at this pace out, with an interval.

The queue is played forward many times, as it is worked: what is to be taken first is done first, after a time that is
drawn from those it took lately while something waited; new work comes as lately. Each time the pace itself is drawn
anew (a bootstrap), so that little experience gives a wide interval. Times are hours on one clock, which may stand still
while nobody works.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_DONE = 20  # times that something took; from fewer no pace can be told
LEAST_ALIKE = 10  # times with about as many in the queue; fewer say nothing of their own
TIMES_PLAYED = 200
COVERAGE = 0.9
MOST_EVENTS = 2_000  # that a play may take; a longer queue is told as far as that goes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """Something to be done: when it came, when it is due, and by when it is ordered; hours."""

    came: float
    due: float
    order: float


@dataclass(frozen=True)
class History:
    """What came and was done lately, from ``since`` to ``now``.

    Attributes:
        waited: how much was there already when it begins.
        came: what came, done or not.
        done: moments at which something was done.
    """

    since: float
    now: float
    waited: int
    came: Sequence[Piece]
    done: Sequence[float]


@dataclass(frozen=True)
class Forecast:
    """How much of what falls due until ``until`` will not be done by then, at this pace.

    Attributes:
        low, high: between which it lies with a chance of 90%.
        likely: the middle.
        hours_each: between two that are done, while something waits.
    """

    until: float
    low: int
    likely: int
    high: int
    hours_each: float


@dataclass(frozen=True)
class Paces:
    """How long things took, one after another, while something waited.

    Attributes:
        hours: from one thing done to the next.
        queued: how many were there, in powers of two (1, 2-3, 4-7, ...): several people are quicker if all have work.
    """

    hours: Floats
    queued: NDArray[np.int64]


def paces(history: History) -> Paces:
    """Return how long things took: from one thing done to the next, or from when it came if nothing was there."""
    came, done = np.sort([piece.came for piece in history.came]), np.sort(history.done)
    hours, queued = [], []
    free_from = history.since  # from when on the next could be begun
    for at, moment in enumerate(done):
        there = history.waited + int(np.searchsorted(came, free_from, side="right")) - at
        first = at - history.waited  # the next to come
        begun = free_from if there > 0 or first >= len(came) else float(came[max(first, 0)])
        if at or there <= 0:  # what was under way when the history begins was begun before
            hours.append(max(moment - begun, 0.0))
            queued.append(max(there, 1).bit_length())
        free_from = moment
    return Paces(np.asarray(hours), np.asarray(queued, dtype=np.int64))


def forecast(waiting: Sequence[Piece], history: History, until: float, seed: int) -> Forecast | None:
    """Return how much will be late until a moment; None where too little was done to tell.

    Args:
        waiting: what is to be done, in any order.
        history: what came and was done.
        until: the moment.
        seed: of the draws.
    """
    took = paces(history)
    if len(took.hours) < LEAST_DONE or took.hours.mean() <= 0:
        return None
    random = np.random.default_rng(seed)
    late = [_play(waiting, history, took, until, random) for _ in range(TIMES_PLAYED)]
    low, likely, high = np.quantile(late, [(1 - COVERAGE) / 2, 0.5, (1 + COVERAGE) / 2], method="nearest")
    return Forecast(until, int(low), int(likely), int(high), float(took.hours.mean()))


def _play(waiting: Sequence[Piece], history: History, took: Paces, until: float, random: np.random.Generator) -> int:
    """Work the queue once, and count what is not done when it is due."""
    draws = _draws(took, random)
    coming = _coming(history, until, random)
    queue = [(piece.order, piece.due) for piece in waiting]
    heapq.heapify(queue)
    begin, late, came = history.now, 0, 0
    part = random.random()  # somebody is at work on the first: so much of its time is still to come
    for at in range(MOST_EVENTS):
        while came < len(coming) and coming[came].came <= begin:
            heapq.heappush(queue, (coming[came].order, coming[came].due))
            came += 1
        if not queue:
            if came == len(coming):
                return late
            begin, part = coming[came].came, 1.0
            continue
        if begin > until:
            break
        pace = draws[min(len(queue).bit_length(), len(draws) - 1)][at] * part
        begin, part = begin + pace, 1.0
        late += history.now < heapq.heappop(queue)[1] <= min(until, begin)
    rest = [due for _, due in queue] + [piece.due for piece in coming[came:]]
    return late + sum(history.now < due <= min(until, begin) for due in rest)


def _draws(took: Paces, random: np.random.Generator) -> list[list[float]]:
    """Return hours that things will take, by how many are there; where that many were seldom there, as with fewer."""
    drawn = random.integers(len(took.hours), size=len(took.hours))
    hours, queued = took.hours[drawn], took.queued[drawn]
    draws = [random.choice(hours, MOST_EVENTS).tolist()]
    for size in range(1, int(queued.max()) + 1):
        those = hours[queued == size]
        draws.append(random.choice(those, MOST_EVENTS).tolist() if len(those) >= LEAST_ALIKE else draws[-1])
    return draws


def _coming(history: History, until: float, random: np.random.Generator) -> list[Piece]:
    """Return what comes until a moment: as much as in stretches of the history as long, each with its own deadline."""
    length, span = until - history.now, history.now - history.since
    if not history.came or span <= 0:
        return []
    count = random.poisson(random.gamma(len(history.came)) * length / span)
    drawn = random.integers(len(history.came), size=count)
    moments = np.sort(random.uniform(history.now, until, count))
    chosen = (history.came[at] for at in drawn)
    return [
        Piece(came, came + piece.due - piece.came, came + piece.order - piece.came)
        for came, piece in zip(moments.tolist(), chosen, strict=True)
    ]
