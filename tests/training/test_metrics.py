import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score, recall_score

from training.metrics import (
    RATING_FIGURES,
    Interval,
    accuracy,
    category_f1,
    confusion,
    critical_missed,
    critical_recall,
    expected_calibration_error,
    macro_f1,
    quadratic_weighted_kappa,
    rating_figures,
    under_rated,
)

SEEDS = range(8)


def drawn(seed: int, rows: int = 200, agreement: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 4, rows)
    return truth, np.where(draw.random(rows) < agreement, truth, draw.integers(0, 4, rows))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_figure_of_the_rating_is_that_of_scikit_learn(seed: int) -> None:
    truth, given = drawn(seed)
    matrix = confusion(truth, given)

    assert matrix.tolist() == confusion_matrix(truth, given, labels=range(4)).tolist()
    assert quadratic_weighted_kappa(matrix) == pytest.approx(cohen_kappa_score(truth, given, weights="quadratic"))
    assert macro_f1(matrix) == pytest.approx(f1_score(truth, given, labels=range(4), average="macro", zero_division=0))
    assert accuracy(matrix) == pytest.approx(accuracy_score(truth, given))
    assert critical_recall(matrix) == pytest.approx(recall_score(truth == 3, given == 3))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_rated_too_low_is_counted(seed: int) -> None:
    truth, given = drawn(seed)
    matrix = confusion(truth, given)

    assert critical_missed(matrix) == pytest.approx(np.mean(given[truth == 3] <= 1))
    assert under_rated(matrix) == pytest.approx(np.mean(given < truth))


def test_a_rating_that_neither_occurs_nor_was_given_counts_nothing_in_the_mean_f1() -> None:
    truth, given = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])

    found = macro_f1(confusion(truth, given))

    assert found == pytest.approx(f1_score(truth, given, labels=range(4), average="macro", zero_division=0))


@pytest.mark.parametrize(
    ("truth", "given", "expected"),
    [([0, 1, 2, 3], [0, 1, 2, 3], 1.0), ([0, 3], [3, 0], -1.0), ([0, 0, 3, 3], [0, 3, 0, 3], 0.0)],
    ids=["agreement", "opposition", "chance"],
)
def test_kappa_is_one_for_agreement_and_nought_for_chance(truth: list[int], given: list[int], expected: float) -> None:
    assert quadratic_weighted_kappa(confusion(np.array(truth), np.array(given))) == pytest.approx(expected)


def test_a_larger_miss_costs_more_kappa() -> None:
    truth = np.array([0, 1, 2, 3] * 5)
    near, far = truth.copy(), truth.copy()
    near[3], far[3] = 2, 0

    assert quadratic_weighted_kappa(confusion(truth, far)) < quadratic_weighted_kappa(confusion(truth, near)) < 1


def test_where_nothing_is_critical_its_recall_is_not_known() -> None:
    matrix = confusion(np.array([0, 1, 2]), np.array([0, 1, 3]))

    assert np.isnan(critical_recall(matrix))
    assert np.isnan(critical_missed(matrix))


def test_where_all_is_one_rating_kappa_is_not_known() -> None:
    assert np.isnan(quadratic_weighted_kappa(confusion(np.array([1, 1]), np.array([1, 1]))))


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        pytest.param([0.95, 0.95, 0.15], [True, False, False], (0.9 + 0.15) / 3, id="two bins"),
        pytest.param([0.75, 0.75, 0.75, 0.75], [True, True, True, False], 0.0, id="perfect"),
        pytest.param([1.0, 1.0], [True, True], 0.0, id="sure and right"),
        pytest.param([1.0, 1.0], [False, False], 1.0, id="sure and wrong"),
        pytest.param([0.55, 0.65], [True, False], (0.45 + 0.65) / 2, id="errors of two bins do not cancel"),
        pytest.param([0.55, 0.57], [True, False], 0.12 / 2, id="errors of one bin do"),
    ],
)
def test_the_calibration_error_is_the_mean_gap_of_the_bins(
    confidence: list[float], right: list[bool], expected: float
) -> None:
    found = expected_calibration_error(np.array(confidence, dtype=np.float32), np.array(right))

    assert found == pytest.approx(expected, abs=1e-6)


def figures(rows: int, seed: int = 0) -> dict[str, Interval]:
    truth, given = drawn(seed, rows)
    confidence = np.random.default_rng(seed).uniform(0.3, 1, rows).astype(np.float32)
    return rating_figures(truth, given, confidence, np.arange(rows), seed=1)


@pytest.fixture(scope="module")
def few() -> dict[str, Interval]:
    return figures(60)


@pytest.fixture(scope="module")
def many() -> dict[str, Interval]:
    return figures(960)


@pytest.mark.parametrize("name", RATING_FIGURES)
def test_an_interval_contains_its_figure_and_shrinks_with_more_rows(
    few: dict[str, Interval], many: dict[str, Interval], name: str
) -> None:
    assert few[name].low <= few[name].value <= few[name].high
    assert many[name].low <= many[name].value <= many[name].high
    assert 0 < many[name].high - many[name].low < 0.5 * (few[name].high - few[name].low)


def test_the_calibration_error_has_an_interval_that_shrinks_with_more_rows(
    few: dict[str, Interval], many: dict[str, Interval]
) -> None:
    widths = [found["calibration_error"].high - found["calibration_error"].low for found in (few, many)]

    assert 0 < widths[1] < widths[0]


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    hits = 0
    for seed in range(40):
        truth = np.zeros(80, dtype=np.int64)
        given = np.where(np.random.default_rng(seed).random(80) < 0.7, 0, 1)
        found = rating_figures(truth, given, np.full(80, 0.7, dtype=np.float32), np.arange(80), seed)["accuracy"]
        hits += found.low <= 0.7 <= found.high

    assert 34 <= hits <= 40


def test_the_same_seed_gives_the_same_intervals(few: dict[str, Interval]) -> None:
    assert figures(60) == few


def test_rows_of_one_situation_are_not_independent_so_the_interval_is_wider() -> None:
    truth, given = drawn(3, 50)
    five = [np.repeat(values, 5) for values in (truth, given)]
    confidence = np.full(250, 0.6, dtype=np.float32)

    together = rating_figures(*five, confidence, np.repeat(np.arange(50), 5), seed=0)["accuracy"]
    apart = rating_figures(*five, confidence, np.arange(250), seed=0)["accuracy"]

    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_a_figure_that_is_not_known_has_no_interval_and_spoils_no_other() -> None:
    truth, given = np.array([0, 1, 2, 1, 0] * 4), np.array([0, 1, 1, 1, 0] * 4)

    found = rating_figures(truth, given, np.full(20, 0.5, dtype=np.float32), np.arange(20), seed=0)

    assert np.isnan([found["critical_recall"].value, found["critical_recall"].low]).all()
    assert found["accuracy"].low <= 0.8 <= found["accuracy"].high


@pytest.mark.parametrize("seed", SEEDS)
def test_the_f1_of_categories_is_that_of_scikit_learn(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth, given = draw.random((60, 15)) < 0.2, draw.random((60, 15)) < 0.2
    truth[:, 4], given[:, 4] = False, False

    found = category_f1(truth, given)

    assert found["micro_f1"] == pytest.approx(f1_score(truth, given, average="micro", zero_division=0))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro", zero_division=0))


def test_a_figure_reads_with_its_interval() -> None:
    assert str(Interval(0.8512, 0.8, 0.9)) == "0.851 [0.800, 0.900]"
