from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.records import (
    MARKETS,
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    SOURCES,
    Assessment,
    Category,
    Counterfactual,
    Decision,
    Escalation,
    Evidence,
    Explanation,
    Factor,
    ModelVersion,
    Precedent,
    Record,
    read_escalation,
)

TIME_EXPECTED = "RFC 3339"


def problems(raw: Any) -> list[FieldProblem]:
    with pytest.raises(EscalationError) as caught:
        read_escalation(raw)
    return caught.value.problems


def problem(raw: Any) -> FieldProblem:
    (only,) = problems(raw)
    return only


def an_assessment() -> Assessment:
    return Assessment(
        id="x-1",
        language="en",
        rating="critical",
        act_by=datetime(2026, 11, 22, 10, tzinfo=UTC),
        team="crisis_response",
        confidence=0.91,
        probabilities={"low": 0.01, "medium": 0.02, "high": 0.06, "critical": 0.91},
        plausible_ratings=["critical"],
        severity=Factor(value="severe", confidence=0.95),
        proximity=Factor(value="active", confidence=0.93),
        categories=[Category(name="violence", probability=0.97, dsa="STATEMENT_CATEGORY_VIOLENCE")],
        category_probabilities={"violence": 0.97, "none": 0.01},
        explanation=Explanation(
            summary="Rated critical.",
            rule="policy 1.0: severe × active → critical",
            evidence=[Evidence(start=0, end=4, text="they", weight=0.41)],
            counterfactuals=[Counterfactual.model_validate({"if": "contained", "then": "medium"})],
            precedents=[Precedent(id="en-1-001", rating="critical", similarity=0.88, excerpt="…")],
        ),
        decision=Decision(route="auto", reasons=[]),
        model=ModelVersion(name="riskmodel", version="1", policy="1.0"),
    )


def test_a_full_escalation_comes_through_the_door_as_it_was_sent() -> None:
    text = "  Er sagt: «e\u0301l viene»\r\n🧨 mañana  "

    found = read_escalation(
        {"text": text, "source": "press", "market": "BR", "id": "a/1?b=2", "received_at": "2026-01-31T18:00:00-03:00"}
    )

    assert found == Escalation(
        text=text, source="press", market="BR", id="a/1?b=2", received_at=datetime(2026, 1, 31, 21, tzinfo=UTC)
    )


def test_only_the_text_is_needed() -> None:
    found = read_escalation({"text": "x"})

    assert (found.source, found.market, found.id, found.received_at) == (None, None, None, None)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_of_the_guide_is_known(source: str) -> None:
    assert read_escalation({"text": "x", "source": source}).source == source


@pytest.mark.parametrize("market", ["BR", "MX", "US", "HT", "JM"])
def test_a_country_code_is_known(market: str) -> None:
    assert market in MARKETS
    assert read_escalation({"text": "x", "market": market}).market == market


def test_the_longest_text_and_the_longest_id_are_accepted() -> None:
    found = read_escalation({"text": "😀" * MAX_TEXT_CHARACTERS, "id": "~" * MAX_ID_CHARACTERS})

    assert len(found.text) == 20_000
    assert len(found.id or "") == 128


@pytest.mark.parametrize(
    ("sent", "in_utc"),
    [
        ("2026-01-31T18:00:00Z", datetime(2026, 1, 31, 18, tzinfo=UTC)),
        ("2026-01-31t18:00:00z", datetime(2026, 1, 31, 18, tzinfo=UTC)),
        ("2026-01-31 18:00:00+05:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2026-12-31T23:30:00.250-01:00", datetime(2027, 1, 1, 0, 30, 0, 250_000, tzinfo=UTC)),
        (datetime(2026, 1, 31, 18, tzinfo=UTC), datetime(2026, 1, 31, 18, tzinfo=UTC)),
    ],
    ids=["Z", "small letters", "a space and an offset", "a fraction over midnight", "a datetime"],
)
def test_a_time_with_a_zone_is_taken_in_utc(sent: object, in_utc: datetime) -> None:
    found = read_escalation({"text": "x", "received_at": sent}).received_at

    assert found == in_utc
    assert found is not None
    assert found.utcoffset() == in_utc.utcoffset()


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        pytest.param("", "empty text", "1 to 20,000 characters", id="empty"),
        pytest.param(" \r\n\t\u2003", "blank text", "at least one visible character", id="blank"),
        pytest.param("a" * 20_001, "20,001 characters", "at most 20,000 characters", id="too long"),
        pytest.param("a\x00b", "NUL", "without", id="a NUL"),
        pytest.param("a\ud800b", "lone surrogate", "valid Unicode", id="a lone surrogate"),
        pytest.param(5, "a number", "text", id="a number"),
        pytest.param(True, "a boolean", "text", id="a boolean"),
        pytest.param(None, "nothing", "text", id="null"),
        pytest.param(["a"], "a list", "text", id="a list"),
        pytest.param({"a": "b"}, "an object", "text", id="an object"),
        pytest.param(b"bytes", "bytes", "text", id="bytes"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(text: object, found: str, expected: str) -> None:
    refused = problem({"text": text})

    assert refused.field == "text"
    assert found in refused.found
    assert expected in refused.expected


@pytest.mark.parametrize(
    ("field", "value", "found", "expected"),
    [
        pytest.param("source", "my_aunt", "text that is not in the list", "'trusted_flagger'", id="unknown source"),
        pytest.param("source", "", "text that is not in the list", "'trusted_flagger'", id="empty source"),
        pytest.param("source", 3, "a number", "'trusted_flagger'", id="a number as source"),
        pytest.param("market", "XX", "an unknown code", "ISO 3166-1", id="unknown market"),
        pytest.param("market", "br", "an unknown code", "ISO 3166-1", id="market in small letters"),
        pytest.param("market", "BRA", "an unknown code", "ISO 3166-1", id="three letters"),
        pytest.param("market", 76, "a number", "text", id="a number as market"),
        pytest.param("id", "", "another form", "1 to 128 printable ASCII", id="empty id"),
        pytest.param("id", "a b", "another form", "without spaces", id="a space in the id"),
        pytest.param("id", "x" * 129, "another form", "1 to 128", id="long id"),
        pytest.param("id", "a\n", "another form", "1 to 128", id="a line end behind the id"),
        pytest.param("id", "é", "another form", "ASCII", id="an accent in the id"),
        pytest.param("id", 7, "a number", "text", id="a number as id"),
        pytest.param("received_at", 1_760_000_000, "a number", TIME_EXPECTED, id="seconds"),
        pytest.param("received_at", "1760000000", "text", TIME_EXPECTED, id="seconds in text"),
        pytest.param("received_at", "2026-01-31", "text", TIME_EXPECTED, id="a day"),
        pytest.param("received_at", "2026-01-31T18:00:00", "zone", TIME_EXPECTED, id="no zone"),
        pytest.param("received_at", datetime(2026, 1, 31, 18), "zone", TIME_EXPECTED, id="a datetime without zone"),
        pytest.param("received_at", "2026-02-30T18:00:00Z", "text", TIME_EXPECTED, id="no such day"),
        pytest.param(
            "received_at", "9999-12-31T18:00:00Z", "out of range", TIME_EXPECTED, id="the end of the calendar"
        ),
        pytest.param("received_at", "0001-01-01T00:00:00+14:00", "out of range", TIME_EXPECTED, id="its start"),
        pytest.param("received_at", True, "a boolean", TIME_EXPECTED, id="a boolean"),
        pytest.param("colour", "red", "an unknown field with text", "one of text, source", id="unknown field"),
        pytest.param("Text", [], "an unknown field with a list", "one of text, source", id="another case"),
    ],
)
def test_a_field_that_cannot_be_used_is_refused_by_name(field: str, value: object, found: str, expected: str) -> None:
    refused = problem({"text": "x", field: value})

    assert refused.field == field
    assert found in refused.found
    assert expected in refused.expected


@pytest.mark.parametrize(
    ("raw", "found"),
    [(None, "nothing"), ([], "a list"), ("hello", "text"), (3, "a number"), (False, "a boolean")],
    ids=["null", "a list", "text", "a number", "a boolean"],
)
def test_what_is_no_object_is_refused(raw: object, found: str) -> None:
    refused = problem(raw)

    assert (refused.field, refused.found) == ("escalation", found)
    assert "object" in refused.expected


def test_a_missing_text_is_named() -> None:
    assert problem({"source": "press"}) == FieldProblem("text", "no such field", "a value")


def test_every_problem_is_told_at_once() -> None:
    found = problems({"text": "", "market": "XX", "source": "me", "colour": 1})

    assert [refused.field for refused in found] == ["text", "source", "market", "colour"]


def test_a_message_is_one_line_with_field_found_and_expected() -> None:
    with pytest.raises(EscalationError) as caught:
        read_escalation({"text": "", "market": "XX"})

    assert str(caught.value).startswith("text: found empty text, expected 1 to 20,000 characters; market: found ")
    assert "\n" not in str(caught.value)


@given(secret=st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_refusal_repeats_what_was_sent(secret: str) -> None:
    long = secret * (MAX_TEXT_CHARACTERS // len(secret) + 1)
    sent: list[dict[str, Any]] = [{"text": text} for text in (long, secret + "\x00", secret + "\ud800")]
    sent += [{"text": secret, field: secret} for field in ("source", "market", "id", "received_at", "colour")]
    sent += [{"text": [secret]}, {"text": {secret: secret}}, {"text": secret, "received_at": f"2026-01-01T{secret}"}]
    for raw in sent:
        with pytest.raises(EscalationError) as caught:
            read_escalation(raw)

        assert secret not in str(caught.value)
        assert secret not in repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


@given(text=st.text(max_size=200))
@settings(deadline=None, max_examples=100)
def test_any_text_is_either_kept_whole_or_refused(text: str) -> None:
    try:
        found = read_escalation({"text": text})
    except EscalationError as error:
        assert [refused.field for refused in error.problems] == ["text"]
    else:
        assert found.text == text


RECORDS: list[Record] = [
    Escalation(text="x"),
    an_assessment(),
    an_assessment().explanation,
    an_assessment().decision,
    an_assessment().categories[0],
    an_assessment().explanation.counterfactuals[0],
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_cannot_be_changed(record: Record) -> None:
    field = next(iter(type(record).model_fields))

    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, field, getattr(record, field))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_refuses_a_field_it_does_not_know(record: Record) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        type(record).model_validate({**record.model_dump(by_alias=True), "colour": "red"})


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_json(record: Record) -> None:
    assert type(record).model_validate_json(record.model_dump_json()) == record


def test_an_assessment_is_the_json_of_the_contract() -> None:
    found = an_assessment().model_dump(mode="json")

    assert list(found) == [
        "id",
        "language",
        "rating",
        "act_by",
        "team",
        "confidence",
        "probabilities",
        "plausible_ratings",
        "severity",
        "proximity",
        "categories",
        "category_probabilities",
        "explanation",
        "decision",
        "model",
    ]
    assert found["act_by"] == "2026-11-22T10:00:00Z"
    assert found["severity"] == {"value": "severe", "confidence": 0.95}
    assert found["categories"] == [{"name": "violence", "probability": 0.97, "dsa": "STATEMENT_CATEGORY_VIOLENCE"}]
    assert list(found["explanation"]) == ["summary", "rule", "evidence", "counterfactuals", "precedents"]
    assert found["explanation"]["evidence"] == [{"start": 0, "end": 4, "text": "they", "weight": 0.41}]
    assert found["explanation"]["counterfactuals"] == [{"if": "contained", "then": "medium"}]
    assert found["explanation"]["precedents"] == [
        {"id": "en-1-001", "rating": "critical", "similarity": 0.88, "excerpt": "…"}
    ]
    assert found["decision"] == {"route": "auto", "reasons": []}
    assert found["model"] == {"name": "riskmodel", "version": "1", "policy": "1.0"}


def test_a_decision_knows_no_other_reason_than_the_named_ones() -> None:
    with pytest.raises(ValidationError):
        Decision.model_validate({"route": "review", "reasons": ["a bad feeling"]})


def test_an_escalation_says_how_far_its_source_and_its_words_are_trusted_and_who_reported() -> None:
    found = read_escalation({"text": "x", "reliability": "B", "credibility": 2, "reporter": "acct-77"})

    assert (found.reliability, found.credibility, found.reporter) == ("B", 2, "acct-77")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("reliability", "G", "'A', 'B', 'C', 'D', 'E' or 'F'"),
        ("reliability", "b", "'A', 'B', 'C', 'D', 'E' or 'F'"),
        ("credibility", 0, "a whole number from 1 to 6"),
        ("credibility", "2", "a whole number from 1 to 6"),
        ("credibility", 7, "a whole number from 1 to 6"),
        ("credibility", 2.5, "a whole number from 1 to 6"),
        ("credibility", True, "a whole number from 1 to 6"),
        ("reporter", "Ana Silva", "printable ASCII characters without spaces"),
    ],
)
def test_another_scale_or_a_name_with_spaces_is_refused(field: str, value: Any, expected: str) -> None:
    found = problem({"text": "x", field: value})

    assert found.field == field
    assert expected in found.expected
