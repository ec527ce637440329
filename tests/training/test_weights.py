"""A desk of which 2% of what was accepted is audited: with the weights of the audit figures are those of the desk."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from riskmodel.policy import Policy
from riskmodel.records import RATINGS
from riskmodel.stages.decision import plausible_ratings
from training.calibrate import (
    accept_safety,
    category_threshold,
    conformal_mass,
    critical_border,
    fit_blend,
    fit_scales,
    quantile,
)
from training.heads import fit_heads
from training.labels import Labels, read_labels

DESK, AUDITED = 20_000, 0.02
DESKS = 40


@dataclass(frozen=True)
class Desk:
    """What a version says of n escalations (n, 4), the truth (n,), which were decided, for how many each stands."""

    chances: np.ndarray
    truth: np.ndarray
    decided: np.ndarray
    weight: np.ndarray

    @property
    def ranks(self) -> np.ndarray:
        return np.asarray(self.chances.argmax(axis=1))


def draw_desk(seed: int) -> Desk:
    """Draw a desk on which the version is wronger than it says where it is sure: there the audit alone can tell."""
    draw = np.random.default_rng(seed)
    sure = draw.beta(2, 1, DESK)
    likeliest = draw.choice(4, DESK, p=[0.5, 0.25, 0.15, 0.1])
    logits = draw.normal(scale=0.5, size=(DESK, 4))
    logits[np.arange(DESK), likeliest] += 6 * sure
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true = np.where((sure > 0.7)[:, None], 0.85 * chances + 0.15 * np.array([0.1, 0.3, 0.3, 0.3]), chances)
    truth = (draw.random((DESK, 1)) > true.cumsum(axis=1)[:, :-1]).sum(axis=1)
    accepted = chances.max(axis=1) > 0.9
    audited = accepted & (draw.random(DESK) < AUDITED)
    return Desk(chances.astype(np.float32), truth, ~accepted | audited, np.where(accepted, 1 / AUDITED, 1.0))


def errors(desk: Desk) -> dict[str, tuple[float, float]]:
    """Return how far estimates on what was decided are from the whole desk: with weights, and without."""
    at, ranks = desk.decided, desk.ranks
    found = {}
    for name, weight in (("with", desk.weight[at]), ("without", np.ones(at.sum()))):
        low = np.average(ranks[at] < desk.truth[at], weights=weight) - (ranks < desk.truth).mean()
        critical = np.average(desk.truth[at] == 3, weights=weight) - (desk.truth == 3).mean()
        mass = conformal_mass(desk.chances[at], ranks[at], desk.truth[at], 0.9, weight.astype(np.float32))
        sets = [
            plausible_ratings(row, int(rank), mass) for row, rank in zip(desk.chances[::20], ranks[::20], strict=True)
        ]
        covered = np.mean([RATINGS[truth] in held for truth, held in zip(desk.truth[::20], sets, strict=True)]) - 0.9
        border = critical_border(desk.chances[at], desk.truth[at], 0.9, weight.astype(np.float32))
        reached = (desk.chances[desk.truth == 3, 3] >= border).mean() - 0.9
        found[name] = (low, critical, covered, reached)
    return {
        what: (found["with"][n], found["without"][n])
        for n, what in enumerate(("rated too low", "critical", "coverage", "criticals near the border"))
    }


@pytest.fixture(scope="module")
def mean_errors() -> dict[str, tuple[float, float]]:
    desks = [errors(draw_desk(seed)) for seed in range(DESKS)]
    return {what: tuple(np.mean([desk[what] for desk in desks], axis=0)) for what in desks[0]}


@pytest.mark.parametrize(
    ("what", "biased_by"),
    [("rated too low", 0.02), ("critical", 0.01), ("coverage", 0.008), ("criticals near the border", 0.05)],
)
def test_with_weights_an_estimate_is_that_of_the_desk_and_without_it_is_not(
    mean_errors: dict[str, tuple[float, float]], what: str, biased_by: float
) -> None:
    weighted, plain = mean_errors[what]

    assert abs(plain) > biased_by
    assert abs(weighted) < abs(plain) / 3


# --- a row of weight three is three rows --------------------------------------------------------------------------

ROWS, WIDTH = 120, 27
TIMES = np.tile([1, 3, 2], ROWS // 3)


@pytest.fixture(scope="module")
def weighed(train_frame: pd.DataFrame, policy: Policy) -> Labels:
    frame = train_frame.iloc[:: len(train_frame) // ROWS].iloc[:ROWS]
    return read_labels(frame.assign(weight=TIMES.astype(float)), policy)


@pytest.fixture(scope="module")
def repeated(weighed: Labels) -> Labels:
    rows = np.repeat(np.arange(ROWS), TIMES)
    return Labels(**{**vars(weighed.take(rows)), "weight": np.ones(len(rows), dtype=np.float32)})


def test_heads_count_a_row_by_its_weight(weighed: Labels, repeated: Labels) -> None:
    X = np.random.default_rng(0).normal(size=(ROWS, 6)).astype(np.float32)

    heads = fit_heads(X, weighed, strength=1.0, seed=0)
    same = fit_heads(np.repeat(X, TIMES, axis=0), repeated, strength=1.0, seed=0)

    assert heads.weights == pytest.approx(same.weights, abs=0.02)
    plain = fit_heads(X, Labels(**{**vars(weighed), "weight": np.ones(ROWS, dtype=np.float32)}), strength=1.0, seed=0)
    assert np.abs(heads.weights - plain.weights).max() > 0.1


def test_calibration_counts_a_row_by_its_weight(weighed: Labels, repeated: Labels) -> None:
    draw = np.random.default_rng(1)
    logits = draw.normal(size=(2, ROWS, WIDTH)).astype(np.float32)
    logits[0, np.arange(ROWS), weighed.severity] += 1
    chances = draw.dirichlet([0.6] * 4, (2, ROWS)).astype(np.float32)

    scales = fit_scales(*logits, weighed)
    same = fit_scales(*np.repeat(logits, TIMES, axis=1), repeated)
    blend = fit_blend(*chances, weighed.rating, 0.9, weighed.weight)

    assert scales.dense == pytest.approx(same.dense, rel=0.02, abs=0.01)
    assert blend.temperature == pytest.approx(
        fit_blend(*np.repeat(chances, TIMES, axis=1), repeated.rating, 0.9).temperature, rel=0.02
    )
    categories = draw.random((ROWS, weighed.categories.shape[1])).astype(np.float32)
    assert category_threshold(categories, weighed.categories, 0, weighed.weight) == category_threshold(
        np.repeat(categories, TIMES, axis=0), repeated.categories, 0
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_quantile_of_equal_weights_is_the_fields(share: float) -> None:
    values = np.random.default_rng(2).normal(size=77)

    assert quantile(values, np.full(77, 3.0), share) == np.quantile(values, share, method="lower")


def test_few_rows_that_stand_for_many_prove_less_than_as_many_rows() -> None:
    draw = np.random.default_rng(3)
    safety = draw.uniform(0.9, 1.0, 1_000).astype(np.float32)
    nothing_low = np.zeros(1_000, dtype=bool)
    uneven = np.where(np.arange(1_000) % 50 == 0, 50.0, 1.0)

    assert accept_safety(safety, nothing_low, 0.02, 0.95) < 0.91
    assert accept_safety(safety, nothing_low, 0.02, 0.95, uneven) == 2.0  # as sure as of 78 rows: too few


def test_a_mistake_that_stands_for_many_is_seen() -> None:
    safety = np.linspace(1.0, 0.9, 4_000, dtype=np.float32)
    low = np.arange(4_000) % 200 == 100
    heavy = np.where(low, 8.0, 1.0)

    assert accept_safety(safety, low, 0.02, 0.95) < accept_safety(safety, low, 0.02, 0.95, heavy)
