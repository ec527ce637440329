import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel import Escalation, Policy, RiskModel
from riskmodel.policy import NO_VIOLATION, load_policy
from riskmodel.records import LANGUAGES, PROXIMITIES, RATINGS, SEVERITIES, Evidence
from riskmodel.stages.explanation import (
    CHUNK,
    LEAST_SHARE,
    MAX_PHRASE_WORDS,
    MAX_PHRASES,
    Support,
    counterfactuals,
    margin,
    phrases,
    summary,
    support,
)
from riskmodel.stages.rating import Rated

POLICY = load_policy()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CELLS = list(product(SEVERITIES, PROXIMITIES, (False, True)))
TEXTS = {
    "plain": "A user says he will come to the school on Monday with a rifle.",
    "one word": "bomb",
    "accents": "Vão à escola amanhã; não há ninguém lá às três.",
    "combining characters": "Dice que mañana va a la cafetería con un cuchillo.".replace("ñ", "n\u0303").replace(
        "í", "i\u0301"
    ),
    "CRLF": "He wrote:\r\n\r\nI will do it tonight\r\nand nobody can stop me.\r\n",
    "emoji": "he will come 😀 with a 🔫 👩‍👩‍👧 tomorrow 👍🏽",
    "only emoji": "😀😀 🔫",
    "blanks around": " \t he will come \n ",
    "another script": "他明天会来学校。 Он придёт завтра.",
    "an endless word": "x" * 3_000,
    "marks": "... !!! ¿? — he (will) «come» ...",
}


def coefficients_of(
    model: RiskModel, logits: np.ndarray, severity: str = "severe", proximity: str = "active"
) -> np.ndarray:
    rating = model.policy.table[severity][proximity]
    return model.answer(logits, Rated(rating, np.full(4, 0.25, dtype=np.float32), severity, proximity, lifted=False))


def explained(
    model: RiskModel, text: str, answer: tuple[str, str] = ("severe", "active")
) -> tuple[Support, float, np.ndarray]:
    """Return the support of a text's words for an answer, the answer's margin, and the coefficients."""
    (encoding,) = model.encoder.encode([text])
    lexical = model.lexical.transform(text)
    logits = model.heads.logits(encoding.vector, lexical.features, lexical.values)
    coefficients = coefficients_of(model, logits, *answer)
    return model.support(text, encoding, lexical, coefficients), float(coefficients @ logits), coefficients


@pytest.fixture(scope="module")
def corpus(train_frame: pd.DataFrame) -> list[str]:
    return train_frame["text"].iloc[::100].tolist()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_words_and_rest_sum_to_the_margin_of_the_answer(model: RiskModel, text: str) -> None:
    found, expected, _ = explained(model, text)

    assert float(found.words.sum()) + found.rest == pytest.approx(expected, abs=1e-4)


def test_words_and_rest_sum_to_the_margin_for_reports_of_the_corpus(model: RiskModel, corpus: list[str]) -> None:
    for text, answer in zip(corpus, cycle(product(SEVERITIES, PROXIMITIES))):
        found, expected, _ = explained(model, text, answer)

        assert float(found.words.sum()) + found.rest == pytest.approx(expected, abs=1e-4)


def test_words_and_rest_sum_to_the_margin_for_a_text_read_in_windows(model: RiskModel, corpus: list[str]) -> None:
    text = "\r\n".join(corpus)
    (encoding,) = model.encoder.encode([text])

    found, expected, _ = explained(model, text)

    assert len(encoding.hidden) > 10 * 64
    assert float(found.words.sum()) + found.rest == pytest.approx(expected, abs=1e-4)


def test_content_is_explained_by_the_blend_that_rated_it(model: RiskModel) -> None:
    direct = replace(model, content_blend=replace(model.content_blend, table_weight=0.0))
    logits = np.linspace(-1, 1, model.heads.bias.shape[0], dtype=np.float32)
    rated = Rated("critical", np.full(4, 0.25, dtype=np.float32), "severe", "active", lifted=False)

    report, content = direct.answer(logits, rated), direct.answer(logits, rated, content=True)

    assert report[model.heads.columns["severity"]].any()
    assert not content[model.heads.columns["severity"]].any()
    assert content[model.heads.columns["rating"]].any()


@pytest.mark.parametrize("name", ["plain", "accents", "CRLF", "emoji"])
def test_each_word_carries_its_own_tokens_and_ngrams_and_the_rest_those_of_no_word(model: RiskModel, name: str) -> None:
    text = TEXTS[name]
    (encoding,) = model.encoder.encode([text])
    lexical = model.lexical.transform(text)

    found, _, coefficients = explained(model, text)

    spans = [match.span() for match in CHUNK.finditer(text)]
    states = encoding.hidden / (len(encoding.hidden) * encoding.norm)
    tokens = (states @ model.heads.dense @ coefficients).tolist()
    grams = (lexical.values * (model.heads.lexical[lexical.features] @ coefficients)).tolist()
    pieces = list(zip(encoding.offsets[:, 1].tolist(), tokens, strict=True))
    pieces += list(zip(lexical.spans[lexical.words][:, 1].tolist(), grams, strict=True))
    # A piece that ends in white space belongs to the word before it.
    starts = [start for start, _ in spans] + [len(text) + 1]
    expected = [sum(value for end, value in pieces if start < end <= stop) for start, stop in pairwise(starts)]
    assert found.spans.tolist() == [list(span) for span in spans]
    np.testing.assert_allclose(found.words, expected, atol=1e-4)
    outside = float(model.heads.bias @ coefficients) + sum(value for end, value in pieces if end == 0)
    assert found.rest == pytest.approx(outside, abs=1e-4)


def test_what_ends_in_white_space_belongs_to_the_word_before() -> None:
    tokens = np.array([1.0, 2.0, 4.0, 8.0], dtype=np.float32)
    spans = np.array([[0, 0], [0, 3], [3, 4], [4, 7]], dtype=np.int32)

    found = support("one two", tokens, spans, np.empty(0, dtype=np.float32), np.empty((0, 2), dtype=np.int32), 0.5)

    assert found.words.tolist() == [6, 8]
    assert found.rest == pytest.approx(1.5)


@pytest.mark.parametrize("text", ["", " \n"], ids=["empty", "blank"])
def test_a_text_without_words_leaves_all_to_the_rest(text: str) -> None:
    none = np.empty(0, dtype=np.float32), np.empty((0, 2), dtype=np.int32)

    found = support(text, np.array([2.0], dtype=np.float32), np.array([[0, 1]], dtype=np.int32), *none, 1.0)

    assert len(found.words) == 0
    assert found.rest == pytest.approx(3)


@given(logits=st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=6), answer=st.integers(0, 5))
@settings(deadline=None, max_examples=80)
def test_a_margin_is_the_lead_over_the_others_whatever_is_added_to_all(logits: list[float], answer: int) -> None:
    values, answer = np.array(logits, dtype=np.float32), answer % len(logits)

    found = margin(values, answer)

    others = np.delete(found, answer)
    assert found[answer] == 1
    assert (others <= 0).all()
    assert others.sum() == pytest.approx(-1, abs=1e-3) or np.exp(np.delete(values, answer) - values.max()).sum() < 1e-6


def test_a_margin_counts_the_likelier_rivals_more() -> None:
    found = margin(np.array([0.0, 2.0, 1.0], dtype=np.float32), 0)

    assert found.tolist() == pytest.approx([1, -np.e / (1 + np.e), -1 / (1 + np.e)])


WORDS = st.sampled_from(["he", "will", "«come»", "tomorrow,", "não", "e\u0301l", "🔫", "...", "(to)", "school"])
SCORES = st.floats(-3, 3, width=32)


@given(pieces=st.lists(st.tuples(WORDS, st.sampled_from([" ", "\r\n", "  ", "\t"]), SCORES), max_size=60))
@settings(deadline=None, max_examples=200)
def test_phrases_are_disjoint_stretches_of_the_text_in_order_with_shares_of_its_support(
    pieces: list[tuple[str, str, float]],
) -> None:
    text = "".join(word + gap for word, gap, _ in pieces)
    spans = np.array([match.span() for match in CHUNK.finditer(text)], dtype=np.int32).reshape(-1, 2)
    scores = np.array([score for *_, score in pieces], dtype=np.float32)

    found = phrases(text, Support(spans, scores, 0.0))

    assert len(found) <= MAX_PHRASES
    assert all(first.end <= second.start for first, second in pairwise(found))
    for item in found:
        assert item.text == text[item.start : item.end]
        assert item.text
        assert item.text == item.text.strip()
        assert len(item.text.split()) <= MAX_PHRASE_WORDS
        assert LEAST_SHARE - 1e-3 <= item.weight <= 1
    assert sum(item.weight for item in found) <= 1 + 1e-3
    assert bool(found) or not (scores > 0.5).any() or len(pieces) > 1 / LEAST_SHARE


@pytest.mark.parametrize("scores", [[], [-1.0, -2.0], [0.0, 0.0]], ids=["no words", "against", "nothing"])
def test_where_no_word_supports_the_answer_there_is_no_phrase(scores: list[float]) -> None:
    text = "word " * len(scores)
    spans = np.array([match.span() for match in CHUNK.finditer(text)], dtype=np.int32).reshape(-1, 2)

    assert phrases(text, Support(spans, np.array(scores, dtype=np.float32), 5.0)) == []


def test_the_strongest_stretches_are_told_without_the_marks_around_them() -> None:
    text = 'They said: "he will kill her", then (maybe) left; a knife!'
    scores = {"he": 1, "will": 2, "kill": 3, "her": 2, "knife": 1.5}
    spans = [match.span() for match in CHUNK.finditer(text)]
    values = [scores.get(re.sub(r"\W", "", text[start:end]), -0.5) for start, end in spans]

    found = phrases(text, Support(np.array(spans, dtype=np.int32), np.array(values, dtype=np.float32), 0.0))

    assert [item.text for item in found] == ["he will kill her", "knife"]
    assert [item.weight for item in found] == pytest.approx([8 / 9.5, 1.5 / 9.5], abs=1e-3)


@pytest.mark.parametrize("name", TEXTS)
def test_evidence_is_cut_from_the_text_as_sent(model: RiskModel, name: str) -> None:
    text = TEXTS[name]

    (found,) = model.assess([Escalation(text=text)], NOW)

    evidence = found.explanation.evidence
    assert all(item.text == text[item.start : item.end] for item in evidence)
    assert all(0 < item.weight <= 1 for item in evidence)
    assert all(first.end <= second.start for first, second in pairwise(evidence))


def test_evidence_never_begins_or_ends_within_a_character_with_its_accents(model: RiskModel) -> None:
    text = unicodedata.normalize("NFD", "Él dijo que mañana matará a María, según la señora; ¡está aquí!")

    (found,) = model.assess([Escalation(text=text)], NOW)

    for item in found.explanation.evidence:
        assert not unicodedata.combining(item.text[0])
        assert item.end == len(text) or not unicodedata.combining(text[item.end])


def rated(policy: Policy, severity: str, proximity: str, lifted: bool) -> str:
    rating = policy.table[severity][proximity]
    return max(rating, policy.floor.at_least[severity], key=RATINGS.index) if lifted else rating


@pytest.mark.parametrize(("severity", "proximity", "lifted"), CELLS, ids=str)
def test_counterfactuals_are_all_single_answers_that_would_change_the_rating(
    policy: Policy, severity: str, proximity: str, lifted: bool
) -> None:
    here = rated(policy, severity, proximity, lifted)
    others = {other: rated(policy, severity, other, lifted) for other in PROXIMITIES}
    others |= {other: rated(policy, other, proximity, lifted) for other in SEVERITIES}
    if lifted:
        others["no deadline"] = rated(policy, severity, proximity, False)

    found = counterfactuals(severity, proximity, lifted, policy)

    assert {item.if_: item.then for item in found} == {name: then for name, then in others.items() if then != here}
    assert len({item.if_ for item in found}) == len(found)


def an_evidence(text: str = "he will come", weight: float = 0.5) -> Evidence:
    return Evidence(start=0, end=len(text), text=text, weight=weight)


def sentence(
    language: str,
    cell: tuple[str, str, bool] = ("severe", "active", False),
    categories: tuple[str, ...] = ("violence",),
    evidence: tuple[Evidence, ...] = (),
    team: str = "crisis_response",
) -> str:
    severity, proximity, lifted = cell
    rating = rated(POLICY, severity, proximity, lifted)
    return summary(language, rating, severity, proximity, lifted, list(categories), team, list(evidence), POLICY)


RATING_WORDS = {
    "en": dict(zip(RATINGS, ("low", "medium", "high", "critical"), strict=True)),
    "es": dict(zip(RATINGS, ("baja", "media", "alta", "crítica"), strict=True)),
    "pt": dict(zip(RATINGS, ("baixa", "média", "alta", "crítica"), strict=True)),
}
HOUR_WORDS = {
    "en": dict(zip(RATINGS, ("72 hours", "24 hours", "4 hours", "1 hour"), strict=True)),
    "es": dict(zip(RATINGS, ("72 horas", "24 horas", "4 horas", "1 hora"), strict=True)),
    "pt": dict(zip(RATINGS, ("72 horas", "24 horas", "4 horas", "1 hora"), strict=True)),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_summary_of_each_row_names_rating_and_deadline_in_the_language(
    language: str, cell: tuple[str, str, bool]
) -> None:
    rating = rated(POLICY, *cell)

    found = sentence(language, cell)

    assert re.search(rf"\b{RATING_WORDS[language][rating]}\b", found)
    assert f"{HOUR_WORDS[language][rating]}." in found
    assert found == " ".join(found.split())
    assert not re.search(r"[{}]|None", found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_rows_have_the_same_summary(language: str) -> None:
    assert len({sentence(language, cell) for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "24 working hours."), ("es", "24 horas hábiles."), ("pt", "24 horas úteis.")]
)
def test_hours_that_count_only_while_a_team_works_are_told_as_such(language: str, words: str) -> None:
    assert words in sentence(language, ("moderate", "active", False), team="legal_operations")
    assert "4 h" in sentence(language, ("serious", "active", False), team="legal_operations")


def test_an_hour_is_one_hour() -> None:
    assert "1 hour." in sentence("en")
    assert "1 hora." in sentence("es")
    assert "1 hora." in sentence("pt")


@pytest.mark.parametrize("category", POLICY.category_names)
def test_every_category_has_words_in_each_language(category: str) -> None:
    found = {language: sentence(language, categories=(category,)) for language in LANGUAGES}

    assert len(set(found.values())) == len(LANGUAGES)
    assert all("_" not in text and "{" not in text for text in found.values())


def test_every_category_is_named_in_its_own_words() -> None:
    harms = [name for name in POLICY.category_names if name != NO_VIOLATION]

    for language in LANGUAGES:
        assert len({sentence(language, categories=(name,)) for name in harms}) == len(harms)
    assert "self-harm, child safety" in sentence("en", categories=("self_harm", "child_safety"))


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "breaks a rule"), ("es", "infringe una regla"), ("pt", "viola uma regra")],
)
def test_what_breaks_no_rule_is_told_as_such_and_without_decisive_words(language: str, words: str) -> None:
    found = sentence(language, ("minor", "contained", False), (NO_VIOLATION,), (an_evidence(),))

    assert words in found
    assert "he will come" not in found


@pytest.mark.parametrize(("language", "word"), [("en", "lifts"), ("es", "eleva"), ("pt", "eleva")])
def test_only_a_lifted_rating_is_told_as_lifted(language: str, word: str) -> None:
    assert word in sentence(language, ("serious", "contained", True))
    assert word not in sentence(language, ("serious", "contained", False))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_strongest_phrase_is_quoted_on_one_line(language: str) -> None:
    evidence = (an_evidence("weaker", 0.1), an_evidence("the\r\nstrongest  one", 0.6), an_evidence("weak", 0.2))

    found = sentence(language, evidence=evidence)

    assert "the strongest one" in found
    assert "weak" not in found


def test_braces_in_a_report_are_quoted_as_they_are() -> None:
    assert "use {rating} and {0} {phrase}" in sentence("en", evidence=(an_evidence("use {rating} and {0} {phrase}"),))


@pytest.mark.parametrize("language", ["fr", "ht", "und", "zh", ""])
def test_a_report_in_another_language_is_summed_up_in_english(language: str) -> None:
    assert sentence(language) == sentence("en")
