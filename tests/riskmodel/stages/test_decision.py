from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.policy import NO_VIOLATION, load_policy
from riskmodel.records import LANGUAGES, RATINGS, SEVERITIES, ReviewReason
from riskmodel.stages.decision import (
    CONTENT,
    CRITICAL,
    LEAST_CONFIDENCE,
    LEAST_WORDS,
    Signs,
    Thresholds,
    decide,
    decide_categories,
    doubts,
    grow,
    not_too_low,
    plausible_ratings,
)

NAMES = load_policy().category_names
NONE = NAMES.index(NO_VIOLATION)
LEVEL = 0.4  # of a further category
LEVELS = Thresholds(
    conformal_mass={"en": 0.8, "es": 0.9, "pt": 0.95}, accept_safety=0.8, border=0.1, familiarity=0.6, category=LEVEL
)
CLEAR = Signs(
    language="es",
    mixed=False,
    words=LEAST_WORDS,
    rank=1,
    confidence=LEAST_CONFIDENCE,
    safety=LEVELS.accept_safety,
    critical=0.09,
    agreed=True,
    familiarity=LEVELS.familiarity,
    for_person=False,
    content=False,
)
DOUBTFUL: dict[ReviewReason, dict[str, object]] = {
    "no readable words": {"language": "und"},
    "unsupported language": {"language": "ht"},
    "mixed language": {"mixed": True},
    "evidence too thin": {"words": LEAST_WORDS - 1},
    "unfamiliar text": {"familiarity": 0.59},
    "category needs a person": {"for_person": True},
    "content without a report": {"content": True},
    "uncertain rating": {"confidence": 0.49},
    "near critical": {"critical": LEVELS.border},
    "may be rated too low": {"safety": 0.79},
}

EXPLAINS = "factors and rating disagree"


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
    found = plausible_ratings(chances, rank, mass)

    ranks = [RATINGS.index(rating) for rating in found]
    assert ranks == list(range(ranks[0], ranks[-1] + 1))
    assert rank in ranks
    assert len(ranks) == 4 or chances[ranks].sum() >= mass - 1e-5


@given(chances=four_chances(), rank=st.integers(0, 3), mass=st.floats(0, 1), more=st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_a_higher_mass_never_gives_a_smaller_set(chances: np.ndarray, rank: int, mass: float, more: float) -> None:
    low, high = sorted((mass, more))

    small, large = (set(plausible_ratings(chances, rank, level)) for level in (low, high))

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
    assert plausible_ratings(np.array(chances), rank, mass=0.9) == expected


@given(chances=four_chances(), rank=st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_sets_grow_by_one_neighbour_at_a_time_to_all_ratings(chances: np.ndarray, rank: int) -> None:
    found = list(grow(chances, rank))

    assert [last - first + 1 for first, last, _ in found] == [1, 2, 3, 4]
    for first, last, held in found:
        assert held == pytest.approx(chances[first : last + 1].sum(), abs=1e-5)


def test_what_gives_no_doubt_is_accepted() -> None:
    found = decide(CLEAR, LEVELS)

    assert (found.route, found.reasons) == ("auto", [])


@pytest.mark.parametrize(("reason", "sign"), DOUBTFUL.items(), ids=DOUBTFUL)
def test_each_doubt_alone_sends_an_escalation_to_a_person_and_is_named(
    reason: ReviewReason, sign: dict[str, object]
) -> None:
    found = decide(replace(CLEAR, **sign), LEVELS)

    assert (found.route, found.reasons) == ("review", [reason])


def test_there_is_a_sign_for_every_reason_that_a_record_may_name() -> None:
    assert DOUBTFUL.keys() | {EXPLAINS} == set(get_args(ReviewReason))


def test_heads_that_disagree_explain_a_doubt_and_alone_stop_nothing() -> None:
    doubtful = replace(CLEAR, agreed=False, confidence=0.4)

    assert decide(replace(CLEAR, agreed=False), LEVELS).route == "auto"
    assert decide(doubtful, LEVELS).reasons == ["uncertain rating", EXPLAINS]


@given(told=st.sets(st.sampled_from([*DOUBTFUL])))
@settings(deadline=None, max_examples=100)
def test_every_reason_for_review_is_told_once(told: set[ReviewReason]) -> None:
    if "no readable words" in told:
        told = told - {"unsupported language"}  # where no language can be told, none is unsupported
    signs = replace(CLEAR, **{name: value for reason in told for name, value in DOUBTFUL[reason].items()})

    found = decide(signs, LEVELS)

    assert sorted(found.reasons) == sorted(told)
    assert found.route == ("review" if told else "auto")


@given(told=st.sets(st.sampled_from([*DOUBTFUL])))
@settings(deadline=None, max_examples=50)
def test_doubts_are_the_reasons_that_do_not_rest_on_the_bound(told: set[ReviewReason]) -> None:
    signs = replace(CLEAR, **{name: value for reason in told for name, value in DOUBTFUL[reason].items()})

    found = doubts(signs, LEVELS.border, LEVELS.familiarity)

    assert found == [reason for reason in decide(signs, LEVELS).reasons if reason != "may be rated too low"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_in_a_language_of_ours_is_not_for_a_person_for_its_language(language: str) -> None:
    assert decide(replace(CLEAR, language=language), LEVELS).route == "auto"


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
def test_what_is_rated_critical_is_not_near_its_border(chance: float) -> None:
    assert decide(replace(CLEAR, rank=CRITICAL, critical=chance), LEVELS).route == "auto"


@pytest.mark.parametrize("rank", range(CRITICAL))
def test_each_lower_rating_may_be_near_critical(rank: int) -> None:
    assert decide(replace(CLEAR, rank=rank, critical=0.3), LEVELS).reasons == ["near critical"]


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_each_language_has_its_own_mass(language: str) -> None:
    assert LEVELS.mass(language, content=False) == LEVELS.conformal_mass[language]


@pytest.mark.parametrize("language", ["fr", "und", ""])
def test_a_language_that_was_never_seen_has_the_largest_mass(language: str) -> None:
    assert LEVELS.mass(language, content=False) == 0.95


@pytest.mark.parametrize("language", [*LANGUAGES, "fr", "und"])
def test_content_itself_has_one_mass_in_every_language(language: str) -> None:
    levels = replace(LEVELS, conformal_mass=LEVELS.conformal_mass | {CONTENT: 0.7})

    assert levels.mass(language, content=True) == 0.7


def test_where_no_content_was_learnt_from_it_has_the_largest_mass() -> None:
    assert LEVELS.mass("en", content=True) == 0.95


def test_the_chance_of_not_being_too_low_is_what_lies_at_or_below_the_rating() -> None:
    chances = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], dtype=np.float32)

    assert not_too_low(chances, np.array([2, 0])) == pytest.approx([0.6, 0.7])


def test_where_no_level_keeps_the_promise_even_a_sure_rating_goes_to_a_person() -> None:
    sure = replace(CLEAR, confidence=1.0, safety=1.0)

    assert decide(sure, replace(LEVELS, accept_safety=2.0)).reasons == ["may be rated too low"]


def test_categories_are_the_likeliest_and_those_beside_it_that_are_likely_enough() -> None:
    found = decide_categories(with_chances(hate=0.7, violence=0.9, privacy=0.39), NAMES, "severe", LEVEL)

    assert names(found) == ["violence", "hate"]


def test_the_main_category_is_decided_however_unlikely() -> None:
    assert names(decide_categories(with_chances(privacy=0.1), NAMES, "moderate", LEVEL)) == ["privacy"]


def test_no_violation_stands_alone() -> None:
    found = decide_categories(with_chances(none=0.8, harassment=0.7), NAMES, "minor", LEVEL)

    assert names(found) == [NO_VIOLATION]


def test_no_violation_is_never_a_second_category() -> None:
    found = decide_categories(with_chances(none=0.7, harassment=0.8), NAMES, "minor", LEVEL)

    assert names(found) == ["harassment"]


@pytest.mark.parametrize("severity", SEVERITIES[1:])
def test_harm_is_never_no_violation(severity: str) -> None:
    found = decide_categories(with_chances(none=0.99, harassment=0.1), NAMES, severity, LEVEL)

    assert names(found) == ["harassment"]


@given(chances=category_chances(), severity=st.sampled_from(SEVERITIES), level=st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=200)
def test_categories_keep_the_rules_of_the_guide(chances: np.ndarray, severity: str, level: float) -> None:
    found = decide_categories(chances, NAMES, severity, level)

    assert found
    assert len(set(found)) == len(found)
    assert chances[found].tolist() == sorted(chances[found].tolist(), reverse=True)
    assert NONE not in found or (found == [NONE] and severity == "minor")
    allowed = [at for at in range(len(NAMES)) if at != NONE or severity == "minor"]
    assert chances[found[0]] == chances[allowed].max()
    if found != [NONE]:
        assert set(found[1:]) == {at for at in allowed if at not in (NONE, found[0]) and chances[at] >= level}
