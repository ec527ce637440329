import re
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from riskmodel import Assessment, Escalation, Policy, RiskModel, read_escalation
from riskmodel.model import PRECEDENTS_SHOWN
from riskmodel.policy import NO_VIOLATION
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, SOURCES
from training.labels import read_labels

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = re.compile(r"policy (\S+): (\w+) × (\w+)( \+ floor)? → (\w+)")


@pytest.fixture(scope="module")
def rows(train_frame: pd.DataFrame, sample_frame: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return about sixty rows of the corpus: of all kinds, and those that the floor lifted."""
    lifted = sample_frame[read_labels(sample_frame, policy).floor == 1].iloc[:12]
    return pd.concat([train_frame.iloc[::64], lifted])


@pytest.fixture(scope="module")
def escalations(rows: pd.DataFrame) -> list[Escalation]:
    return [read_escalation(row) for row in rows[["text", "source", "market", "id"]].to_dict("records")]


@pytest.fixture(scope="module")
def assessments(model: RiskModel, escalations: list[Escalation]) -> list[Assessment]:
    return model.assess(escalations, NOW)


def with_source(escalations: list[Escalation], source: str | None) -> list[Escalation]:
    return [escalation.model_copy(update={"source": source}) for escalation in escalations]


def is_lifted(assessment: Assessment) -> bool:
    return " + floor → " in assessment.explanation.rule


def test_the_same_escalations_get_the_same_assessments(
    model: RiskModel, escalations: list[Escalation], assessments: list[Assessment]
) -> None:
    assert model.assess(escalations, NOW) == assessments


def test_a_batch_is_assessed_as_each_escalation_alone_in_order(
    model: RiskModel, escalations: list[Escalation], assessments: list[Assessment]
) -> None:
    alone = [model.assess([escalation], NOW)[0] for escalation in escalations]

    assert alone == assessments


def test_nothing_in_gives_nothing_out(model: RiskModel) -> None:
    assert model.assess([], NOW) == []


@pytest.mark.parametrize(
    "received_at",
    [
        datetime(2026, 1, 31, 18, tzinfo=UTC),
        datetime(2026, 2, 28, 23, 59, tzinfo=UTC),
        datetime(2024, 2, 28, 12, tzinfo=timezone(timedelta(hours=-3))),
    ],
    ids=["in UTC", "over midnight", "elsewhere in a leap year"],
)
def test_the_deadline_counts_from_the_arrival(model: RiskModel, policy: Policy, received_at: datetime) -> None:
    escalation = read_escalation({"text": "He will kill her tonight.", "received_at": received_at.isoformat()})

    (found,) = model.assess([escalation], NOW)

    assert found.act_by == received_at + timedelta(hours=policy.ratings[found.rating].act_within_hours)
    assert found.act_by.utcoffset() == timedelta(0)


def test_without_an_arrival_the_deadline_counts_from_now(
    assessments: list[Assessment], escalations: list[Escalation], policy: Policy
) -> None:
    assert len({assessment.rating for assessment in assessments}) >= 3
    for found in assessments:
        assert found.act_by == NOW + timedelta(hours=policy.ratings[found.rating].act_within_hours)


def test_an_id_is_kept_and_a_missing_one_is_given(model: RiskModel) -> None:
    names = iter(["first", "second"])
    texts = [Escalation(text="one"), Escalation(text="two", id="mine"), Escalation(text="three")]

    found = model.assess(texts, NOW, new_id=lambda: next(names))

    assert [assessment.id for assessment in found] == ["first", "mine", "second"]


def test_given_ids_are_never_the_same_twice(model: RiskModel) -> None:
    found = model.assess([Escalation(text="one")] * 5, NOW)

    assert len({assessment.id for assessment in found}) == 5


def test_the_rule_is_always_a_row_of_the_policy_that_gives_the_rating(
    assessments: list[Assessment], policy: Policy
) -> None:
    for found in assessments:
        read = RULE.fullmatch(found.explanation.rule)

        assert read is not None
        version, severity, proximity, floor, rating = read.groups()
        plain, least = policy.table[severity][proximity], policy.floor.at_least[severity]
        assert version == policy.version == found.model.policy
        assert (severity, proximity) == (found.severity.value, found.proximity.value)
        assert rating == found.rating == (max(plain, least, key=RATINGS.index) if floor else plain)
        assert not floor or rating != plain


def test_some_of_what_an_authority_or_the_press_demands_is_lifted(assessments: list[Assessment]) -> None:
    assert any(is_lifted(found) for found in assessments)


@pytest.mark.parametrize("source", [*SOURCES, None])
def test_the_floor_lifts_only_what_comes_from_its_sources_or_nobody_knows_where(
    model: RiskModel, escalations: list[Escalation], policy: Policy, source: str | None
) -> None:
    found = model.assess(with_source(escalations, source), NOW)

    assert any(is_lifted(one) for one in found) == (source is None or source in policy.floor.sources)


def test_the_source_changes_nothing_else_than_the_floor(
    model: RiskModel, escalations: list[Escalation], policy: Policy
) -> None:
    one, other, unknown = (model.assess(with_source(escalations, source), NOW) for source in ("legal", "press", None))

    assert one == other == unknown


def test_a_lifted_rating_tells_what_it_would_be_without_a_deadline(
    assessments: list[Assessment], policy: Policy
) -> None:
    for found in filter(is_lifted, assessments):
        told = {item.if_: item.then for item in found.explanation.counterfactuals}

        assert told["no deadline"] == policy.table[found.severity.value][found.proximity.value]


def test_confidence_is_the_chance_of_the_rating_and_chances_sum_to_one(assessments: list[Assessment]) -> None:
    for found in assessments:
        assert found.confidence == found.probabilities[found.rating]
        assert list(found.probabilities) == list(RATINGS)
        assert sum(found.probabilities.values()) == pytest.approx(1, abs=3e-4)
        assert found.rating in found.plausible_ratings


def test_categories_and_team_follow_the_policy(assessments: list[Assessment], policy: Policy) -> None:
    for found in assessments:
        names = [category.name for category in found.categories]

        assert list(found.category_probabilities) == list(policy.category_names)
        assert found.team == policy.team_for(names[0])
        assert NO_VIOLATION not in names or (names == [NO_VIOLATION] and found.severity.value == "minor")
        for category in found.categories:
            assert category.dsa == policy.categories[category.name].dsa
            assert category.probability == found.category_probabilities[category.name]


def test_factors_are_answers_of_the_guide_with_chances(assessments: list[Assessment]) -> None:
    for found in assessments:
        assert found.severity.value in SEVERITIES
        assert found.proximity.value in PROXIMITIES
        assert 0 < found.severity.confidence <= 1
        assert 0 < found.proximity.confidence <= 1


def test_an_escalation_of_the_training_split_is_its_own_nearest_precedent(
    model: RiskModel, sample_frame: pd.DataFrame
) -> None:
    row = sample_frame.iloc[7]

    (found,) = model.assess([Escalation(text=row["text"])], NOW)

    first, *others = found.explanation.precedents
    assert len(others) == PRECEDENTS_SHOWN - 1
    assert (first.id, first.rating) == (row["id"], row["rating"])
    assert first.similarity > 0.99


def test_the_language_of_the_report_is_told_and_decides_the_language_of_the_summary(
    model: RiskModel, sample_frame: pd.DataFrame
) -> None:
    for language, start in (("en", "Rated "), ("es", "Calificación "), ("pt", "Classificação ")):
        texts = sample_frame[sample_frame["language"] == language]["text"].iloc[:5]

        for found in model.assess([Escalation(text=text) for text in texts], NOW):
            assert found.language == language
            assert found.explanation.summary.startswith(start)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ce compte menace de mort une famille à Lyon et publie leur adresse.", "unsupported language"),
        ("😀😀😀", "no readable words"),
        ("https://example.org/a", "no readable words"),
        ("1" * 500, "no readable words"),
    ],
    ids=["another language", "emoji", "a URL", "digits"],
)
def test_what_the_model_cannot_read_is_rated_and_goes_to_a_person(model: RiskModel, text: str, reason: str) -> None:
    (found,) = model.assess([Escalation(text=text)], NOW)

    assert found.rating in RATINGS
    assert found.decision.route == "review"
    assert reason in found.decision.reasons


@pytest.mark.parametrize(
    "text",
    ["x" * 20_000, "😀" * 10_000, "\u200b", "e\u0301" * 10_000, "a\r\n" * 6_000, "\x01", "ᵃ" * 300],
    ids=["endless word", "emoji", "no width", "combining", "many lines", "control character", "compatibility"],
)
def test_an_unusual_text_is_assessed_like_any_other(model: RiskModel, text: str) -> None:
    (found,) = model.assess([Escalation(text=text)], NOW)

    assert sum(found.probabilities.values()) == pytest.approx(1, abs=3e-4)
    assert all(text[item.start : item.end] == item.text for item in found.explanation.evidence)
    assert Assessment.model_validate_json(found.model_dump_json()) == found


def test_the_model_knows_what_it_was_trained_on_better_than_chance(
    assessments: list[Assessment], rows: pd.DataFrame
) -> None:
    right = np.mean([found.rating == true for found, true in zip(assessments, rows["rating"], strict=True)])

    assert right > 0.4
