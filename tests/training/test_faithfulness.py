"""How far evidence can be trusted: figures that can be counted by hand, and what must hold between them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import pytest

from riskmodel import Escalation, RiskModel
from training.faithfulness import (
    OCCLUSION,
    OURS,
    RANDOM,
    SHARES,
    SHOWN,
    TFIDF,
    Faithfulness,
    markdown,
    measure,
    words_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
METHODS = (OURS, OCCLUSION, TFIDF, RANDOM)


def frame_of(*rows: tuple[str, Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["text", "evidence"])


def chance(model: RiskModel, text: str, rating: str) -> float:
    return model.assess([Escalation(text=text)], NOW)[0].probabilities[rating]  # type: ignore[index]


@pytest.fixture(scope="module")
def found(model: RiskModel, train_frame: pd.DataFrame, sample_frame: pd.DataFrame) -> Faithfulness:
    """Return the figures of a few texts that the tiny model was not trained on."""
    return measure(model, sample_frame, train_frame.iloc[len(sample_frame) :][:12])


def test_words_are_what_stands_between_white_space() -> None:
    text = " Ayer,  a las 3:\n¡ya!"

    assert [text[start:end] for start, end in words_of(text)] == ["Ayer,", "a", "las", "3:", "¡ya!"]
    assert words_of("").shape == (0, 2)


def test_every_way_to_rank_words_has_a_figure_and_an_interval_around_it(found: Faithfulness) -> None:
    assert found.n == 12
    assert set(found.deletion) == set(found.sufficiency) == set(METHODS)
    assert set(found.agreement) == {*METHODS, SHOWN}
    for part in (found.deletion, found.sufficiency, found.agreement, found.ahead):
        for interval in part.values():
            assert interval.low <= interval.value <= interval.high


def test_how_far_ours_is_ahead_is_the_difference_of_the_figures_and_more_is_better(found: Faithfulness) -> None:
    for other in (RANDOM, TFIDF, OCCLUSION):
        for question, part, sign in (
            ("deletion", found.deletion, 1),
            ("sufficiency", found.sufficiency, -1),
            ("agreement", found.agreement, 1),
        ):
            ahead = found.ahead[f"{question}, ours against {other}"].value
            assert ahead == pytest.approx(sign * (part[OURS].value - part[other].value), abs=1e-6)


def test_words_that_carry_the_rating_cost_more_than_words_drawn_at_random(found: Faithfulness) -> None:
    assert found.deletion[OURS].value > found.deletion[RANDOM].value
    assert found.deletion[OCCLUSION].value > found.deletion[RANDOM].value
    assert found.sufficiency[OURS].value < found.sufficiency[RANDOM].value


def test_the_same_texts_give_the_same_figures(
    found: Faithfulness, model: RiskModel, train_frame: pd.DataFrame, sample_frame: pd.DataFrame
) -> None:
    assert measure(model, sample_frame, train_frame.iloc[len(sample_frame) :][:12]) == found


def test_of_a_single_word_every_ranking_is_the_same(model: RiskModel, sample_frame: pd.DataFrame) -> None:
    single = measure(model, sample_frame, frame_of(("estafa", ["estafa"])))

    for part in (single.deletion, single.sufficiency, single.agreement):
        assert len({part[name].value for name in METHODS}) == 1
    assert single.sufficiency[RANDOM].value == pytest.approx(0, abs=1e-6)
    assert single.agreement[RANDOM].value == 1
    assert {interval.value for interval in single.ahead.values()} == {0}


def test_the_chance_lost_is_that_of_the_rating_given_to_the_whole_text(
    model: RiskModel, sample_frame: pd.DataFrame
) -> None:
    words = ["threat", "threat", "threat", "threat"]
    text = " ".join(words)
    (whole,) = model.assess([Escalation(text=text)], NOW)

    repeated = measure(model, sample_frame, frame_of((text, [])))

    left = [len(words) - max(1, round(share * len(words))) for share in SHARES]
    given = chance(model, text, whole.rating)
    lost = [given - chance(model, " ".join(words[:count]), whole.rating) for count in left]
    kept = [given - chance(model, " ".join(words[count:]), whole.rating) for count in left]
    for name in METHODS:
        assert repeated.deletion[name].value == pytest.approx(sum(lost) / len(lost), abs=2e-4)
        assert repeated.sufficiency[name].value == pytest.approx(sum(kept) / len(kept), abs=2e-4)


def test_agreement_is_the_f1_of_the_strongest_words_and_those_marked(model: RiskModel) -> None:
    # Raters mark half of the words, so the stronger two of four are compared.
    train = frame_of(*((f"the shop {verb} today", [f"{verb} today"]) for verb in ("opens", "closes", "moves", "burns")))
    train["rating"] = ["low", "medium", "high", "critical"]
    text = "the shop burns tonight"
    first = measure(model, train, frame_of((text, ["the"])))
    of_each = [measure(model, train, frame_of((text, [word]))).agreement[OURS].value for word in text.split()]
    strongest = [word for word, value in zip(text.split(), of_each, strict=True) if value]

    both = measure(model, train, frame_of((text, strongest)))
    none = measure(model, train, frame_of((text, [word for word in text.split() if word not in strongest])))

    assert len(strongest) == 2
    assert sorted(of_each) == pytest.approx([0, 0, 2 / 3, 2 / 3])
    assert first.agreement[OURS].value == of_each[0]
    assert both.agreement[OURS].value == 1
    assert none.agreement[OURS].value == 0


def test_where_raters_mark_nothing_a_marked_word_is_wrong(model: RiskModel, sample_frame: pd.DataFrame) -> None:
    found = measure(model, sample_frame, frame_of(("the shop burns tonight", [])))

    assert {found.agreement[name].value for name in METHODS} == {0}


def test_progress_is_told_text_by_text(model: RiskModel, sample_frame: pd.DataFrame) -> None:
    steps: list[tuple[int, int]] = []

    measure(model, sample_frame, frame_of(("a", []), ("b", [])), lambda step, of, note: steps.append((step, of)))

    assert steps == [(1, 2), (2, 2)]


def test_the_table_has_a_row_for_each_ranking_and_each_comparison(found: Faithfulness) -> None:
    rows = [line for line in markdown(found, "2026.01.01.1").splitlines() if line.startswith("|")]

    for name in (*METHODS, SHOWN):
        (row,) = [row for row in rows if row.startswith(f"| {name} |")]
        assert row.count("|") == 5
        assert str(found.agreement[name]) in row
    assert sum(" against " in row for row in rows) == 9
    assert "Version 2026.01.01.1, 12 texts" in markdown(found, "2026.01.01.1")
