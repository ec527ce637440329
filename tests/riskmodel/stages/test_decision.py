import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.policy import NO_VIOLATION, load_policy
from riskmodel.records import RATINGS, SEVERITIES
from riskmodel.stages.decision import Thresholds, decide, decide_categories, grow, not_too_low, plausible_ratings

NAMES = load_policy().category_names
NONE = NAMES.index(NO_VIOLATION)
LEVELS = Thresholds(conformal_mass=0.9, accept_safety=0.8, category=0.4)


def four_chances() -> st.SearchStrategy[np.ndarray]:
    values = arrays.arrays(np.float64, 4, elements=st.floats(0, 1)).filter(lambda found: found.sum() > 0.01)
    return values.map(lambda found: (found / found.sum()).astype(np.float32))


def category_chances() -> st.SearchStrategy[np.ndarray]:
    return arrays.arrays(np.float32, len(NAMES), elements=st.floats(0, 1, width=32))


def names(found: list[int]) -> list[str]:
    return [NAMES[at] for at in found]


def with_chances(**chances: float) -> np.ndarray:
    return np.array([chances.get(name, 0.01) for name in NAMES], dtype=np.float32)


@given(chances=four_chances(), rank=st.integers(0, 3), mass=st.floats(0, 1))
@settings(deadline=None, max_examples=200)
def test_plausible_ratings_are_neighbours_that_hold_the_chosen_one_and_the_mass(
    chances: np.ndarray, rank: int, mass: float
) -> None:
    found = plausible_ratings(chances, rank, Thresholds(mass, 0.5, 0.5))

    ranks = [RATINGS.index(rating) for rating in found]
    assert ranks == list(range(ranks[0], ranks[-1] + 1))
    assert rank in ranks
    assert len(ranks) == 4 or chances[ranks].sum() >= mass - 1e-5


@given(chances=four_chances(), rank=st.integers(0, 3), mass=st.floats(0, 1), more=st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_a_higher_mass_never_gives_a_smaller_set(chances: np.ndarray, rank: int, mass: float, more: float) -> None:
    low, high = sorted((mass, more))

    small, large = (set(plausible_ratings(chances, rank, Thresholds(level, 0.5, 0.5))) for level in (low, high))

    assert small <= large


@pytest.mark.parametrize(
    ("chances", "rank", "expected"),
    [
        pytest.param([0.02, 0.03, 0.04, 0.91], 3, ["critical"], id="sure"),
        pytest.param([0.05, 0.35, 0.6, 0], 2, ["medium", "high"], id="likelier neighbour first"),
        pytest.param([0.05, 0.5, 0.45, 0], 1, ["medium", "high"], id="above"),
        pytest.param([0.5, 0, 0, 0.5], 0, ["low", "medium", "high", "critical"], id="ends only"),
        pytest.param([0.6, 0.05, 0.05, 0.3], 3, ["low", "medium", "high", "critical"], id="chosen against the odds"),
        pytest.param([0.3, 0.3, 0.2, 0.2], 1, ["low", "medium", "high", "critical"], id="no idea"),
    ],
)
def test_a_set_grows_towards_the_likelier_neighbour_until_the_mass_is_held(
    chances: list[float], rank: int, expected: list[str]
) -> None:
    assert plausible_ratings(np.array(chances), rank, LEVELS) == expected


@given(chances=four_chances(), rank=st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_sets_grow_by_one_neighbour_at_a_time_to_all_ratings(chances: np.ndarray, rank: int) -> None:
    found = list(grow(chances, rank))

    assert [last - first + 1 for first, last, _ in found] == [1, 2, 3, 4]
    for first, last, held in found:
        assert held == pytest.approx(chances[first : last + 1].sum(), abs=1e-5)


@pytest.mark.parametrize(
    ("confidence", "safety", "language", "reasons"),
    [
        pytest.param(0.9, 0.8, "es", [], id="sure and safe"),
        pytest.param(0.49, 0.9, "es", ["uncertain rating"], id="not sure"),
        pytest.param(0.7, 0.79, "pt", ["may be rated too low"], id="not safe"),
        pytest.param(0.9, 0.9, "ht", ["unsupported language"], id="another language"),
        pytest.param(
            0.2,
            0.3,
            "und",
            ["no readable words", "uncertain rating", "may be rated too low"],
            id="every reason is told",
        ),
    ],
)
def test_every_reason_for_review_is_told_and_none_means_auto(
    confidence: float, safety: float, language: str, reasons: list[str]
) -> None:
    found = decide(confidence, safety, language, LEVELS)

    assert found.reasons == reasons
    assert found.route == ("review" if reasons else "auto")


def test_the_chance_of_not_being_too_low_is_what_lies_at_or_below_the_rating() -> None:
    chances = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], dtype=np.float32)

    assert not_too_low(chances, np.array([2, 0])) == pytest.approx([0.6, 0.7])


def test_where_no_level_keeps_the_promise_even_a_sure_rating_goes_to_a_person() -> None:
    assert decide(1.0, 1.0, "en", Thresholds(0.9, 2.0, 0.5)).route == "review"


def test_categories_are_the_likeliest_and_those_beside_it_that_are_likely_enough() -> None:
    found = decide_categories(with_chances(hate=0.7, violence=0.9, privacy=0.39), NAMES, "severe", LEVELS)

    assert names(found) == ["violence", "hate"]


def test_the_main_category_is_decided_however_unlikely() -> None:
    assert names(decide_categories(with_chances(privacy=0.1), NAMES, "moderate", LEVELS)) == ["privacy"]


def test_no_violation_stands_alone() -> None:
    found = decide_categories(with_chances(none=0.8, harassment=0.7), NAMES, "minor", LEVELS)

    assert names(found) == [NO_VIOLATION]


def test_no_violation_is_never_a_second_category() -> None:
    found = decide_categories(with_chances(none=0.7, harassment=0.8), NAMES, "minor", LEVELS)

    assert names(found) == ["harassment"]


@pytest.mark.parametrize("severity", SEVERITIES[1:])
def test_harm_is_never_no_violation(severity: str) -> None:
    found = decide_categories(with_chances(none=0.99, harassment=0.1), NAMES, severity, LEVELS)

    assert names(found) == ["harassment"]


@given(chances=category_chances(), severity=st.sampled_from(SEVERITIES), level=st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=200)
def test_categories_keep_the_rules_of_the_guide(chances: np.ndarray, severity: str, level: float) -> None:
    found = decide_categories(chances, NAMES, severity, Thresholds(0.9, 0.8, level))

    assert found
    assert len(set(found)) == len(found)
    assert chances[found].tolist() == sorted(chances[found].tolist(), reverse=True)
    assert NONE not in found or (found == [NONE] and severity == "minor")
    allowed = [at for at in range(len(NAMES)) if at != NONE or severity == "minor"]
    assert chances[found[0]] == chances[allowed].max()
    if found != [NONE]:
        assert set(found[1:]) == {at for at in allowed if at not in (NONE, found[0]) and chances[at] >= level}
