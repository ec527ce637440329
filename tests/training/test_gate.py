"""Each guard on predictions made by hand: it refuses when its figure gets worse, only then, and names the rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, recall_score

from riskmodel.records import LANGUAGES, RATINGS
from training.evaluate import Predicted
from training.gate import EXAMPLES, GUARDS, MOST_MOVED, Finding, compare, moved, slower

LOW, MEDIUM, HIGH, CRITICAL = range(4)
EACH = 25  # rows of a language, unit and rating; the champion rates 5 of them one too low, and 5 one too high
FIELD, CONTRAST = 1, 5
TEXT = "What somebody wrote to the desk"
Change = Callable[[pd.DataFrame, np.ndarray], None]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rows = [
        {"language": language, "unit": unit, "truth": truth, "at": at, "text": TEXT}
        for language in LANGUAGES
        for unit in (FIELD, CONTRAST)
        for truth in range(4)
        for at in range(EACH)
    ]
    found = pd.DataFrame(rows)
    found["id"] = [f"{row.language}-{row.unit}-{number:03}" for number, row in enumerate(found.itertuples(), start=1)]
    return found.assign(group=found["id"])


@pytest.fixture(scope="module")
def truth(frame: pd.DataFrame) -> np.ndarray:
    return frame["truth"].to_numpy()


def of(frame: pd.DataFrame, truth: int, first: int, last: int, **where: object) -> np.ndarray:
    """Return which rows have a true rating and lie from a number to another among those that share it."""
    mask = (frame["truth"] == truth) & frame["at"].between(first, last - 1)
    for column, value in where.items():
        mask &= frame[column] == value
    return mask.to_numpy(dtype=bool)


def predicted(ranks: np.ndarray, confidence: float = 0.7) -> Predicted:
    chances = np.full((len(ranks), 4), (1 - confidence) / 3, dtype=np.float32)
    chances[np.arange(len(ranks)), ranks] = confidence
    return Predicted(ranks, chances, np.zeros((len(ranks), 1), dtype=bool))


@pytest.fixture(scope="module")
def champion(frame: pd.DataFrame, truth: np.ndarray) -> Predicted:
    """Return ratings that are right in 7 of 10 rows, by a champion that is as sure as it is right."""
    ranks = truth.copy()
    ranks[(frame["at"] < 5) & (truth > LOW)] -= 1
    ranks[(frame["at"] < 5) & (truth == LOW)] += 1
    ranks[frame["at"].between(5, 9) & ((truth == MEDIUM) | (truth == HIGH))] += 1
    return predicted(ranks)


def named(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.guard: finding for finding in findings}


def refused(findings: list[Finding]) -> set[str]:
    return {finding.guard for finding in findings if not finding.passed}


def challenge(
    frame: pd.DataFrame, truth: np.ndarray, champion: Predicted, change: Change, confidence: float = 0.7
) -> list[Finding]:
    """Return what the guards find of the champion's ratings after a change."""
    ranks = champion.ranks.copy()
    change(frame, ranks)
    return compare(champion, predicted(ranks, confidence), frame, truth)


def leave(frame: pd.DataFrame, ranks: np.ndarray) -> None:
    """Change nothing."""


def miss_critical(frame: pd.DataFrame, ranks: np.ndarray) -> None:
    """Rate two more of the critical high, and two of the high right that were too low."""
    ranks[of(frame, CRITICAL, 5, 7)] = HIGH
    ranks[of(frame, HIGH, 0, 2)] = HIGH


def rate_lower(frame: pd.DataFrame, ranks: np.ndarray) -> None:
    """Rate too low what was as much too high; beside it, some of the low better and some worse."""
    ranks[of(frame, HIGH, 5, 10)] = MEDIUM
    ranks[of(frame, LOW, 0, 4)] = LOW
    ranks[of(frame, LOW, 10, 14)] = MEDIUM


def break_contrast(frame: pd.DataFrame, ranks: np.ndarray) -> None:
    """Rate contrast units worse by as much as the others better."""
    ranks[of(frame, LOW, 5, 10, unit=CONTRAST)] = MEDIUM
    ranks[of(frame, LOW, 0, 5, unit=FIELD)] = LOW


def err_further(language: str) -> Change:
    def change(frame: pd.DataFrame, ranks: np.ndarray) -> None:
        ranks[of(frame, LOW, 0, 5, language=language)] = CRITICAL
        ranks[of(frame, MEDIUM, 5, 10, language=language)] = CRITICAL

    return change


def test_every_figure_is_that_of_the_field(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    findings = named(challenge(frame, truth, champion, miss_critical))

    ranks = champion.ranks.copy()
    miss_critical(frame, ranks)
    contrast = (frame["unit"] == CONTRAST).to_numpy()
    expected = {
        "recall of critical, all": lambda given: recall_score(truth, given, labels=[CRITICAL], average="macro"),
        "share rated too low, all": lambda given: (given < truth).mean(),
        "accuracy, contrast": lambda given: accuracy_score(truth[contrast], given[contrast]),
        "calibration error, all": lambda given: abs((given == truth).mean() - 0.7),
    }
    for language in LANGUAGES:
        rows = (frame["language"] == language).to_numpy()
        expected[f"weighted kappa, {language}"] = lambda given, rows=rows: cohen_kappa_score(
            truth[rows], given[rows], weights="quadratic"
        )
    assert list(findings) == [f"{guard.figure}, {guard.part}" for guard in GUARDS]
    assert set(findings) == set(expected)
    for name, figure in expected.items():
        assert findings[name].champion == pytest.approx(figure(champion.ranks), abs=1e-6), name
        assert findings[name].challenger == pytest.approx(figure(ranks), abs=1e-6), name


def test_figures_counted_by_hand(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    findings = named(challenge(frame, truth, champion, miss_critical))

    assert (findings["recall of critical, all"].champion, findings["recall of critical, all"].challenger) == (
        pytest.approx(20 / 25),
        pytest.approx(18 / 25),
    )
    assert findings["recall of critical, all"].better_by.value == pytest.approx(-2 / 25)
    assert findings["share rated too low, all"].champion == pytest.approx(15 / 100)
    assert findings["accuracy, contrast"].champion == pytest.approx(70 / 100)


def test_the_same_ratings_pass_every_guard(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    findings = challenge(frame, truth, champion, leave)

    assert refused(findings) == set()
    assert {(finding.better_by.value, finding.better_by.low, finding.better_by.high) for finding in findings} == {
        (0.0, 0.0, 0.0)
    }
    assert all(finding.examples == [] for finding in findings)


@pytest.mark.parametrize(
    ("change", "confidence", "guard"),
    [
        (miss_critical, 0.7, "recall of critical, all"),
        (rate_lower, 0.7, "share rated too low, all"),
        *((err_further(language), 0.7, f"weighted kappa, {language}") for language in LANGUAGES),
        (break_contrast, 0.7, "accuracy, contrast"),
        (leave, 0.95, "calibration error, all"),
    ],
    ids=["critical missed", "rated lower", *LANGUAGES, "contrast", "too sure"],
)
def test_what_gets_worse_is_refused_by_its_guard_and_by_no_other(
    change: Change, confidence: float, guard: str, frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    findings = challenge(frame, truth, champion, change, confidence)

    assert refused(findings) == {guard}


@pytest.mark.parametrize("change", [miss_critical, rate_lower, break_contrast, *map(err_further, LANGUAGES)])
def test_the_way_back_from_what_was_worse_is_refused_by_nobody(
    change: Change, frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    ranks = champion.ranks.copy()
    change(frame, ranks)

    assert refused(compare(predicted(ranks), champion, frame, truth)) == set()


def lose(frame: pd.DataFrame, champion: Predicted, lost: int, won: int) -> Predicted:
    """Return ratings that miss so many more of the critical, and find so many that the champion missed."""
    ranks = champion.ranks.copy()
    right = np.flatnonzero(of(frame, CRITICAL, 5, EACH))
    missed = np.flatnonzero(of(frame, CRITICAL, 0, 5))
    ranks[right[:lost]] = HIGH
    ranks[missed[:won]] = CRITICAL
    return predicted(ranks)


@pytest.mark.parametrize(
    ("lost", "won", "passes"),
    [
        (4, 0, False),  # 2.7%, less than the margin, but nowhere better: certain
        (8, 4, True),  # 2.7% too, but it may be chance
        (16, 8, False),  # 5.3%, which may be chance, but more than the margin
        (8, 8, True),
    ],
)
def test_a_loss_is_refused_where_it_is_certain_or_beyond_the_margin(
    lost: int, won: int, passes: bool, frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    found = named(compare(champion, lose(frame, champion, lost, won), frame, truth))["recall of critical, all"]

    assert found.better_by.value == pytest.approx((won - lost) / 150)
    assert found.passed is passes


def test_tellings_of_one_situation_count_as_one_when_certainty_is_asked_for(
    frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    challenger = lose(frame, champion, 4, 0)
    told_often = frame.copy()
    told_often.loc[challenger.ranks != champion.ranks, "group"] = "one situation"

    apart = named(compare(champion, challenger, frame, truth))["recall of critical, all"]
    together = named(compare(champion, challenger, told_often, truth))["recall of critical, all"]

    assert apart.better_by.value == together.better_by.value
    assert (apart.better_by.high < 0, together.better_by.high) == (True, 0.0)
    assert (apart.passed, together.passed) == (False, True)


def test_a_refused_guard_names_the_rows_that_got_worse_with_both_ratings(
    frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    found = named(challenge(frame, truth, champion, miss_critical))["recall of critical, all"]

    lost = frame["id"][of(frame, CRITICAL, 5, 7)].tolist()
    assert found.examples == [f"{name} (critical, now high)" for name in lost[:EXAMPLES]]
    assert str(found).startswith("REFUSED: recall of critical, all: 0.800 → 0.720, better by -0.080 [-")
    assert str(found).endswith(f"; worse on {', '.join(found.examples)}")


def test_examples_are_of_the_guards_own_kind(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    def both(frame: pd.DataFrame, ranks: np.ndarray) -> None:
        ranks[of(frame, LOW, 5, 25)] = HIGH  # too high: the first rows of the frame
        ranks[of(frame, CRITICAL, 5, 10)] = LOW

    findings = named(challenge(frame, truth, champion, both))

    for name in ("recall of critical, all", "share rated too low, all"):
        assert {example.partition(" ")[2] for example in findings[name].examples} == {"(critical, now low)"}
    assert {example.partition(" ")[2] for example in findings["weighted kappa, pt"].examples} == {"(critical, now low)"}
    assert all(example.startswith("pt-") for example in findings["weighted kappa, pt"].examples)
    assert all("-5-" in example for example in findings["accuracy, contrast"].examples)


def test_a_guard_that_passes_names_no_rows(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    found = named(compare(champion, lose(frame, champion, 8, 8), frame, truth))["recall of critical, all"]

    assert found.examples == []
    assert str(found).startswith("fine: recall of critical, all: 0.800 → 0.800")
    assert "worse on" not in str(found)


def test_no_finding_holds_a_text(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    findings = challenge(frame, truth, champion, miss_critical)

    assert refused(findings)
    assert not any(TEXT in str(finding) for finding in findings)


def test_what_the_rows_cannot_tell_is_not_judged(frame: pd.DataFrame, truth: np.ndarray, champion: Predicted) -> None:
    rows = ((frame["truth"] < CRITICAL) & (frame["language"] != "es") & (frame["unit"] == FIELD)).to_numpy()
    some = predicted(champion.ranks[rows])

    findings = compare(some, some, frame[rows], truth[rows])

    assert [finding.guard for finding in findings] == [
        "share rated too low, all",
        "weighted kappa, en",
        "weighted kappa, pt",
        "calibration error, all",
    ]
    assert refused(findings) == set()


def test_the_same_comparison_gives_the_same_intervals(
    frame: pd.DataFrame, truth: np.ndarray, champion: Predicted
) -> None:
    assert challenge(frame, truth, champion, miss_critical) == challenge(frame, truth, champion, miss_critical)


# --- ratings of what came in recently -----------------------------------------------------------------------------


@pytest.mark.parametrize(("changed", "passes"), [(0, True), (15, True), (16, False), (100, False)])
def test_at_most_fifteen_in_a_hundred_recent_ratings_may_move(changed: int, passes: bool) -> None:
    before = ["medium"] * 100
    after = ["high"] * changed + ["medium"] * (100 - changed)

    found = moved(before, after, [f"case-{at}" for at in range(100)])

    assert MOST_MOVED == 0.15
    assert found.challenger == pytest.approx(changed / 100)
    assert found.passed is passes
    assert (found.examples == []) is passes


def test_the_ratings_that_move_furthest_are_named_first_whichever_way() -> None:
    before = ["low", "critical", "medium", "low", "high", "low"]
    after = ["low", "medium", "high", "critical", "medium", "low"]

    found = moved(before, after, ["a", "b", "c", "d", "e", "f"])

    assert found.examples == [
        "d (low → critical)",
        "b (critical → medium)",
        "c (medium → high)",
        "e (high → medium)",
    ]
    assert "share of 6 recent ratings that move, at most 15%" in str(found)


def test_nothing_recent_moves_nothing() -> None:
    found = moved([], [], [])

    assert found.passed
    assert found.challenger == 0.0


@pytest.mark.parametrize("rating", RATINGS)
def test_recent_ratings_that_stay_move_nothing(rating: str) -> None:
    assert moved([rating], [rating], ["a"]).challenger == 0.0


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "passes"), [([0.5] * 3, True), ([1.25] * 3, True), ([1.26] * 3, False), ([1.0, 1.0, 60.0], True)]
)
def test_a_challenger_may_take_a_quarter_longer_by_the_median(seconds: list[float], passes: bool) -> None:
    found = slower([1.0, 1.0, 1.0], seconds)

    assert found.passed is passes
    assert (found.champion, found.challenger) == (1.0, sorted(seconds)[1])
