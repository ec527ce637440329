"""OpenAI's requests are read as OpenAI reads them, and its scores follow from our assessments as documented."""

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openai.types.moderation import Categories, CategoryAppliedInputTypes, CategoryScores

from riskmodel import Policy, RiskModel
from riskmodel.errors import EscalationError
from riskmodel.records import PROXIMITIES, SEVERITIES, Assessment, Category, Escalation, Factor
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.moderation import RULES, moderate, read_inputs
from riskmodel.service.moderation_rules import UNKNOWABLE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "moderations.md"
OWN_KEYS = {
    "extremism",
    "child_safety",
    "sexual_content",
    "exploitation",
    "scams_fraud",
    "illegal_goods",
    "civic_integrity",
    "privacy",
    "dangerous_acts",
    "intellectual_property",
}


@pytest.fixture(scope="module")
def plain(model: RiskModel) -> Assessment:
    (found,) = model.assess([Escalation(text="The parcel is late", id="a")], NOW)
    return found


def assessed(plain: Assessment, severity: tuple[str, float], proximity: tuple[str, float], **chances: float) -> Any:
    """Return the result for an assessment whose categories are those given, decided from a half."""
    decided = [Category(name=name, probability=p, dsa=None) for name, p in chances.items() if p >= 0.5]
    assessment = plain.model_copy(
        update={
            "severity": Factor(value=severity[0], confidence=severity[1]),
            "proximity": Factor(value=proximity[0], confidence=proximity[1]),
            "categories": decided or [Category(name="none", probability=0.9, dsa=None)],
            "category_probabilities": dict.fromkeys(plain.category_probabilities, 0.01) | chances,
        }
    )
    (result,) = moderate([assessment], "1").results
    return result


def test_a_text_is_one_input_and_texts_are_several() -> None:
    assert [escalation.text for escalation in read_inputs({"input": "one", "model": "omni-moderation-latest"})] == [
        "one"
    ]
    assert [escalation.text for escalation in read_inputs({"input": ["one", "two"], "model": None})] == ["one", "two"]


def test_parts_are_one_input() -> None:
    parts = [{"type": "text", "text": "sells"}, {"type": "text", "text": "copies"}]

    (escalation,) = read_inputs({"input": parts})

    assert escalation.text == "sells\ncopies"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], "body: found a list, expected an object with the field input"),
        ({}, "input: found no such field, expected text, a list of texts, or a list of parts of type text"),
        ({"input": 7}, "input: found a number, expected text, a list of texts, or a list of parts of type text"),
        ({"input": []}, "input: found an empty list, expected at least one text"),
        ({"input": ["a"] * 257}, "input: found a list of 257, expected at most 256 of them"),
        ({"input": "a", "model": 3}, "model: found a number, expected text, which is not used"),
        ({"input": "a", "user": "b"}, "user: found an unknown field with text, expected one of input, model"),
        (
            {"input": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "http://x/secret"}}]},
            "input: found an image (part 2), expected text only",
        ),
        ({"input": [{"type": "text", "text": None}]}, "input: found nothing as the text of part 1, expected text"),
        (
            {"input": [{"type": "text", "text": "a", "image_url": {"url": "http://x/secret"}}]},
            "input: found an object of another form (item 1), expected text, a list of texts, or a list of parts of "
            "type text",
        ),
        (
            {"input": ["secret", {"type": "text", "text": "b"}]},
            "input: found text of another form (item 1), expected text, a list of texts, or a list of parts of "
            "type text",
        ),
    ],
)
def test_another_shape_is_refused_by_its_kind(raw: Any, problem: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        read_inputs(raw)

    assert str(caught.value) == problem


def test_texts_that_are_refused_are_named_by_their_place() -> None:
    with pytest.raises(EscalationError) as caught:
        read_inputs({"input": ["fine", " ", "x" * 20_001]})

    assert [problem.found for problem in caught.value.problems] == [
        "blank text (text 2)",
        "20,001 characters (text 3)",
    ]
    assert {problem.field for problem in caught.value.problems} == {"input"}


def test_every_key_of_openai_and_of_ours_is_in_all_three_mappings(plain: Assessment) -> None:
    (result,) = moderate([plain], "1").results

    for record, found in (
        (Categories, result.categories),
        (CategoryScores, result.category_scores),
        (CategoryAppliedInputTypes, result.category_applied_input_types),
    ):
        theirs = {field.alias or name for name, field in record.model_fields.items()}
        assert len(theirs) == 13
        assert set(found) == theirs | OWN_KEYS


def test_the_rules_name_categories_and_answers_that_there_are(policy: Policy) -> None:
    words = {word for rule in RULES.values() for word in re.findall(r"`(\w+)`", rule.wording)}

    assert words <= {*policy.category_names, *SEVERITIES, *PROXIMITIES}
    assert OWN_KEYS | {"harassment", "hate", "self_harm", "violence", "none"} == set(policy.category_names)


def test_scores_of_one_category_are_its_probability(plain: Assessment) -> None:
    result = assessed(plain, ("moderate", 0.7), ("active", 0.9), hate=0.61, scams_fraud=0.3)

    assert result.category_scores["hate"] == 0.61
    assert result.category_scores["illicit"] == result.category_scores["scams_fraud"] == 0.3
    assert result.categories["hate"] is True
    assert result.categories["scams_fraud"] is False


def test_a_threat_needs_violence_or_a_serious_harm(plain: Assessment) -> None:
    insult = assessed(plain, ("moderate", 0.8), ("active", 0.9), harassment=0.9)
    stalking = assessed(plain, ("serious", 0.8), ("active", 0.9), harassment=0.9)
    beating = assessed(plain, ("moderate", 0.8), ("active", 0.9), harassment=0.9, violence=0.7)

    threats = [result.category_scores["harassment/threatening"] for result in (insult, stalking, beating)]
    assert threats == [0.2, 0.8, 0.7]
    assert [result.categories["harassment/threatening"] for result in (insult, stalking, beating)] == [
        False,
        True,
        True,
    ]


def test_harm_to_a_minor_counts_as_sexual_where_it_is_severe(plain: Assessment) -> None:
    severe = assessed(plain, ("severe", 0.95), ("active", 0.9), child_safety=0.9)
    serious = assessed(plain, ("serious", 0.95), ("active", 0.9), child_safety=0.9)

    assert (severe.categories["sexual/minors"], severe.category_scores["sexual/minors"]) == (True, 0.9)
    assert (serious.categories["sexual/minors"], serious.category_scores["sexual/minors"]) == (False, 0.05)


def test_intent_ends_with_the_danger(plain: Assessment) -> None:
    near = assessed(plain, ("severe", 0.9), ("active", 0.8), self_harm=0.95)
    over = assessed(plain, ("severe", 0.9), ("contained", 0.8), self_harm=0.95)

    assert (near.categories["self-harm/intent"], near.category_scores["self-harm/intent"]) == (True, 0.8)
    assert (over.categories["self-harm/intent"], over.category_scores["self-harm/intent"]) == (False, 0.2)


def test_what_is_not_known_applies_to_no_input(plain: Assessment) -> None:
    result = assessed(plain, ("severe", 0.95), ("active", 0.9), self_harm=0.9, violence=0.9)

    for name in ("self-harm/instructions", "violence/graphic"):
        assert (result.category_scores[name], result.categories[name]) == (0.0, False)
        assert result.category_applied_input_types[name] == []
    assert result.category_applied_input_types["violence"] == ["text"]


def test_what_is_flagged_is_what_was_decided_and_a_narrower_category_never_exceeds_its_wider_one(
    plain: Assessment,
) -> None:
    names = ("violence", "hate", "harassment", "self_harm", "child_safety", "illegal_goods")
    for severity, proximity in itertools.product(SEVERITIES, PROXIMITIES):
        for decided in itertools.chain([()], itertools.combinations(names, 1), itertools.combinations(names, 2)):
            result = assessed(plain, (severity, 0.7), (proximity, 0.6), **dict.fromkeys(decided, 0.8))

            assert result.flagged == any(result.categories.values()) == bool(decided)
            for narrow in (name for name in RULES if "/" in name and name != "sexual/minors"):
                wide = narrow.partition("/")[0]
                assert result.category_scores[narrow] <= result.category_scores[wide]
                assert result.categories[narrow] <= result.categories[wide]


def test_an_answer_names_the_model_and_says_what_openai_has_no_place_for(plain: Assessment) -> None:
    answer = moderate([plain], "abc")

    assert (answer.id, answer.model) == ("modr-abc", "riskmodel-tiny")
    assert answer.results[0].riskmodel.model_dump() == {
        "id": "a",
        "rating": plain.rating,
        "confidence": plain.confidence,
        "decision": plain.decision.model_dump(),
    }


def test_the_documents_table_is_the_code() -> None:
    rows = re.findall(r"^\| `([a-z/-]+)` \| (.+?) \| ", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    documented = {name: wording for name, wording in rows if name in RULES}

    assert documented == {name: rule.wording for name, rule in RULES.items()}


def test_the_document_lists_our_other_categories_and_what_is_not_known() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    _, _, last = text.partition("## Our categories")

    assert set(re.findall(r"`(\w+)`", last)) == OWN_KEYS
    assert {name for name, rule in RULES.items() if rule is UNKNOWABLE} == {
        name for name in RULES if f"| `{name}` | not known | always 0 and false" in text
    }
