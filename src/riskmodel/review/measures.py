"""Counts and ratings in, shares with intervals and agreement out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from riskmodel.records import RATINGS, Rating

LEVEL = 0.95
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval; ``value`` is None where nothing was counted."""

    n: int
    value: float | None
    low: float
    high: float


def share(hits: Sequence[bool], weights: Sequence[float] | None = None) -> Share:
    """Return a weighted share with Wilson's interval.

    With unequal weights the interval is that of Kish's effective number of observations, (Σw)² / Σw²
    (Kish, Survey Sampling, 1965; Wilson, JASA 22, 1927).
    """
    if not hits:
        return Share(0, None, 0.0, 1.0)
    w = np.ones(len(hits)) if weights is None else np.asarray(weights, dtype=np.float64)
    value = float(np.average(np.asarray(hits, dtype=np.float64), weights=w))
    return _wilson(value, float(w.sum() ** 2 / (w**2).sum()), len(hits))


def share_of(hits: int, n: int) -> Share:
    """Return the share that so many of n are, with Wilson's interval."""
    return Share(0, None, 0.0, 1.0) if n == 0 else _wilson(hits / n, float(n), n)


def _wilson(value: float, n: float, counted: int) -> Share:
    """Return a share of n observations, which may be an effective number, with its interval."""
    middle = (value + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * sqrt(value * (1 - value) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return Share(counted, value, max(0.0, middle - half), min(1.0, middle + half))


def kappa(ones: Sequence[Rating], others: Sequence[Rating]) -> float | None:
    """Return the quadratic weighted kappa of two raters (Cohen, 1968); None where it is not defined."""
    size = len(RATINGS)
    counts = np.zeros((size, size))
    np.add.at(counts, ([RATINGS.index(one) for one in ones], [RATINGS.index(other) for other in others]), 1)
    distances = np.subtract.outer(np.arange(size), np.arange(size)) ** 2
    if not ones:
        return None
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(ones)
    by_chance = float((distances * expected).sum())
    return None if by_chance == 0 else 1 - float((distances * counts).sum()) / by_chance
