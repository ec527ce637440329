"""Figures of edits that can be counted by hand, on the tiny model and a few texts of its own kind."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from riskmodel import Escalation, RiskModel, read_escalation
from riskmodel.records import LANGUAGES, RATINGS, Assessment
from riskmodel.stages.language import LanguageDetector
from training.robustness import HARMLESS, SEED, Robustness, markdown, measure, read_probe

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = {
    "en": "They won't stop: my neighbour threatens to burn the café down tonight, at 9.",
    "es": "¡Ayuda! Amenazan a mi compañera: «mañana, a las 10, quemaremos la tienda», escriben.",
    "pt": "Não é brincadeira: ameaçam queimar a loja amanhã às 18h, já avisei à polícia.",
}


def assessed(model: RiskModel, texts: Sequence[str]) -> list[Assessment]:
    return [model.assess([Escalation(text=text)], NOW)[0] for text in texts]


def ranks(model: RiskModel, texts: Sequence[str]) -> list[int]:
    return [RATINGS.index(found.rating) for found in assessed(model, texts)]


@pytest.fixture(scope="module")
def frame(train_frame: pd.DataFrame) -> pd.DataFrame:
    """Return nine texts: one situation told three times, one told twice, four that are told once."""
    found = train_frame.iloc[450:459][["text", "language"]].copy()
    found["group"] = ["three", "once", "two", "three", "two", "again", "three", "alone", "single"]
    found["rating"] = ["low", "low", "critical", "high", "medium", "low", "high", "critical", "low"]
    return found


@pytest.fixture(scope="module")
def found(model: RiskModel, frame: pd.DataFrame) -> Robustness:
    return measure(model, frame)


def share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


# --- harmless edits -----------------------------------------------------------------------------------------------


def test_every_harmless_edit_is_measured_on_every_text(found: Robustness, frame: pd.DataFrame) -> None:
    assert list(found.harmless) == list(HARMLESS)
    assert {moved.n for moved in found.harmless.values()} == {len(frame)}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_edit_moved_what_it_moves_when_applied_by_hand(
    name: str, found: Robustness, frame: pd.DataFrame, model: RiskModel
) -> None:
    draw = random.Random(SEED)
    edited = [
        HARMLESS[name](text, language, draw) for text, language in zip(frame["text"], frame["language"], strict=True)
    ]

    before, after = ranks(model, frame["text"].tolist()), ranks(model, edited)

    assert found.harmless[name].moved.value == share([new != old for old, new in zip(before, after, strict=True)])
    assert found.harmless[name].fell.value == share([new < old for old, new in zip(before, after, strict=True)])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_edit_changes_a_text_and_leaves_one_that_passes_the_door(name: str, language: str) -> None:
    edited = HARMLESS[name](TEXTS[language], language, random.Random(1))

    assert edited != TEXTS[language]
    assert read_escalation({"text": edited}).text == edited
    assert len(edited) < 2 * len(TEXTS[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["in quotation marks, forwarded", "an order to rate it low", "emoji added"])
def test_what_is_put_around_a_text_leaves_the_text_whole(name: str, language: str) -> None:
    assert TEXTS[language] in HARMLESS[name](TEXTS[language], language, random.Random(1))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_order_is_in_the_language_of_the_text_and_a_greeting_in_another(language: str) -> None:
    detector = LanguageDetector()
    order = HARMLESS["an order to rate it low"]("", language, random.Random(1))
    greeting = HARMLESS["a greeting in another language"](TEXTS[language], language, random.Random(1))

    assert detector.detect(order) == language
    assert greeting.endswith(TEXTS[language])
    assert detector.detect(greeting.removesuffix(TEXTS[language])) != language


# --- contrast pairs -----------------------------------------------------------------------------------------------


def test_pairs_are_two_tellings_of_a_situation_that_the_raters_rated_differently(
    found: Robustness, frame: pd.DataFrame, model: RiskModel
) -> None:
    given = ranks(model, frame["text"].tolist())
    # "three" is low, high, high: two pairs, since the two high ones are none; "two" is critical, medium: one pair.
    by_hand = [given[0] < given[3], given[0] < given[6], given[2] > given[4]]

    assert found.pairs_n == 3
    assert found.pairs.value == pytest.approx(share(by_hand))


def test_a_model_that_rates_both_alike_has_the_pair_wrong(model: RiskModel, frame: pd.DataFrame) -> None:
    twice = pd.DataFrame(
        {"text": [TEXTS["en"]] * 2, "language": ["en"] * 2, "group": ["a"] * 2, "rating": ["low", "high"]}
    )

    found = measure(model, twice)

    assert (found.pairs_n, found.pairs.value) == (1, 0.0)


def test_texts_without_pairs_have_no_figure(model: RiskModel, frame: pd.DataFrame) -> None:
    found = measure(model, frame.iloc[:1])

    assert found.pairs_n == 0
    assert np.isnan(found.pairs.value)
    assert "| contrast pairs of the test split in the right order | 0 | nan [nan, nan] |" in markdown(found, "one")


# --- probes -------------------------------------------------------------------------------------------------------


def test_decisive_edits_count_where_the_rating_moves_as_told(found: Robustness, model: RiskModel) -> None:
    rows = read_probe("decisive")
    before, after = ranks(model, [row["before"] for row in rows]), ranks(model, [row["after"] for row in rows])

    by_hand = [
        new > old if row["expected"] == "higher" else new < old
        for row, old, new in zip(rows, before, after, strict=True)
    ]
    assert found.decisive_n == len(rows)
    assert found.decisive.value == pytest.approx(share(by_hand))


def test_unfamiliar_texts_count_where_a_person_looks_and_where_the_reason_is_named(
    found: Robustness, model: RiskModel
) -> None:
    rows = read_probe("unfamiliar")
    decisions = [each.decision for each in assessed(model, [row["text"] for row in rows])]

    assert found.unfamiliar_n == len(rows)
    assert found.unfamiliar_reviewed.value == pytest.approx(share([each.route == "review" for each in decisions]))
    assert found.unfamiliar_named.value == pytest.approx(
        share(["unfamiliar text" in each.reasons for each in decisions])
    )


@pytest.mark.parametrize(
    ("name", "fields"),
    [("decisive", {"language", "before", "after", "expected"}), ("unfamiliar", {"language", "text"})],
)
def test_probes_are_readable_and_as_many_in_each_of_our_languages(name: str, fields: set[str]) -> None:
    rows = read_probe(name)

    assert {frozenset(row) for row in rows} == {frozenset(fields)}
    counts = Counter(row["language"] for row in rows)
    assert set(counts) == set(LANGUAGES)
    assert len(set(counts.values())) == 1
    texts = [row[field] for row in rows for field in fields & {"text", "before", "after"}]
    assert all(read_escalation({"text": text}).text == text for text in texts)
    assert len(set(texts)) == len(texts)


def test_decisive_probes_are_in_the_language_they_name() -> None:
    detector = LanguageDetector()
    rows = [(row["language"], row[field]) for row in read_probe("decisive") for field in ("before", "after")]

    assert [(language, text) for language, text in rows if detector.detect(text) != language] == []


def test_decisive_probes_go_both_ways_in_every_language() -> None:
    ways = Counter((row["language"], row["expected"]) for row in read_probe("decisive"))

    assert set(ways) == {(language, way) for language in LANGUAGES for way in ("higher", "lower")}
    assert min(ways.values()) >= 4


def test_no_probe_stands_in_the_corpus(train_frame: pd.DataFrame) -> None:
    probes = [*read_probe("decisive"), *read_probe("unfamiliar")]
    texts = {row[field] for row in probes for field in ("text", "before", "after") if field in row}

    assert texts.isdisjoint(train_frame["text"])


# --- figures ------------------------------------------------------------------------------------------------------


def test_every_share_lies_in_its_interval(found: Robustness) -> None:
    shares = [found.decisive, found.pairs, found.unfamiliar_reviewed, found.unfamiliar_named]
    shares += [interval for each in found.harmless.values() for interval in (each.moved, each.fell)]

    assert all(0 <= each.low <= each.value <= each.high <= 1 for each in shares)


def test_a_second_look_finds_the_same(found: Robustness, model: RiskModel, frame: pd.DataFrame) -> None:
    told = list[str]()

    again = measure(model, frame, lambda step, steps, note: told.append(f"{step} of {steps}: {note}"))

    assert again == found
    assert told == [f"{step} of {len(HARMLESS)}: {name}" for step, name in enumerate(HARMLESS, start=1)]


def test_the_page_has_a_line_for_each_figure_with_its_number_of_texts(found: Robustness) -> None:
    lines = markdown(found, "2026.1").splitlines()

    assert lines[0].startswith("Version 2026.1;")
    for name, moved in found.harmless.items():
        assert f"| {name} | 9 | {moved.moved} | {moved.fell} |" in lines
    assert f"| decisive edits that moved the rating as they should | 36 | {found.decisive} |" in lines
    assert f"| contrast pairs of the test split in the right order | 3 | {found.pairs} |" in lines
    assert f"| texts that are no escalation, sent to review | 36 | {found.unfamiliar_reviewed} |" in lines
    assert f"| of these, called unfamiliar | 36 | {found.unfamiliar_named} |" in lines
