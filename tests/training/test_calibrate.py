import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.policy import NO_VIOLATION, load_policy
from riskmodel.stages.decision import LEAST_CONFIDENCE, Thresholds, decide_categories, not_too_low, plausible_ratings
from riskmodel.stages.heads import columns, softmax
from riskmodel.stages.rating import blend_chances
from training.calibrate import (
    LEAST_CRITICAL_CHANCE,
    accept_safety,
    believe,
    category_threshold,
    conformal_mass,
    decided_matrix,
    fit_blend,
    fit_scales,
    fit_thresholds,
)
from training.labels import Labels
from training.params import DoubtParams

NAMES = load_policy().category_names
NONE = NAMES.index(NO_VIOLATION)
WIDTH = 12 + len(NAMES)
MOST, CERTAINTY = 0.02, 0.95
NEVER = 2.0


def draw_answers(draw: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    return np.asarray((draw.random((len(chances), 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1))


def labels_for(logits: np.ndarray, seed: int = 0) -> Labels:
    """Draw labels whose chances are exactly those behind the logits."""
    draw, at = np.random.default_rng(seed), columns(WIDTH)
    single = {name: draw_answers(draw, softmax(logits[:, at[name]])) for name in ("severity", "proximity", "rating")}
    categories = (draw.random((len(logits), len(NAMES))) < 1 / (1 + np.exp(-logits[:, at["categories"]]))).astype(
        np.float32
    )
    floor = (draw.random(len(logits)) < 1 / (1 + np.exp(-logits[:, at["floor"]][:, 0]))).astype(np.float32)
    floor[::3] = np.nan
    return Labels(
        **single,
        may_lift=np.ones(len(logits), dtype=bool),
        floor=floor,
        categories=categories,
        main_category=categories.argmax(axis=1),
    )


@pytest.fixture(scope="module")
def logits() -> np.ndarray:
    return np.random.default_rng(5).normal(scale=1.5, size=(4_000, WIDTH)).astype(np.float32)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0], ids=["under-confident", "as it is", "over-confident"])
def test_a_known_over_confidence_is_taken_back_in_each_head(logits: np.ndarray, factor: float) -> None:
    nothing = np.zeros_like(logits)

    found = fit_scales(factor * logits, nothing, labels_for(logits))

    for name, at in columns(WIDTH).items():
        assert np.ptp(found.dense[at]) == 0, name
        assert found.dense[at][0] == pytest.approx(1 / factor, rel=0.12), name


def test_each_of_two_readings_is_weighed_by_what_it_adds(logits: np.ndarray) -> None:
    one = np.random.default_rng(6).normal(size=logits.shape).astype(np.float32)
    labels = labels_for(2 * one + 0.5 * logits)

    found = fit_scales(one, logits, labels)

    for at in columns(WIDTH).values():
        assert found.dense[at][0] == pytest.approx(2, rel=0.15)
        assert found.lexical[at][0] == pytest.approx(0.5, rel=0.25)


def test_a_reading_without_information_is_weighed_down(logits: np.ndarray) -> None:
    noise = np.random.default_rng(9).normal(size=logits.shape).astype(np.float32)

    found = fit_scales(logits, noise, labels_for(logits))

    assert (found.lexical < 0.12).all()


def test_a_blend_takes_back_a_known_over_confidence_and_trusts_the_better_half(logits: np.ndarray) -> None:
    honest = softmax(logits[:, :4])
    truth = draw_answers(np.random.default_rng(1), honest)
    over_confident = honest**2 / (honest**2).sum(axis=1, keepdims=True)
    noise = softmax(np.random.default_rng(2).normal(size=honest.shape))

    found = fit_blend(over_confident, noise, truth, critical_recall=0.9)

    assert found.table_weight > 0.85
    assert found.temperature > 1.3


def test_a_blend_of_two_equal_halves_learns_the_temperature(logits: np.ndarray) -> None:
    honest = softmax(logits[:, :4])
    truth = draw_answers(np.random.default_rng(1), honest)
    over_confident = honest**2 / (honest**2).sum(axis=1, keepdims=True)

    found = fit_blend(over_confident, over_confident, truth, critical_recall=0.9)

    assert found.temperature == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95])
def test_the_chance_that_is_enough_for_critical_finds_the_share_that_was_asked_for_within_its_limits(
    logits: np.ndarray, wanted: float
) -> None:
    chances = softmax(logits[:, :4])
    truth = draw_answers(np.random.default_rng(1), chances)

    found = fit_blend(chances, chances, truth, wanted)

    blended = blend_chances(chances, chances, found)[truth == 3, 3]
    recall = float((blended >= found.critical_chance).mean())
    assert LEAST_CRITICAL_CHANCE <= found.critical_chance <= 0.5
    if LEAST_CRITICAL_CHANCE < found.critical_chance < 0.5:
        assert recall == pytest.approx(wanted, abs=0.01)
    else:
        assert (recall < wanted) == (found.critical_chance == LEAST_CRITICAL_CHANCE)


def test_without_any_critical_row_critical_needs_a_half(logits: np.ndarray) -> None:
    chances = softmax(logits[:, :4])

    assert fit_blend(chances, chances, np.zeros(len(chances), dtype=np.int64), 0.9).critical_chance == 0.5


def simulated(draw: np.random.Generator, rows: int, worst: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw confidences, and whether each rating is too low: ever rarer, the surer the model is."""
    confidence = draw.uniform(0.25, 1, rows).astype(np.float32)
    return confidence, draw.random(rows) < worst * (1 - confidence)


def true_share(level: float, worst: float) -> float:
    """Return the chance that an accepted rating is too low: the mean of ``worst * (1 - c)`` above the level."""
    return worst * (1 - max(level, 0.25)) / 2


def test_the_promise_about_accepted_ratings_holds_on_fresh_data_as_often_as_it_says() -> None:
    draw, kept, accepted = np.random.default_rng(11), 0, 0
    for _ in range(200):
        level = accept_safety(*simulated(draw, 3_000, worst=0.12), MOST, CERTAINTY)
        kept += level == NEVER or true_share(level, worst=0.12) <= MOST
        accepted += level < NEVER

    assert kept >= 0.95 * 200
    assert accepted >= 0.5 * 200


def test_of_a_good_model_nearly_everything_is_accepted() -> None:
    draw = np.random.default_rng(4)

    level = accept_safety(*simulated(draw, 3_000, worst=0.02), MOST, CERTAINTY)

    assert level < 0.3


def test_a_hopeless_model_is_never_accepted() -> None:
    draw, never = np.random.default_rng(12), 0
    for _ in range(100):
        confidence = draw.uniform(0.25, 1, 1_500).astype(np.float32)
        never += accept_safety(confidence, draw.random(1_500) < 0.1, MOST, CERTAINTY) == NEVER

    assert never >= 99


@pytest.mark.parametrize("rows", [1, 20, 140])
def test_too_few_rows_prove_nothing(rows: int) -> None:
    confidence = np.linspace(0.5, 1, rows).astype(np.float32)

    assert accept_safety(confidence, np.zeros(rows, dtype=bool), MOST, CERTAINTY) == NEVER


def test_enough_rows_without_an_error_are_all_accepted() -> None:
    confidence = np.linspace(0.5, 1, 2_000).astype(np.float32)

    assert accept_safety(confidence, np.zeros(2_000, dtype=bool), MOST, CERTAINTY) == pytest.approx(0.5)


def test_rows_of_the_same_confidence_are_accepted_together_or_not_at_all() -> None:
    confidence = np.full(4_000, 0.9, dtype=np.float32)
    under_rated = np.arange(4_000) >= 2_000  # those that stand later in the file are all too low

    level = accept_safety(confidence, under_rated, MOST, CERTAINTY)

    accepted = confidence >= level
    assert not accepted.any() or under_rated[accepted].mean() <= MOST


def chances_and_truth(draw: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    chances = draw.dirichlet([0.6] * 4, rows).astype(np.float32)
    wrong = chances**0.7 / (chances**0.7).sum(axis=1, keepdims=True)  # the model is a little too sure
    return chances, draw_answers(draw, wrong)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_sets_of_plausible_ratings_cover_fresh_data_at_the_level(coverage: float) -> None:
    draw, covered, size = np.random.default_rng(13), [], []
    for _ in range(30):
        chances, truth = chances_and_truth(draw, 500)
        mass = conformal_mass(chances, chances.argmax(axis=1), truth, coverage)
        chances, truth = chances_and_truth(draw, 300)
        for row, true in zip(chances, truth, strict=True):
            found = plausible_ratings(row, int(row.argmax()), Thresholds(mass, 0.5, 0.5))
            covered.append(["low", "medium", "high", "critical"][true] in found)
            size.append(len(found))

    assert coverage - 0.01 <= np.mean(covered) <= coverage + 0.05
    assert np.mean(size) < 3


def test_too_few_rows_give_the_whole_mass() -> None:
    chances, truth = chances_and_truth(np.random.default_rng(0), 5)

    assert conformal_mass(chances, chances.argmax(axis=1), truth, 0.9) == 1.0


@given(
    chances=arrays.arrays(np.float32, (4, len(NAMES)), elements=st.floats(0, 1, width=32)),
    threshold=st.floats(0.05, 0.95),
)
@settings(deadline=None, max_examples=150)
def test_categories_are_decided_in_training_as_in_service(chances: np.ndarray, threshold: float) -> None:
    decided = decided_matrix(chances, threshold, NONE)

    for row, marks in zip(chances, decided, strict=True):
        served = decide_categories(row, NAMES, "minor", Thresholds(0.9, 0.8, threshold))
        assert set(np.flatnonzero(marks)) == set(served)


def test_the_level_of_a_further_category_is_the_one_that_separates() -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random((300, len(NAMES))) < 0.2).astype(np.float32)
    truth[:, NONE] = 0
    chances = np.where(truth > 0, 0.7, 0.5).astype(np.float32)
    chances[:, NONE] = 0.01

    level = category_threshold(chances, truth, NONE)

    assert 0.5 < level <= 0.7
    assert (decided_matrix(chances, level, NONE) >= (truth > 0)).all()


def test_chances_are_those_behind_the_logits_and_the_floor_only_where_it_may_lift(logits: np.ndarray) -> None:
    may_lift = np.arange(len(logits)) % 2 == 0

    found = believe(logits, may_lift)

    np.testing.assert_allclose(found.joint.sum(axis=(1, 2, 3)), 1, atol=1e-5)
    np.testing.assert_allclose(found.joint.sum(axis=(2, 3)), softmax(logits[:, :4]), atol=1e-5)
    assert (found.joint[~may_lift][..., 1] == 0).all()
    assert (found.joint[may_lift][..., 1].sum(axis=(1, 2)) > 0).all()


def test_all_levels_are_learnt_together(logits: np.ndarray) -> None:
    labels = labels_for(logits)
    believed = believe(logits, labels.may_lift)
    doubt = DoubtParams(coverage=0.9, under_rating=MOST, certainty=CERTAINTY, critical_recall=0.9)
    ranks = believed.direct.argmax(axis=1)

    found = fit_thresholds(believed.direct, ranks, believed, labels, NONE, doubt)

    assert found.conformal_mass == conformal_mass(believed.direct, ranks, labels.rating, 0.9)
    assert found.category == category_threshold(believed.categories, labels.categories, NONE)
    sure = believed.direct[np.arange(len(ranks)), ranks] >= LEAST_CONFIDENCE
    accepted = sure & (not_too_low(believed.direct, ranks) >= found.accept_safety)
    assert not accepted.any() or (ranks < labels.rating)[accepted].mean() <= MOST
