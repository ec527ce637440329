from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.policy import NO_VIOLATION, load_policy
from riskmodel.records import LANGUAGES, RATINGS
from riskmodel.stages.decision import (
    CRITICAL,
    Signs,
    Thresholds,
    decide,
    decide_categories,
    doubts,
    not_too_low,
    plausible_ratings,
)
from riskmodel.stages.heads import columns, softmax
from riskmodel.stages.rating import blend_chances
from training.calibrate import (
    LEAST_CRITICAL_CHANCE,
    NEVER,
    Believed,
    accept_safety,
    believe,
    category_threshold,
    conformal_mass,
    critical_border,
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
        weight=np.ones(len(logits), dtype=np.float32),
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
            found = plausible_ratings(row, int(row.argmax()), mass)
            covered.append(RATINGS[true] in found)
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
        served = decide_categories(row, NAMES, "minor", threshold)
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


@pytest.mark.parametrize("reviewed", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("rows", [1, 40, 2_000])
def test_from_its_border_on_lies_the_share_of_the_critical_that_was_asked_for(reviewed: float, rows: int) -> None:
    draw = np.random.default_rng(rows)
    chances, rating = draw.dirichlet([0.6] * 4, rows).astype(np.float32), draw.integers(0, 4, rows)
    rating[0] = CRITICAL

    border = critical_border(chances, rating, reviewed)

    critical = chances[rating == CRITICAL, CRITICAL]
    assert (critical >= border).mean() >= reviewed
    assert (critical > border).sum() <= reviewed * len(critical) + 1  # and no more than that share


def test_without_any_critical_row_nothing_short_of_certainty_is_near_it(logits: np.ndarray) -> None:
    assert critical_border(softmax(logits[:, :4]), np.zeros(len(logits), dtype=np.int64), 0.98) == 1.0


@dataclass(frozen=True)
class Rows:
    """Rows of which the model tells its true doubts: ratings are drawn from its own chances."""

    chances: np.ndarray
    ranks: np.ndarray
    truth: np.ndarray
    languages: np.ndarray
    signs: list[Signs]


def draw_rows(draw: np.random.Generator, rows: int, sharper: dict[str, float] | None = None) -> Rows:
    """Draw rows of three languages; ``sharper``: by how much the chances of a language are too sure."""
    honest = draw.dirichlet([0.2] * 4, rows).astype(np.float32)
    truth, languages = draw_answers(draw, honest), draw.choice(LANGUAGES, rows)
    power = np.array([(sharper or {}).get(language, 1.0) for language in languages])[:, None]
    chances = (honest**power / (honest**power).sum(axis=1, keepdims=True)).astype(np.float32)
    ranks, familiarity = chances.argmax(axis=1), draw.uniform(0.4, 1, rows)
    safety = not_too_low(chances, ranks)
    signs = [
        Signs(
            language=str(languages[at]),
            mixed=False,
            words=20,
            rank=int(rank),
            confidence=float(chances[at, rank]),
            safety=float(safety[at]),
            critical=float(chances[at, CRITICAL]),
            agreed=True,
            familiarity=float(familiarity[at]),
            for_person=False,
            content=False,
        )
        for at, rank in enumerate(ranks)
    ]
    return Rows(chances, ranks, truth, languages, signs)


DOUBT = DoubtParams(
    coverage=0.9,
    under_rating=MOST,
    certainty=CERTAINTY,
    critical_recall=0.9,
    critical_reviewed=0.98,
    unfamiliar=0.02,
)


def thresholds(rows: Rows, signs: list[Signs] | None = None) -> Thresholds:
    draw, n = np.random.default_rng(0), len(rows.truth)
    categories = draw.random((n, len(NAMES))).astype(np.float32)
    labels = Labels(
        severity=rows.truth,
        proximity=rows.truth,
        rating=rows.truth,
        may_lift=np.ones(n, dtype=bool),
        floor=np.zeros(n, dtype=np.float32),
        categories=(draw.random((n, len(NAMES))) < categories).astype(np.float32),
        main_category=np.zeros(n, dtype=np.int64),
        weight=np.ones(n, dtype=np.float32),
    )
    believed = Believed(np.zeros((n, 4, 3, 2), dtype=np.float32), rows.chances, categories)
    return fit_thresholds(rows.chances, rows.ranks, signs or rows.signs, believed, labels, rows.languages, NONE, DOUBT)


@pytest.fixture(scope="module")
def learnt_from() -> Rows:
    return draw_rows(np.random.default_rng(21), 3_000)


def test_every_level_is_what_its_own_rule_learns(learnt_from: Rows) -> None:
    rows = learnt_from

    found = thresholds(rows)

    for language in LANGUAGES:
        at = rows.languages == language
        assert found.mass(language, content=False) == conformal_mass(
            rows.chances[at], rows.ranks[at], rows.truth[at], 0.9
        )
    assert found.border == critical_border(rows.chances, rows.truth, 0.98)
    unfamiliar = np.mean([signs.familiarity < found.familiarity for signs in rows.signs])
    assert unfamiliar == pytest.approx(0.02, abs=0.001)
    assert 0.05 <= found.category <= 0.95


def test_only_what_no_other_reason_speaks_against_decides_what_is_safe_enough(learnt_from: Rows) -> None:
    rows = learnt_from
    too_low = rows.ranks < rows.truth
    told = [replace(signs, mixed=bool(low)) for signs, low in zip(rows.signs, too_low, strict=True)]

    found = thresholds(rows, told)

    undoubted = [signs.safety for signs in told if not doubts(signs, found.border, found.familiarity)]
    assert found.accept_safety == min(undoubted)  # every mistake is for a person for another reason
    assert found.accept_safety < thresholds(rows).accept_safety


def test_where_every_row_is_doubted_nothing_is_accepted(learnt_from: Rows) -> None:
    found = thresholds(learnt_from, [replace(signs, mixed=True) for signs in learnt_from.signs])

    assert found.accept_safety == NEVER


def test_plausible_ratings_cover_each_language_however_sure_the_model_is_in_it() -> None:
    draw, sharper = np.random.default_rng(22), {"en": 1.0, "es": 2.0, "pt": 0.5}
    found, fresh = thresholds(draw_rows(draw, 4_500, sharper)), draw_rows(draw, 4_500, sharper)

    for language in LANGUAGES:
        covered = [
            RATINGS[true] in plausible_ratings(row, int(rank), found.mass(language, content=False))
            for row, rank, true, spoken in zip(fresh.chances, fresh.ranks, fresh.truth, fresh.languages, strict=True)
            if spoken == language
        ]
        assert 0.87 <= np.mean(covered) <= 0.94, language
    assert found.conformal_mass["pt"] < found.conformal_mass["en"] < found.conformal_mass["es"]


def test_what_is_accepted_is_rated_too_low_no_more_often_than_promised_in_nearly_all_repetitions() -> None:
    draw = np.random.default_rng(23)
    fresh = draw_rows(draw, 4_000)
    too_low = 1 - not_too_low(fresh.chances, fresh.ranks)  # the model's own chances are the true ones
    kept, accepted = [], []
    for _ in range(60):
        found = thresholds(draw_rows(draw, 1_200))
        auto = np.array([decide(signs, found).route == "auto" for signs in fresh.signs])
        kept.append(not auto.any() or too_low[auto].mean() <= MOST)
        accepted.append(auto.mean())

    assert np.mean(kept) >= CERTAINTY
    assert np.mean(accepted) > 0.25
