import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from riskmodel import Assessment, Escalation, Policy, RiskModel, read_escalation
from riskmodel.model import PRECEDENTS_SHOWN
from riskmodel.policy import NO_VIOLATION
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, SOURCES, ReviewReason
from riskmodel.stages.decision import CONTENT
from riskmodel.stages.form import FormHead
from riskmodel.stages.heads import HeadProbabilities
from training.labels import read_labels

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = re.compile(r"policy (\S+): (\w+) × (\w+)( \+ floor)? → (\w+)")
ROUNDING = 4 * 0.00005  # chances are told with four digits


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

    assert found.act_by == policy.act_by(found.rating, received_at, found.team)
    assert found.act_by.utcoffset() == timedelta(0)


def test_without_an_arrival_the_deadline_counts_from_now(
    assessments: list[Assessment], escalations: list[Escalation], policy: Policy
) -> None:
    assert len({assessment.rating for assessment in assessments}) >= 3
    for found in assessments:
        assert found.act_by == policy.act_by(found.rating, NOW, found.team)


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
        assert (version, found.model.policy) == (policy.rating_version, policy.version)
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


def test_categories_and_team_follow_the_policy(
    assessments: list[Assessment], escalations: list[Escalation], policy: Policy
) -> None:
    for found, escalation in zip(assessments, escalations, strict=True):
        names = [category.name for category in found.categories]

        assert list(found.category_probabilities) == list(policy.category_names)
        assert found.team == policy.team_for(names[0], found.rating, escalation.market)
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


def with_levels(model: RiskModel, **levels: object) -> RiskModel:
    """Return the model with other levels: none named, it accepts what no reason that needs no level speaks against."""
    accepting = {"accept_safety": 0.0, "border": 1.1, "familiarity": -1.0}
    return replace(model, thresholds=replace(model.thresholds, **(accepting | levels)))


def reasons(model: RiskModel, text: str) -> list[ReviewReason]:
    return model.assess([Escalation(text=text)], NOW)[0].decision.reasons


@pytest.fixture(scope="module")
def believed(policy: Policy) -> HeadProbabilities:
    """Return heads that are sure of a severe harm under way: critical by the table and by the direct rating."""
    return HeadProbabilities(
        severity=np.array([0.01, 0.01, 0.01, 0.97], dtype=np.float32),
        proximity=np.array([0.01, 0.01, 0.98], dtype=np.float32),
        rating=np.array([0.01, 0.01, 0.01, 0.97], dtype=np.float32),
        floor=0.0,
        categories=np.full(len(policy.categories), 0.1, dtype=np.float32),
    )


def test_what_no_reason_speaks_against_is_accepted(model: RiskModel, escalations: list[Escalation]) -> None:
    routes = {found.decision.route for found in with_levels(model).assess(escalations, NOW)}

    assert routes == {"auto", "review"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ce compte menace de mort une famille à Lyon et publie leur adresse.", "unsupported language"),
        ("😀😀😀", "no readable words"),
        (
            "Um usuário escreve que vai à escola na segunda-feira com o rifle do pai e ninguém vai conseguir impedir. "
            "A user writes that he will come to the school on Monday with his father's rifle and nobody will stop him.",
            "mixed language",
        ),
        ("help", "evidence too thin"),
        ("😀😀😀", "evidence too thin"),
    ],
    ids=["another language", "emoji", "two languages", "one word", "no word"],
)
def test_what_cannot_be_read_well_is_for_a_person_however_safe_its_rating_seems(
    model: RiskModel, text: str, reason: ReviewReason
) -> None:
    assert reason in reasons(with_levels(model), text)


def test_a_plain_text_gives_no_reason_of_how_it_is_written(model: RiskModel) -> None:
    text = "A user writes that he will come to the school on Monday with his father's rifle."

    found = set(reasons(with_levels(model), text))

    assert not found & {"no readable words", "unsupported language", "mixed language", "evidence too thin"}
    assert "unfamiliar text" not in found


def test_a_text_hidden_from_filters_is_read_and_doubted_as_if_written_plainly(model: RiskModel) -> None:
    written = Escalation(text="He will kill his mother tonight and nobody stops him.", id="one")
    hidden = Escalation(text="He will k\u200bi\u200bll his m0th3r t.o.n.i.g.h.t and n\u043ebody stops him.", id="one")

    one, other = model.assess([written, hidden], NOW)

    assert (one.rating, one.probabilities, one.decision) == (other.rating, other.probabilities, other.decision)
    assert all(hidden.text[item.start : item.end] == item.text for item in other.explanation.evidence)


def test_a_text_is_for_a_person_where_its_nearest_precedents_are_far(
    model: RiskModel, escalations: list[Escalation]
) -> None:
    found = model.assess(escalations, NOW)

    for one in found:
        mean = np.mean([precedent.similarity for precedent in one.explanation.precedents])
        assert ("unfamiliar text" in one.decision.reasons) == (mean < model.thresholds.familiarity)
    assert all("unfamiliar text" in reasons(with_levels(model, familiarity=1.1), one.text) for one in escalations[:3])


def test_a_rating_that_is_more_likely_wrong_than_right_is_for_a_person(assessments: list[Assessment]) -> None:
    clear = [found for found in assessments if abs(found.confidence - 0.5) > ROUNDING]
    doubted = {("uncertain rating" in found.decision.reasons, found.confidence < 0.5) for found in clear}

    assert doubted == {(True, True), (False, False)}


@pytest.mark.parametrize("level", [0.5, 0.8])
def test_a_rating_is_accepted_only_where_it_is_likely_enough_not_too_low(
    model: RiskModel, escalations: list[Escalation], level: float
) -> None:
    found = with_levels(model, accept_safety=level).assess(escalations, NOW)

    safety = [sum(list(one.probabilities.values())[: RATINGS.index(one.rating) + 1]) for one in found]
    told = [
        ("may be rated too low" in one.decision.reasons, chance < level)
        for one, chance in zip(found, safety, strict=True)
        if abs(chance - level) > ROUNDING
    ]
    assert {spoken for spoken, _ in told} == {True, False}
    assert all(spoken == expected for spoken, expected in told)


def test_a_rating_below_critical_is_for_a_person_from_a_chance_of_critical_on(
    model: RiskModel, escalations: list[Escalation]
) -> None:
    found = with_levels(model, border=0.05).assess(escalations, NOW)

    spoken = ["near critical" in one.decision.reasons for one in found]
    assert spoken == [one.rating != "critical" and one.probabilities["critical"] >= 0.05 for one in found]
    assert 0 < sum(spoken) < len(spoken)


def test_a_category_that_the_policy_keeps_for_a_person_goes_to_one_from_its_rating_on(
    model: RiskModel, escalations: list[Escalation], policy: Policy
) -> None:
    rules = {name: rule.model_copy(update={"person_from": "medium"}) for name, rule in policy.categories.items()}
    keeping = replace(with_levels(model), policy=policy.model_copy(update={"categories": rules}))

    found = keeping.assess(escalations, NOW)

    spoken = ["category needs a person" in one.decision.reasons for one in found]
    assert spoken == [one.rating != "low" for one in found]
    assert 0 < sum(spoken) < len(spoken)


@pytest.mark.parametrize(
    ("direct", "agreed"),
    [
        pytest.param([0.01, 0.01, 0.01, 0.97], True, id="the same"),
        pytest.param([0.01, 0.01, 0.97, 0.01], False, id="one below"),
        pytest.param([0.97, 0.01, 0.01, 0.01], False, id="far below"),
    ],
)
def test_factors_agree_with_the_direct_rating_where_both_favour_the_same(
    model: RiskModel, believed: HeadProbabilities, direct: list[float], agreed: bool
) -> None:
    rated, found = model.rate(None, replace(believed, rating=np.array(direct, dtype=np.float32)))

    assert found == agreed
    assert rated.chances.sum() == pytest.approx(1, abs=1e-5)


def test_factors_that_disagree_with_the_direct_rating_explain_a_doubt_and_alone_stop_nothing(
    model: RiskModel, escalations: list[Escalation]
) -> None:
    found = [one.decision for one in with_levels(model).assess(escalations, NOW)]

    disagreeing = [decision for decision in found if "factors and rating disagree" in decision.reasons]
    assert 0 < len(disagreeing) < len(found)
    assert all(len(decision.reasons) > 1 for decision in disagreeing)


def test_content_without_a_report_around_it_is_for_a_person_and_calibrated_apart(
    model: RiskModel, escalations: list[Escalation]
) -> None:
    nothing, blend = np.zeros_like(model.form.weights), replace(model.content_blend, temperature=5.0)
    levels = with_levels(model, conformal_mass={"en": 0.0, "es": 0.0, "pt": 0.0, CONTENT: 1.1})
    reports, content = (
        replace(levels, form=FormHead(nothing, bias), content_blend=blend).assess(escalations, NOW)
        for bias in (-1.0, 1.0)
    )

    assert not any("content without a report" in one.decision.reasons for one in reports)
    assert all("content without a report" in one.decision.reasons for one in content)
    assert {len(one.plausible_ratings) for one in content} == {len(RATINGS)}
    assert np.mean([one.confidence for one in content]) < np.mean([one.confidence for one in reports])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("A user writes that he will come to the school on Monday with his father's rifle.", 1, id="en"),
        pytest.param("Un usuario escribe que irá el lunes a la escuela con el rifle de su padre.", 4, id="es"),
        pytest.param("Ce compte menace de mort une famille à Lyon et publie leur adresse.", 4, id="never seen"),
    ],
)
def test_plausible_ratings_hold_the_mass_of_the_texts_language(model: RiskModel, text: str, count: int) -> None:
    levels = with_levels(model, conformal_mass={"en": 0.0, "es": 1.1, "pt": 0.5})

    (found,) = levels.assess([Escalation(text=text)], NOW)

    assert len(found.plausible_ratings) == count


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


def test_the_vector_comes_out_of_the_pass_that_rates(model: RiskModel, escalations: list[Escalation]) -> None:
    found = model.assessed(escalations, NOW)

    assert [one.assessment for one in found] == model.assess(escalations, NOW)
    for one, escalation in zip(found, escalations, strict=True):
        (encoding,) = model.encoder.encode([escalation.text])
        assert np.array_equal(one.vector, encoding.vector)
