import json
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DataError
from riskmodel.policy import Policy
from tests.training.made import ABSENT, RECORD, SECRET, changed, write
from training.rows import MAX_LISTED, read_labelled


def refusal(path: Path, policy: Policy) -> str:
    with pytest.raises(DataError) as caught:
        read_labelled(path, policy)
    return str(caught.value)


def test_a_frame_tells_the_line_of_each_record(tmp_path: Path, policy: Policy) -> None:
    path = write(tmp_path / "some.jsonl", RECORD, changed(id="en-3-002", categories=["scams_fraud", "privacy"]))

    frame = read_labelled(path, policy)

    assert frame.loc[2, "id"] == "en-3-002"
    assert frame.loc[2, "categories"] == ["scams_fraud", "privacy"]
    assert frame.loc[1, "evidence"] == RECORD["evidence"]


BROKEN_RECORDS = [
    pytest.param({"rating": ABSENT}, "rating", "no such field", id="a field is missing"),
    pytest.param({"colour": "red"}, "colour", "an unknown field", id="a field is unknown"),
    pytest.param({SECRET * 9: 1}, "record", "an unknown field", id="the name of an unknown field is long"),
    pytest.param({"text": ""}, "text", "1 to 20,000 characters", id="the text is empty"),
    pytest.param({"text": " \n"}, "text", "some of them visible", id="the text is blank"),
    pytest.param({"text": f"{SECRET}\x00"}, "text", "none NUL", id="the text holds NUL"),
    pytest.param({"text": f"{SECRET}\ud800"}, "text", "lone surrogate", id="the text is no Unicode"),
    pytest.param({"text": SECRET * 2_500}, "text", "found text of length 22,500", id="the text is too long"),
    pytest.param({"text": [SECRET]}, "text", "found a list of 1", id="the text is a list"),
    pytest.param({"text": None}, "text", "found nothing", id="the text is null"),
    pytest.param({"id": "en 3 001"}, "id", "without spaces", id="the id holds spaces"),
    pytest.param({"id": 7}, "id", "found a number", id="the id is a number"),
    pytest.param({"group": ""}, "group", "1 to 128", id="the group is empty"),
    pytest.param({"language": "fr"}, "language", "one of en, es, pt", id="the language is unknown"),
    pytest.param({"source": SECRET}, "source", "one of user_report", id="the source is unknown"),
    pytest.param({"source": None}, "source", "found nothing", id="the source is null"),
    pytest.param({"market": "XX"}, "market", "ISO 3166-1", id="the market is no country"),
    pytest.param({"market": None}, "market", "found nothing", id="the market is null"),
    pytest.param({"severity": "bad"}, "severity", "minor, moderate, serious, severe", id="the severity is unknown"),
    pytest.param({"proximity": 2}, "proximity", "found a number", id="the proximity is a number"),
    pytest.param({"rating": "urgent"}, "rating", "low, medium, high, critical", id="the rating is unknown"),
    pytest.param({"rating": "high"}, "rating", "found high, expected medium", id="the rating is off the table"),
    pytest.param({"categories": []}, "categories", "one or more of violence", id="no category"),
    pytest.param({"categories": "hate"}, "categories", "a list", id="the categories are one text"),
    pytest.param({"categories": [SECRET]}, "categories", "one or more of violence", id="a category is unknown"),
    pytest.param({"categories": [["hate"]]}, "categories", "a list of one or more", id="a category is a list"),
    pytest.param({"categories": ["hate", "hate"]}, "categories", "each category once", id="a category stands twice"),
    pytest.param({"categories": ["hate", "none"]}, "categories", "none to stand alone", id="none has company"),
    pytest.param({"evidence": []}, "evidence", "1 to 3", id="no evidence"),
    pytest.param({"evidence": ["A"] * 4}, "evidence", "found a list of 4", id="too much evidence"),
    pytest.param({"evidence": [" "]}, "evidence", "1 to 3", id="a piece of evidence is blank"),
    pytest.param({"evidence": ["Takes payment"]}, "evidence", "verbatim", id="the evidence is not in the text"),
]


@pytest.mark.parametrize(("changes", "field", "why"), BROKEN_RECORDS)
def test_a_broken_record_is_refused_by_file_line_and_field_and_never_repeated(
    tmp_path: Path, policy: Policy, changes: dict[str, Any], field: str, why: str
) -> None:
    path = write(tmp_path / "some.jsonl", changed(id="en-3-002"), changed(**changes))

    message = refusal(path, policy)

    (problem,) = message.splitlines()[1:]
    assert problem.startswith(f"  {path}:2 {field}: ")
    assert why in problem
    assert SECRET not in message


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="blank"),
        pytest.param(b"{'text': 'marmalade'}", id="no JSON"),
        pytest.param(b'"marmalade"', id="a bare text"),
        pytest.param(b'{"text": "marmalade", "text": "marmalade"}', id="a field stands twice"),
        pytest.param(b'{"text": "marmalade \xff"}', id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="nested without end"),
    ],
)
def test_a_line_without_one_object_is_refused(tmp_path: Path, policy: Policy, line: bytes) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(json.dumps(RECORD).encode() + b"\n" + line + b"\n")

    message = refusal(path, policy)

    assert message.splitlines()[1].startswith(f"  {path}:2 record: ")
    assert SECRET not in message


def test_the_second_record_with_an_id_is_refused(tmp_path: Path, policy: Policy) -> None:
    path = write(tmp_path / "some.jsonl", RECORD, changed(group="en-3-009"))

    assert f"{path}:2 id: found the id of line 1" in refusal(path, policy)


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_lines(tmp_path: Path, policy: Policy) -> None:
    both = changed(id="b", market="XX", rating="low")
    path = write(tmp_path / "some.jsonl", changed(id="a", evidence=["absent"]), both, changed(id="c", severity=1))

    told = [line.split()[:2] for line in refusal(path, policy).splitlines()[1:]]

    assert told == [
        [f"{path}:1", "evidence:"], [f"{path}:2", "market:"], [f"{path}:2", "rating:"], [f"{path}:3", "severity:"],
    ]  # fmt: skip


def test_a_long_list_of_problems_is_cut_and_counted(tmp_path: Path, policy: Policy) -> None:
    records = [changed(id=f"en-3-{number}", market="XX") for number in range(MAX_LISTED + 5)]

    message = refusal(write(tmp_path / "some.jsonl", *records), policy)

    assert message.count("market: ") == MAX_LISTED
    assert message.splitlines()[0].endswith("25 problems:")
    assert message.endswith("... and 5 more")


@pytest.mark.parametrize("content", [pytest.param(None, id="missing"), pytest.param("", id="empty")])
def test_a_file_that_holds_nothing_is_refused_by_name(tmp_path: Path, policy: Policy, content: str | None) -> None:
    path = tmp_path / "some.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    assert str(path) in refusal(path, policy)


LIFTS = [
    pytest.param("law_enforcement", "serious", "contained", "high", True, id="by two, from the police"),
    pytest.param("press", "minor", "active", "medium", True, id="by one, from the press"),
    pytest.param("press", "minor", "active", "low", True, id="not lifted though it may be"),
    pytest.param("government", "serious", "contained", "medium", False, id="halfway"),
    pytest.param("legal", "moderate", "contained", "high", False, id="above the floor"),
    pytest.param("user_report", "serious", "contained", "high", False, id="from a user"),
    pytest.param("government", "severe", "active", "high", False, id="lowered"),
]


@pytest.mark.parametrize(("source", "severity", "proximity", "rating", "accepted"), LIFTS)
def test_only_the_floor_lifts_a_rating_off_the_table_and_only_for_its_sources(
    tmp_path: Path, policy: Policy, source: str, severity: str, proximity: str, rating: str, accepted: bool
) -> None:
    record = changed(source=source, severity=severity, proximity=proximity, rating=rating)
    path = write(tmp_path / "some.jsonl", record)

    if accepted:
        assert read_labelled(path, policy).loc[1, "rating"] == rating
    else:
        assert f"{path}:1 rating: found {rating}, expected " in refusal(path, policy)
