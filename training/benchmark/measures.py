"""True answers and scores in, figures with 95% bootstrap intervals out. Pure functions on arrays."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from training.metrics import Interval

Bools = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

RESAMPLES = 300
SEED = 2026
TAIL = 0.025


def resampled(figure: Callable[[NDArray[np.int64]], float], n: int) -> Interval:
    """Return a figure of n rows with its percentile bootstrap interval; ``figure`` takes row numbers, may give NaN."""
    draw = np.random.default_rng(SEED)
    samples = np.array([figure(draw.integers(0, n, n)) for _ in range(RESAMPLES)])
    known = samples[~np.isnan(samples)]
    low, high = np.quantile(known, [TAIL, 1 - TAIL]) if len(known) else (np.nan, np.nan)
    return Interval(figure(np.arange(n)), float(low), float(high))


def macro_f1(truth: Bools, given: Bools) -> Interval:
    """Return the mean F1 of both answers."""
    return resampled(
        lambda rows: float(f1_score(truth[rows], given[rows], average="macro", zero_division=0.0)), len(truth)
    )


def f1(truth: Bools, given: Bools) -> Interval:
    """Return the F1 of the positive answer."""
    return resampled(lambda rows: float(f1_score(truth[rows], given[rows], zero_division=0.0)), len(truth))


def auroc(truth: Bools, score: FloatArray) -> Interval:
    """Return the area under the ROC curve; NaN where only one answer is true."""

    def figure(rows: NDArray[np.int64]) -> float:
        return float(roc_auc_score(truth[rows], score[rows])) if 0 < truth[rows].sum() < len(rows) else float("nan")

    return resampled(figure, len(truth))


def auprc(truth: Bools, score: FloatArray) -> Interval:
    """Return the area under the precision-recall curve (average precision); NaN where nothing is true."""

    def figure(rows: NDArray[np.int64]) -> float:
        return float(average_precision_score(truth[rows], score[rows])) if truth[rows].any() else float("nan")

    return resampled(figure, len(truth))


def share(hits: Bools) -> Interval:
    """Return the share of hits."""
    return resampled(lambda rows: float(hits[rows].mean()), len(hits))
