"""Out-of-fold logits and labels in, everything learnt about doubt out: head scales, blend, thresholds.

Nothing here sees a prediction that was made on a row the predictor was trained on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from scipy.stats import beta

from riskmodel.stages.decision import CRITICAL, Signs, Thresholds, doubts, grow, not_too_low
from riskmodel.stages.heads import columns, sigmoid, softmax
from riskmodel.stages.rating import Blend, blend_chances, joint_chances
from training.labels import Labels
from training.params import DoubtParams

FloatArray = NDArray[np.float32]
LEAST_CRITICAL_CHANCE = 0.25  # below a quarter, "critical" is no longer one of two ratings in doubt
# The strictest level that is tested accepts this share of the rows: a stricter one has so few that a single
# mistake would end the sequence.
START_PERCENT = 20
NEVER = 2.0  # no chance is as large
SINGLE_CHOICE = ("severity", "proximity", "rating")


@dataclass(frozen=True)
class Scales:
    """What each head's dense and lexical logits (2, k) are multiplied with before they are added."""

    dense: FloatArray
    lexical: FloatArray


def fit_scales(dense: FloatArray, lexical: FloatArray, labels: Labels) -> Scales:
    """Weigh dense against lexical logits (n, k) head by head, by likelihood: temperature scaling with two inputs.

    Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    width = dense.shape[1]
    scales = np.ones((2, width), dtype=np.float32)
    truth = {"severity": labels.severity, "proximity": labels.proximity, "rating": labels.rating}
    for name, at in columns(width).items():
        D, L = dense[:, at], lexical[:, at]
        if name in SINGLE_CHOICE:
            found = _best_scales(partial(_choice_loss, truth[name], labels.weight), D, L)
        else:
            y = labels.floor[:, None] if name == "floor" else labels.categories
            found = _best_scales(partial(_binary_loss, y, labels.weight), D, L)
        scales[:, at] = found[:, None]
    return Scales(scales[0], scales[1])


def _best_scales(loss: Callable[[FloatArray], float], dense: FloatArray, lexical: FloatArray) -> FloatArray:
    def of(logarithms: NDArray[np.float64]) -> float:
        weights = np.exp(logarithms).astype(np.float32)
        return loss(weights[0] * dense + weights[1] * lexical)

    result = minimize(of, x0=np.array([0.0, -1.0]), bounds=Bounds([-4.0, -8.0], [3.0, 3.0]), method="Powell")
    return np.exp(result.x).astype(np.float32)


def _choice_loss(truth: NDArray[np.int64], weight: FloatArray, logits: FloatArray) -> float:
    return float(np.average(-np.log(softmax(logits)[np.arange(len(truth)), truth] + 1e-9), weights=weight))


def _binary_loss(truth: FloatArray, weight: FloatArray, logits: FloatArray) -> float:
    told = ~np.isnan(truth)
    signed = np.where(truth > 0, logits, -logits)[told]
    return float(np.average(np.logaddexp(0, -signed), weights=np.broadcast_to(weight[:, None], truth.shape)[told]))


@dataclass(frozen=True)
class Believed:
    """Calibrated chances of n texts: ``joint`` (n, 4, 3, 2), ``direct`` (n, 4), ``categories`` (n, c)."""

    joint: FloatArray
    direct: FloatArray
    categories: FloatArray


def believe(logits: FloatArray, may_lift: NDArray[np.bool_]) -> Believed:
    """Turn scaled logits (n, k) into chances; ``may_lift`` (n,): whether the source is one of the floor's."""
    at = columns(logits.shape[1])
    floor = sigmoid(logits[:, at["floor"]])[:, 0] * may_lift
    joint = joint_chances(softmax(logits[:, at["severity"]]), softmax(logits[:, at["proximity"]]), floor)
    return Believed(joint, softmax(logits[:, at["rating"]]), sigmoid(logits[:, at["categories"]]))


def fit_blend(
    table: FloatArray,
    direct: FloatArray,
    rating: NDArray[np.int64],
    critical_recall: float,
    weight: FloatArray | None = None,
) -> Blend:
    """Learn how much the table weighs beside the direct rating, the temperature, and when doubt means critical.

    Args:
        table: (n, 4) chances by the table, ``direct``: (n, 4) by the direct head, both out of fold.
        direct: as above.
        rating: (n,) true ranks.
        critical_recall: share of the critical to find; the chance that is enough stays between a quarter and a half.
        weight: (n,) how many escalations each row stands for; None where all stand for as many.
    """
    w = _weights(weight, len(rating))

    def loss(values: NDArray[np.float64]) -> float:
        chances = blend_chances(table, direct, Blend(float(values[0]), float(np.exp(values[1])), 1.0))
        return float(np.average(-np.log(chances[np.arange(len(rating)), rating] + 1e-9), weights=w))

    best = minimize(loss, x0=np.array([0.5, 0.0]), bounds=Bounds([0.0, -2.0], [1.0, 2.0]), method="Powell").x
    blend = Blend(float(best[0]), float(np.exp(best[1])), 1.0)
    chances = blend_chances(table, direct, blend)
    critical = rating == CRITICAL
    enough = quantile(chances[critical, CRITICAL], w[critical], 1 - critical_recall) if critical.any() else 1.0
    return Blend(blend.table_weight, blend.temperature, float(np.clip(enough, LEAST_CRITICAL_CHANCE, 0.5)))


def fit_thresholds(
    chances: FloatArray,
    ranks: NDArray[np.int64],
    found: Sequence[Signs],
    believed: Believed,
    labels: Labels,
    languages: NDArray[np.str_],
    none_at: int,
    doubt: DoubtParams,
) -> Thresholds:
    """Learn the levels of the decision out of fold.

    Args:
        chances: (n, 4) blended.
        ranks: (n,) chosen from them.
        found: the signs of each row.
        believed: calibrated chances of the heads.
        labels: the truth.
        languages: (n,) that the rows are written in.
        none_at: position of the category ``none``.
        doubt: what is promised.
    """
    weight = labels.weight
    border = critical_border(chances, labels.rating, doubt.critical_reviewed, weight)
    familiarity = quantile(np.array([signs.familiarity for signs in found]), weight, doubt.unfamiliar)
    undoubted = np.array([not doubts(signs, border, familiarity) for signs in found], dtype=bool)
    return Thresholds(
        conformal_mass={
            str(name): conformal_mass(chances[at], ranks[at], labels.rating[at], doubt.coverage, weight[at])
            for name in np.unique(languages)
            if (at := languages == name).any()
        },
        accept_safety=accept_safety(
            not_too_low(chances, ranks)[undoubted],
            (ranks < labels.rating)[undoubted],
            doubt.under_rating,
            doubt.certainty,
            weight[undoubted],
        ),
        border=border,
        familiarity=familiarity,
        category=category_threshold(believed.categories, labels.categories, none_at, weight),
    )


def _weights(weight: NDArray[np.floating] | None, n: int) -> NDArray[np.float64]:
    return np.ones(n) if weight is None else weight.astype(np.float64)


def quantile(values: NDArray[np.floating], weight: NDArray[np.floating], share: float) -> float:
    """Return the largest of the values that at most a share of the others' weight lies below.

    With equal weights this is numpy's quantile by the method ``lower``.
    """
    order = np.argsort(values, kind="stable")
    w = weight[order]
    below = np.cumsum(w) - w
    at = int(np.searchsorted(below, share * (w.sum() - w.mean()) * (1 + 1e-9), side="right")) - 1
    return float(values[order[at]])


def critical_border(
    chances: FloatArray, rating: NDArray[np.int64], reviewed: float, weight: FloatArray | None = None
) -> float:
    """Return the chance of critical that a share ``reviewed`` of the critical reach; 1 where there is none."""
    critical = rating == CRITICAL
    w = _weights(weight, len(rating))
    return quantile(chances[critical, CRITICAL], w[critical], 1 - reviewed) if critical.any() else 1.0


def conformal_mass(
    chances: FloatArray,
    ranks: NDArray[np.int64],
    truth: NDArray[np.int64],
    coverage: float,
    weight: FloatArray | None = None,
) -> float:
    """Return the mass that a contiguous set must hold to contain the true rating with chance ``coverage``.

    Split-conformal quantile (Vovk et al. 2005; Angelopoulos and Bates 2023) of the mass held before the truth is
    reached, over out-of-fold rows; weighted where rows stand for more than themselves (Tibshirani et al. 2019).
    """
    scores = np.array(
        [_mass_before(row, int(rank), int(true)) for row, rank, true in zip(chances, ranks, truth, strict=True)]
    )
    order = np.argsort(scores, kind="stable")
    w = _weights(weight, len(scores))[order]
    # the text to come weighs as much as an average one
    at = int(np.searchsorted(np.cumsum(w), (w.sum() + w.mean()) * coverage * (1 - 1e-9)))
    return 1.0 if at >= len(scores) else float(np.nextafter(scores[order[at]], 2))


def _mass_before(chances: FloatArray, rank: int, truth: int) -> float:
    """Return the mass of the largest set that does not yet hold the truth; 0 where the set starts at it."""
    before = 0.0
    for first, last, held in grow(chances, rank):
        if first <= truth <= last:
            break
        before = held
    return before


def accept_safety(
    safety: FloatArray,
    under_rated: NDArray[np.bool_],
    most: float,
    certainty: float,
    weight: FloatArray | None = None,
) -> float:
    """Return the least chance of not being too low to accept without a person; 2 where no level keeps the promise.

    The share of accepted escalations that are under-rated stays at or below ``most`` with chance ``certainty``:
    learn-then-test (Angelopoulos et al. 2021), fixed-sequence testing from the strictest level down, each level
    by the exact binomial bound (Clopper and Pearson 1934); with unequal weights, of the weighted share on Kish's
    effective number of rows, (Σw)² / Σw² (Korn and Graubard 1998).
    """
    if not len(safety):
        return NEVER
    order = np.argsort(-safety, kind="stable")
    w = _weights(weight, len(order))[order]
    mass, squares, below = np.cumsum(w), np.cumsum(w**2), np.cumsum(w * under_rated[order])
    accepted = NEVER
    for share in np.arange(START_PERCENT, 101) / 100:
        level = safety[order[int(np.ceil(share * len(order))) - 1]]
        last = int((safety >= level).sum()) - 1  # ties are accepted together
        n = mass[last] ** 2 / squares[last]
        k = n * below[last] / mass[last]
        if k < n and beta.ppf(certainty, k + 1, n - k) > most:
            break
        accepted = float(level)
    return accepted


def category_threshold(chances: FloatArray, truth: FloatArray, none_at: int, weight: FloatArray | None = None) -> float:
    """Return the least chance of a further category that gives the best micro-averaged F1."""
    best, level, w = -1.0, 0.5, _weights(weight, len(truth))
    for candidate in np.arange(5, 96) / 100:
        decided = decided_matrix(chances, float(candidate), none_at)
        hits = float(w @ (decided & (truth > 0)).sum(axis=1))
        score = 2 * hits / float(w @ (decided.sum(axis=1) + truth.sum(axis=1)))
        if score > best:
            best, level = score, float(candidate)
    return level


def decided_matrix(chances: FloatArray, threshold: float, none_at: int) -> NDArray[np.bool_]:
    """Return (n, c) which categories are decided, as :func:`riskmodel.stages.decision.decide_categories` does."""
    main = chances.argmax(axis=1)
    decided = chances >= threshold
    decided[:, none_at] = False
    decided[main == none_at] = False
    decided[np.arange(len(main)), main] = True
    return decided
