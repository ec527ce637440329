"""Which reports are together and which should be in; precision, recall and F1 of their pairs out, with intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmarks.joining.reports import Report

SAMPLES, SEED = 2_000, 7


@dataclass(frozen=True)
class Counts:
    """Pairs that are together rightly, wrongly, and that are wrongly apart."""

    right: float = 0
    wrong: float = 0
    missed: float = 0

    @property
    def precision(self) -> float:
        """Return the share of the pairs together that should be."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Return the share of the pairs that should be together that are."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of both."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0


def count(reports: Sequence[Report], together: Mapping[str, int]) -> Counts:
    """Return the counts of all pairs."""
    return total(by_event(reports, together).values())


def by_event(reports: Sequence[Report], together: Mapping[str, int]) -> dict[str, Counts]:
    """Return the counts by event; a pair that is wrongly together counts half with each."""
    right, wrong, missed = (defaultdict[str, float](float) for _ in range(3))
    groups = defaultdict[int, list[Report]](list)
    events = defaultdict[str, list[Report]](list)
    for report in reports:
        events[report.event].append(report)
        if report.id in together:
            groups[together[report.id]].append(report)
    for group in groups.values():
        for one, other in combinations(group, 2):
            if one.event == other.event:
                right[one.event] += 1
            else:
                wrong[one.event] += 0.5
                wrong[other.event] += 0.5
    for event, some in events.items():
        missed[event] = len(some) * (len(some) - 1) / 2 - right[event]
    return {event: Counts(right[event], wrong[event], missed[event]) for event in events}


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    every = list(counts)
    return Counts(*(sum(getattr(one, name) for one in every) for name in ("right", "wrong", "missed")))


def interval(counts: Mapping[str, Counts]) -> dict[str, tuple[float, float]]:
    """Return the 95% interval of each figure: a bootstrap over events."""
    every = np.array([[one.right, one.wrong, one.missed] for one in counts.values()])
    rng = np.random.default_rng(SEED)
    drawn = [Counts(*every[rng.integers(len(every), size=len(every))].sum(axis=0)) for _ in range(SAMPLES)]
    found = {}
    for name in ("precision", "recall", "f1"):
        low, high = np.quantile([getattr(one, name) for one in drawn], [0.025, 0.975])
        found[name] = (float(low), float(high))
    return found


def closure(size: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the group of each of so many reports where pairs are together, and what is with the same is too."""
    leader = list(range(size))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    for one, other in pairs:
        leader[find(one)] = find(other)
    return [find(at) for at in range(size)]
