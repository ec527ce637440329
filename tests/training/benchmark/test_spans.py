"""Which characters are found to carry harm, from each word's support."""

from typing import Any

import numpy as np
import pytest

from riskmodel import RiskModel
from riskmodel.policy import NO_VIOLATION
from riskmodel.stages.explanation import Support
from training.benchmark.spans import _f1, _strong, supports, toxic_spans

WORDS = np.array([[0, 3], [4, 6], [7, 12]], dtype=np.int32)
TEXT = "you do awful"


def support(*words: float) -> Support:
    return Support(WORDS[: len(words)], np.array(words, dtype=np.float32), 0.0)


def letters(characters: set[int]) -> str:
    return "".join(TEXT[at] if at in characters else "." for at in range(len(TEXT)))


@pytest.mark.parametrize(
    ("level", "expected"),
    [(0.4, "you....awful"), (0.5, "you....awful"), (0.6, ".......awful"), (-np.inf, "you.do.awful")],
    ids=["below", "as strong", "above", "every word"],
)
def test_words_from_a_share_of_the_strongest_are_chosen(level: float, expected: str) -> None:
    assert letters(_strong(support(1.0, -0.5, 2.0), level)) == expected


@pytest.mark.parametrize("words", [(-1.0, -0.5, -2.0), (0.0, 0.0, 0.0), ()], ids=["against", "nothing", "no words"])
def test_where_no_word_speaks_for_harm_none_is_chosen(words: tuple[float, ...]) -> None:
    assert _strong(support(*words), 0.1) == set()


@pytest.mark.parametrize(
    ("given", "truth", "expected"),
    [
        pytest.param({1, 2, 3}, {2, 3, 4}, 4 / 6, id="in part"),
        pytest.param({1}, {1}, 1, id="all"),
        pytest.param({1}, {2}, 0, id="beside"),
        pytest.param(set(), set(), 1, id="none, rightly"),
        pytest.param({1}, set(), 0, id="none was marked"),
        pytest.param(set(), {1}, 0, id="none was found"),
    ],
)
def test_f1_of_characters_is_as_the_source_counts_it(given: set[int], truth: set[int], expected: float) -> None:
    assert _f1(given, truth) == pytest.approx(expected)


def test_words_and_rest_add_up_to_the_logit_against_none(model: RiskModel) -> None:
    texts = ["They will burn the shop tonight", "dois sapatos"]

    found = supports(model, texts)

    at = model.heads.columns["categories"].start + model.policy.category_names.index(NO_VIOLATION)
    for text, encoding, carried in zip(texts, model.encoder.encode(texts), found, strict=True):
        grams = model.lexical.transform(text)
        logits = model.heads.logits(encoding.vector, grams.features, grams.values)
        assert carried.words.sum() + carried.rest == pytest.approx(-float(logits[at]), abs=1e-4)
        assert len(carried.words) == len(text.split())


def test_the_level_is_chosen_on_the_trial_part_and_every_word_is_the_baseline(model: RiskModel) -> None:
    text = "They will burn the shop tonight"
    (found,) = supports(model, [text])
    strongest = found.spans[int(found.words.argmax())].tolist()
    rows: list[dict[str, Any]] = [
        {"text": text, "split": "trial", "rationale_spans": [strongest]},
        {"text": text, "split": "test", "rationale_spans": [strongest]},
        {"text": text, "split": "test", "rationale_spans": [[0, len(text)]]},
        {"text": text, "split": "train", "rationale_spans": []},
    ]

    ours, every = toxic_spans(rows, model)

    marked, whole, words = strongest[1] - strongest[0], len(text), len(text.replace(" ", ""))
    assert ours.n == every.n == 2
    assert ours.value.value == pytest.approx((1 + 2 * marked / (marked + whole)) / 2)
    assert every.value.value == pytest.approx((2 * marked / (marked + words) + 2 * words / (words + whole)) / 2)
