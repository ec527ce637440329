"""A verdict rests on how far the work has changed, not on how much of it there is."""

from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from riskmodel import Escalation, RiskModel
from riskmodel.errors import ArtifactError
from riskmodel.reference import REFERENCE, Mix, Said, count, read_reference
from riskmodel.reports.drift import LEAST_CASES, Shift, compare, mix_shift, mix_shifts, table, text_shift
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.reports.made import escalations_of, exported, keep_assessed, keep_rated, said

FEW, MANY = 300, 30_000
REFERENCE_ROWS = 5_000
SEEDS = range(20)
SHARES = {  # as even and as uneven as they come
    "languages": [0.34, 0.33, 0.33],
    "categories": [0.28, 0.17, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.02, 0.01, 0.01, 0.005, 0.005],
    "ratings": [0.3, 0.3, 0.25, 0.15],
    "confidence": [0.0, 0.0, 0.0, 0.02, 0.08, 0.15, 0.2, 0.2, 0.2, 0.15],
}


CHANGED = {
    "languages": [0.05, 0.15, 0.8],
    "categories": SHARES["categories"][::-1],
    "ratings": [0.1, 0.15, 0.25, 0.5],
    "confidence": SHARES["confidence"][::-1],
}


def drawn(shares: list[float], n: int, draw: np.random.Generator) -> dict[str, int]:
    return {str(at): int(found) for at, found in enumerate(draw.multinomial(n, shares))}


def exact(shares: list[float], n: int) -> dict[str, int]:
    return {str(at): round(share * n) for at, share in enumerate(shares)}


# --- mixes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", SHARES)
@pytest.mark.parametrize("n", [FEW, MANY])
def test_a_mix_that_did_not_change_is_steady_however_much_came_in(what: str, n: int) -> None:
    verdicts = set()
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        before, now = drawn(SHARES[what], REFERENCE_ROWS, draw), drawn(SHARES[what], n, draw)
        verdicts.add(mix_shift(what, before, now).verdict)

    assert verdicts == {"steady"}


@pytest.mark.parametrize("what", SHARES)
def test_the_index_of_no_change_is_near_nothing_even_of_few(what: str) -> None:
    draw = np.random.default_rng(0)
    found = [
        mix_shift(what, drawn(SHARES[what], REFERENCE_ROWS, draw), drawn(SHARES[what], LEAST_CASES, draw))
        for _ in range(200)
    ]

    assert np.mean([shift.index for shift in found]) < 0.02


@pytest.mark.parametrize("what", CHANGED)
def test_a_mix_that_is_another_now_has_changed_much_however_much_came_in(what: str) -> None:
    verdicts = set()
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        before = drawn(SHARES[what], REFERENCE_ROWS, draw)
        verdicts |= {mix_shift(what, before, drawn(CHANGED[what], n, draw)).verdict for n in (FEW, MANY)}

    assert verdicts == {"much change"}


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ([0.3, 0.3, 0.25, 0.15], "steady"),
        ([0.27, 0.28, 0.27, 0.18], "steady"),  # so small a change that only a large sample would prove it
        ([0.2, 0.24, 0.28, 0.28], "some change"),
        ([0.1, 0.2, 0.3, 0.4], "much change"),
    ],
)
def test_the_same_shares_get_the_same_verdict_from_few_and_from_many(shares: list[float], verdict: str) -> None:
    before = exact(SHARES["ratings"], REFERENCE_ROWS)

    few, many = (mix_shift("ratings", before, exact(shares, n)) for n in (FEW, MANY))

    assert few.verdict == many.verdict == verdict
    assert few.index == pytest.approx(many.index, abs=0.015)


def test_the_index_is_the_population_stability_index() -> None:
    found = mix_shift("ratings", {"low": 500_000, "high": 500_000}, {"low": 800_000, "high": 200_000})

    assert found.index == pytest.approx(0.3 * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5), abs=1e-4)
    assert found.moved == {"high": (0.5, 0.2), "low": (0.5, 0.8)}


def test_the_three_values_that_moved_most_are_named_with_their_shares() -> None:
    before = {"a": 200, "b": 200, "c": 200, "d": 200, "e": 200}
    now = {"a": 200, "b": 10, "c": 490, "d": 150, "e": 150}

    found = mix_shift("categories", before, now)

    assert list(found.moved)[:2] == ["b", "c"]
    assert len(found.moved) == 3
    assert found.moved["c"] == (pytest.approx(0.2, abs=0.001), pytest.approx(0.49, abs=0.001))


def test_what_never_occurred_before_is_a_change_that_can_be_counted() -> None:
    found = mix_shift("languages", {"en": 300, "pt": 300}, {"en": 150, "pt": 150, "fr": 300})

    assert found.verdict == "much change"
    assert found.index is not None
    assert np.isfinite(found.index)
    assert next(iter(found.moved)) == "fr"


def test_one_case_of_a_new_kind_changes_nothing() -> None:
    before = {"en": REFERENCE_ROWS // 2, "pt": REFERENCE_ROWS // 2}

    for n in (FEW, MANY):
        assert mix_shift("languages", before, {"en": n // 2, "pt": n // 2, "fr": 1}).verdict == "steady"


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ({"low": LEAST_CASES}, {"high": LEAST_CASES - 1}, "too few to tell"),
        ({"low": LEAST_CASES - 1}, {"high": LEAST_CASES}, "too few to tell"),
        ({"low": LEAST_CASES}, {"high": LEAST_CASES}, "much change"),
        ({"low": LEAST_CASES}, {"low": LEAST_CASES}, "steady"),
        ({"low": LEAST_CASES}, {}, "too few to tell"),
        ({}, {}, "too few to tell"),
    ],
)
def test_too_few_cases_on_either_side_get_no_verdict(before: dict[str, int], now: dict[str, int], verdict: str) -> None:
    found = mix_shift("ratings", before, now)

    assert found.verdict == verdict
    assert (found.index is None) is (verdict == "too few to tell")


def test_a_mix_is_compared_in_four_ways() -> None:
    before = count([Said("en", "violence", "high", 0.75)] * 500)
    now = count([Said("pt", "violence", "high", 0.35)] * 500)

    found = {shift.what: shift for shift in mix_shifts(before, now)}

    assert {what: shift.verdict for what, shift in found.items()} == {
        "languages": "much change",
        "categories": "steady",
        "ratings": "steady",
        "confidence": "much change",
    }
    assert set(found["confidence"].moved) >= {"0.3-0.4", "0.7-0.8"}


# --- texts --------------------------------------------------------------------------------------------------------


def vectors(n: int, draw: np.random.Generator, away: float = 0.0, share: float = 1.0) -> np.ndarray:
    """Return unit vectors (n, 16), of which a share lies away from where the others do."""
    found = draw.normal(size=(n, 16)) / np.sqrt(np.arange(1, 17))
    found[: round(share * n), 3] += away
    found = draw.permutation(found / np.linalg.norm(found, axis=1, keepdims=True))
    return np.asarray(found, dtype=np.float32)


@pytest.mark.parametrize("n", [FEW, MANY])
def test_texts_like_those_before_are_steady_however_many_came_in(n: int) -> None:
    found = []
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        found.append(text_shift(vectors(600, draw), vectors(n, draw)))

    assert {shift.verdict for shift in found} == {"steady"}
    assert np.mean([shift.index for shift in found]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("away", "share", "verdict"), [(0.5, 1.0, "some change"), (1.5, 1.0, "much change"), (3.0, 0.5, "some change")]
)
def test_a_planted_shift_of_the_texts_gets_the_same_verdict_from_few_and_from_many(
    away: float, share: float, verdict: str
) -> None:
    verdicts = set()
    for seed in range(5):
        draw = np.random.default_rng(seed)
        before = vectors(600, draw)
        verdicts |= {text_shift(before, vectors(n, draw, away, share)).verdict for n in (FEW, MANY)}

    assert verdicts == {verdict}


def test_many_texts_are_told_apart_no_better_than_a_sample_of_them() -> None:
    """With many directions to look in, more texts would find a smaller shift."""
    draw = np.random.default_rng(0)
    before, now = (draw.normal(size=(5_000, 256)).astype(np.float32) for _ in range(2))
    now[:, 3] += 1

    assert text_shift(before, now).index == pytest.approx(text_shift(before[:400], now[:400]).index, abs=0.06)


def test_texts_that_have_nothing_in_common_are_told_apart_without_fail() -> None:
    draw = np.random.default_rng(0)

    found = text_shift(vectors(FEW, draw), vectors(FEW, draw, away=50))

    assert found.index == pytest.approx(1.0, abs=0.001)


def test_the_index_is_near_the_area_under_the_curve_of_the_best_direction() -> None:
    draw = np.random.default_rng(1)
    before, now = vectors(600, draw), vectors(MANY, draw, away=1.0)

    found = text_shift(before, now)

    best = roc_auc_score(np.repeat([0, 1], [600, MANY]), np.concatenate([before, now])[:, 3])
    assert found.index == pytest.approx(best, abs=0.05)


def test_the_very_same_texts_are_steady_even_if_they_are_all_one() -> None:
    same = vectors(FEW, np.random.default_rng(0))
    one = np.repeat(same[:1], FEW, axis=0)

    assert text_shift(same, same).verdict == "steady"
    assert text_shift(one, one).verdict == "steady"
    assert text_shift(one, one).index == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("before", "now"), [(LEAST_CASES - 1, FEW), (FEW, LEAST_CASES - 1), (FEW, 0)])
def test_too_few_texts_on_either_side_get_no_verdict(before: int, now: int) -> None:
    draw = np.random.default_rng(0)

    assert text_shift(vectors(before, draw), vectors(now, draw, away=5)) == Shift("texts", None, "too few to tell", {})


def test_two_hundred_texts_are_enough() -> None:
    draw = np.random.default_rng(0)

    assert text_shift(vectors(LEAST_CASES, draw), vectors(LEAST_CASES, draw, away=5)).verdict == "much change"


def test_the_same_question_gets_the_same_answer_twice() -> None:
    draw = np.random.default_rng(0)
    before, now = vectors(600, draw), vectors(MANY, draw, away=0.5)

    assert text_shift(before, now) == text_shift(before, now)


# --- a period of a casebook ---------------------------------------------------------------------------------------


def spread(counts: dict[str, int], n: int, draw: np.random.Generator) -> list[str]:
    """Return n values in the shares of the counts, in any order."""
    values, shares = list(counts), np.array(list(counts.values())) / sum(counts.values())
    bounds = (np.cumsum(shares) * n).round().astype(int)
    found = np.repeat(values, np.diff(bounds, prepend=0))
    return [str(value) for value in draw.permutation(found)]


def period(url: str, before: Mix, escalations: list[Escalation], **changed: str) -> list[dict[str, Any]]:
    """Keep escalations with what the version said before in the same shares, but for what has changed."""
    draw, n = np.random.default_rng(0), len(escalations)
    sure = {f"{(at + 0.5) / 10}": found for at, found in enumerate(before.confidence)}
    mixes = (before.languages, before.categories, before.ratings, sure)
    languages, categories, ratings, confidences = (spread(mix, n, draw) for mix in mixes)
    assessments = [
        said(
            escalation,
            changed.get("language", languages[at]),
            changed.get("category", categories[at]),
            changed.get("rating", ratings[at]),
            float(confidences[at]),
        )
        for at, escalation in enumerate(escalations)
    ]
    keep_assessed(url, escalations, assessments, NOON)
    return exported(url)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'casebook.db'}"


@pytest.fixture(scope="module")
def before(tiny_model: Path) -> Mix:
    return read_reference(tiny_model)[0]


@pytest.fixture(scope="module")
def like_before(train_frame: pd.DataFrame, sample_frame: pd.DataFrame) -> list[Escalation]:
    """Return escalations of the kind that the tiny version learnt from, and none of those."""
    return escalations_of(train_frame.iloc[len(sample_frame) :][:FEW])


def verdicts(shifts: list[Shift]) -> dict[str, str]:
    return {shift.what: shift.verdict for shift in shifts}


def test_a_period_like_what_the_version_was_trained_for_is_steady(
    tiny_model: Path, before: Mix, like_before: list[Escalation], url: str
) -> None:
    found = compare(tiny_model, period(url, before, like_before))

    assert verdicts(found) == dict.fromkeys(["languages", "categories", "ratings", "confidence", "texts"], "steady")


def test_what_the_version_says_of_a_like_period_is_counted_as_what_it_said_before(
    tiny_model: Path, model: RiskModel, like_before: list[Escalation], url: str
) -> None:
    keep_rated(url, model, like_before, NOON)

    found = verdicts(compare(tiny_model, exported(url)))

    assert (found["languages"], found["categories"], found["texts"]) == ("steady", "steady", "steady")


def test_a_period_in_which_other_things_were_said_shows_which(
    tiny_model: Path, before: Mix, like_before: list[Escalation], url: str
) -> None:
    found = compare(tiny_model, period(url, before, like_before, language="pt", rating="critical"))

    assert verdicts(found) == {
        "languages": "much change",
        "categories": "steady",
        "ratings": "much change",
        "confidence": "steady",
        "texts": "steady",
    }


def test_a_period_of_other_texts_is_told_apart_by_its_texts_alone(
    tiny_model: Path, before: Mix, like_before: list[Escalation], url: str
) -> None:
    others = [
        Escalation(text=f"Whisk {at} eggs with sugar until pale, fold in the flour, bake for {at} minutes.", id=each.id)
        for at, each in enumerate(like_before)
    ]

    found = compare(tiny_model, period(url, before, others))

    assert verdicts(found) == {
        "languages": "steady",
        "categories": "steady",
        "ratings": "steady",
        "confidence": "steady",
        "texts": "much change",
    }


def test_a_few_cases_get_no_verdict(tiny_model: Path, before: Mix, like_before: list[Escalation], url: str) -> None:
    found = compare(tiny_model, period(url, before, like_before[:20]))

    assert set(verdicts(found).values()) == {"too few to tell"}


def test_only_the_newest_assessment_of_a_case_counts(
    tiny_model: Path, before: Mix, like_before: list[Escalation], url: str
) -> None:
    cases = period(url, before, like_before)
    for case in cases:
        older = {**case["assessments"][0], "rating": "critical", "language": "fr"}
        case["assessments"] = [case["assessments"][0], older]

    found = verdicts(compare(tiny_model, cases))

    assert (found["ratings"], found["languages"]) == ("steady", "steady")


def test_a_version_without_a_reference_is_refused(
    own_tiny_model: Path, before: Mix, like_before: list[Escalation], url: str
) -> None:
    (own_tiny_model / REFERENCE).unlink()

    with pytest.raises(ArtifactError, match="train the version again"):
        compare(own_tiny_model, period(url, before, like_before[:5]))


def test_the_table_has_a_row_for_each_and_shows_no_index_where_there_is_none() -> None:
    shifts = [
        Shift("ratings", 0.314159, "much change", {"high": (0.2, 0.45), "low": (0.5, 0.25)}),
        Shift("texts", None, "too few to tell", {}),
    ]
    console = Console(width=120, record=True, file=StringIO())

    console.print(table(shifts, "The last 7 days"))

    shown = console.export_text()
    ratings, texts = (line for line in shown.splitlines() if "much change" in line or "too few" in line)
    assert "The last 7 days" in shown
    assert "0.31" in ratings
    assert "high 20% → 45%, low 50% → 25%" in ratings
    assert not any(word in texts for word in ("nan", "None", "0."))
