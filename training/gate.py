"""What champion and challenger say of the same rows in, whether the challenger may serve out, and why not.

A guard refuses where the challenger is worse than the champion by more than its margin, or where it is worse at all
with 95% certainty: a paired bootstrap over situations, both rating the same resample. Speed and moved ratings have
limits of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.records import LANGUAGES, RATINGS
from training.evaluate import Predicted
from training.metrics import (
    CRITICAL,
    LEVEL,
    RESAMPLES,
    Interval,
    accuracy,
    confusion,
    critical_recall,
    expected_calibration_error,
    quadratic_weighted_kappa,
    under_rated,
)
from training.units import is_contrast

Ranks = NDArray[np.int64]
FloatArray = NDArray[np.float32]
Figure = Callable[[Ranks, Ranks, FloatArray], float]
Fault = Callable[[Ranks, Ranks], Ranks]
SEED = 2026
EXAMPLES = 5
MOST_MOVED = 0.15  # of the ratings of recent escalations
MOST_SLOWER = 1.25  # times the champion's time for an answer


@dataclass(frozen=True)
class Guard:
    """A figure that must not get worse: how much it may by chance, and whether more of it is better.

    ``fault``: (n,) how far each given rating is from what the figure asks for; 0 where it is not.
    """

    figure: str
    part: str
    measure: Figure
    fault: Fault
    margin: float
    more_is_better: bool = True


@dataclass(frozen=True)
class Finding:
    """What a guard found: both figures, how much better the challenger is with its interval, whether it passes.

    ``examples``: ids of rows that got worse by what the guard asks for, the worst first, where it does not.
    """

    guard: str
    champion: float
    challenger: float
    better_by: Interval
    passed: bool
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Say it in a line."""
        verdict = "fine" if self.passed else "REFUSED"
        line = f"{verdict}: {self.guard}: {self.champion:.3f} → {self.challenger:.3f}, better by {self.better_by}"
        return line + (f"; worse on {', '.join(self.examples)}" if self.examples else "")


def _of_matrix(measure: Callable[[NDArray[np.float64]], float]) -> Figure:
    return lambda truth, given, confidence: measure(confusion(truth, given))


def _calibration(truth: Ranks, given: Ranks, confidence: FloatArray) -> float:
    return expected_calibration_error(confidence, truth == given)


def _missed(truth: Ranks, given: Ranks) -> Ranks:
    found: Ranks = ((truth == CRITICAL) & (given < truth)).astype(np.int64)
    return found


def _too_low(truth: Ranks, given: Ranks) -> Ranks:
    found: Ranks = (given < truth).astype(np.int64)
    return found


def _off(truth: Ranks, given: Ranks) -> Ranks:
    found: Ranks = np.abs(truth - given)
    return found


def _wrong(truth: Ranks, given: Ranks) -> Ranks:
    found: Ranks = (given != truth).astype(np.int64)
    return found


GUARDS = (
    Guard("recall of critical", "all", _of_matrix(critical_recall), _missed, 0.03),
    Guard("share rated too low", "all", _of_matrix(under_rated), _too_low, 0.02, more_is_better=False),
    *(Guard("weighted kappa", language, _of_matrix(quadratic_weighted_kappa), _off, 0.03) for language in LANGUAGES),
    Guard("accuracy", "contrast", _of_matrix(accuracy), _wrong, 0.03),
    Guard("calibration error", "all", _calibration, _wrong, 0.02, more_is_better=False),
)


def compare(champion: Predicted, challenger: Predicted, frame: pd.DataFrame, truth: Ranks) -> list[Finding]:
    """Return what every guard finds on n labelled rows that neither was trained on.

    A guard is left out where the rows cannot tell its figure, such as the recall of critical where none is.
    """
    parts = {"all": np.ones(len(frame), dtype=bool), "contrast": is_contrast(frame).to_numpy(dtype=bool)}
    parts |= {language: (frame["language"] == language).to_numpy(dtype=bool) for language in LANGUAGES}
    groups = pd.factorize(frame["group"])[0]
    findings = [
        _finding(guard, champion, challenger, truth, groups, np.flatnonzero(parts[guard.part]), frame)
        for guard in GUARDS
        if parts[guard.part].any()
    ]
    return [finding for finding in findings if finding is not None]


def moved(before: Sequence[str], after: Sequence[str], names: Sequence[str]) -> Finding:
    """Return whether too many recent ratings move: ``names`` of the escalations, their ratings then and now."""
    old, new = (np.array([RATINGS.index(rating) for rating in ratings]) for ratings in (before, after))
    changed = old != new
    share = float(changed.mean()) if len(changed) else 0.0
    worst = np.argsort(-np.abs(new - old), kind="stable")[:EXAMPLES]
    examples = [f"{names[at]} ({before[at]} → {after[at]})" for at in worst if changed[at]]
    passed = share <= MOST_MOVED
    limit = f"share of {len(changed):,} recent ratings that move, at most {MOST_MOVED:.0%}"
    return Finding(limit, 0.0, share, Interval(-share, -share, -share), passed, [] if passed else examples)


def slower(champion: Sequence[float], challenger: Sequence[float]) -> Finding:
    """Return whether the challenger takes too long: seconds for an answer of each, measured in turns."""
    before, after = float(np.median(champion)), float(np.median(challenger))
    ratio = after / before
    limit = f"median seconds for an answer, at most {MOST_SLOWER} times the champion's"
    return Finding(limit, before, after, Interval(1 - ratio, 1 - ratio, 1 - ratio), ratio <= MOST_SLOWER)


def _finding(
    guard: Guard,
    champion: Predicted,
    challenger: Predicted,
    truth: Ranks,
    groups: Ranks,
    rows: NDArray[np.int64],
    frame: pd.DataFrame,
) -> Finding | None:
    sign = 1 if guard.more_is_better else -1

    def figures(at: NDArray[np.int64]) -> tuple[float, float]:
        before = guard.measure(truth[at], champion.ranks[at], champion.confidence[at])
        return before, guard.measure(truth[at], challenger.ranks[at], challenger.confidence[at])

    before, after = figures(rows)
    if np.isnan(before) or np.isnan(after):
        return None
    situations, owner = np.unique(groups[rows], return_inverse=True)
    draw = np.random.default_rng(SEED)
    samples = []
    for _ in range(RESAMPLES):
        times = np.bincount(draw.integers(0, len(situations), len(situations)), minlength=len(situations))
        one, other = figures(np.repeat(rows, times[owner]))
        samples.append(sign * (other - one))
    low, high = np.nanquantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    difference = sign * (after - before)
    passed = bool(difference >= -guard.margin and high >= 0)
    worse = (guard.fault(truth, challenger.ranks) - guard.fault(truth, champion.ranks))[rows]
    worst = [rows[at] for at in np.argsort(-worse, kind="stable")[:EXAMPLES] if worse[at] > 0]
    examples = [f"{frame['id'].iloc[at]} ({RATINGS[truth[at]]}, now {RATINGS[challenger.ranks[at]]})" for at in worst]
    return Finding(
        f"{guard.figure}, {guard.part}",
        before,
        after,
        Interval(difference, float(low), float(high)),
        passed,
        [] if passed else examples,
    )
