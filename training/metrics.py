"""True and given ratings in, figures with intervals out. Pure functions on arrays.

Ratings are ranks 0 to 3 (low to critical). All figures of the rating but the calibration error are read off the
(4, 4) confusion matrix: rows the truth, columns what was given.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.records import RATINGS

Ranks = NDArray[np.int64]
FloatArray = NDArray[np.float32]
Matrix = NDArray[np.float64]

BINS = 10
RESAMPLES = 1_000
LEVEL = 0.95
CRITICAL = len(RATINGS) - 1


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def confusion(truth: Ranks, given: Ranks) -> Matrix:
    """Return (4, 4) counts."""
    size = len(RATINGS)
    return np.bincount(truth * size + given, minlength=size * size).reshape(size, size).astype(np.float64)


def quadratic_weighted_kappa(matrix: Matrix) -> float:
    """Return Cohen's kappa with squared distances as weights (Cohen 1968)."""
    ranks = np.arange(len(matrix))
    weights = (ranks[:, None] - ranks[None, :]) ** 2
    expected = matrix.sum(axis=1)[:, None] * matrix.sum(axis=0)[None, :] / matrix.sum()
    chance = float((weights * expected).sum())
    return 1.0 - float((weights * matrix).sum()) / chance if chance > 0 else float("nan")


def accuracy(matrix: Matrix) -> float:
    """Return the share of ratings that are right."""
    return float(np.trace(matrix) / matrix.sum())


def macro_f1(matrix: Matrix) -> float:
    """Return the mean F1 of the ratings; one that neither occurs nor was given counts 0, as in scikit-learn."""
    sizes = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(np.where(sizes > 0, 2 * np.diag(matrix) / np.maximum(sizes, 1), 0.0)))


def critical_recall(matrix: Matrix) -> float:
    """Return the share of the critical that were rated critical."""
    total = matrix[CRITICAL].sum()
    return float(matrix[CRITICAL, CRITICAL] / total) if total else float("nan")


def critical_missed(matrix: Matrix) -> float:
    """Return the share of the critical that were rated low or medium."""
    total = matrix[CRITICAL].sum()
    return float(matrix[CRITICAL, :2].sum() / total) if total else float("nan")


def under_rated(matrix: Matrix) -> float:
    """Return the share rated below the truth."""
    return float(np.tril(matrix, -1).sum() / matrix.sum())


def expected_calibration_error(confidence: FloatArray, right: NDArray[np.bool_]) -> float:
    """Return the mean gap of confidence and accuracy over ten bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


RATING_FIGURES: dict[str, Callable[[Matrix], float]] = {
    "kappa": quadratic_weighted_kappa,
    "macro_f1": macro_f1,
    "accuracy": accuracy,
    "critical_recall": critical_recall,
    "critical_missed": critical_missed,
}


def rating_figures(
    truth: Ranks, given: Ranks, confidence: FloatArray, groups: NDArray[np.int64], seed: int
) -> dict[str, Interval]:
    """Return every figure of the rating with its interval.

    Whole groups are drawn again, since the tellings of one situation are not independent (percentile bootstrap,
    1,000 resamples).
    """
    right = given == truth
    cell = truth * len(RATINGS) + given
    _, owner = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(owner == at) for at in range(owner.max() + 1)]
    draw = np.random.default_rng(seed)
    samples: dict[str, list[float]] = {name: [] for name in (*RATING_FIGURES, "calibration_error")}
    for _ in range(RESAMPLES):
        rows = np.concatenate([members[at] for at in draw.integers(0, len(members), len(members))])
        matrix = np.bincount(cell[rows], minlength=16).reshape(4, 4).astype(np.float64)
        for name, figure in RATING_FIGURES.items():
            samples[name].append(figure(matrix))
        samples["calibration_error"].append(expected_calibration_error(confidence[rows], right[rows]))
    matrix = confusion(truth, given)
    values = {name: figure(matrix) for name, figure in RATING_FIGURES.items()}
    values["calibration_error"] = expected_calibration_error(confidence, right)
    return {name: _interval(values[name], np.array(samples[name])) for name in values}


def _interval(value: float, samples: Matrix) -> Interval:
    tail = (1 - LEVEL) / 2
    known = samples[~np.isnan(samples)]
    if not len(known):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def share_of(hits: NDArray[np.bool_], seed: int) -> Interval:
    """Return the share of hits with its interval; NaN where there is none."""
    if not len(hits):
        return Interval(float("nan"), float("nan"), float("nan"))
    draw = np.random.default_rng(seed)
    samples = np.array([hits[draw.integers(0, len(hits), len(hits))].mean() for _ in range(RESAMPLES)])
    return _interval(float(hits.mean()), samples)


def category_f1(truth: NDArray[np.bool_], given: NDArray[np.bool_]) -> dict[str, float]:
    """Return micro- and macro-averaged F1 of (n, c) categories."""
    hits = (truth & given).sum(axis=0)
    sizes = truth.sum(axis=0) + given.sum(axis=0)
    each = np.where(sizes > 0, 2 * hits / np.maximum(sizes, 1), 0.0)
    return {"micro_f1": float(2 * hits.sum() / max(1, sizes.sum())), "macro_f1": float(each.mean())}
