import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel.errors import DataError
from riskmodel.policy import Policy, load_policy
from training.dataset import (
    FIELDS,
    MAX_LISTED,
    SPLITS,
    check_splits,
    data_digest,
    is_contrast,
    near_duplicates,
    read_labelled,
    read_splits,
    unit,
)

ROOT = Path(__file__).parents[2]
SECRET = "marmalade"  # stands in the text of every record here, so no message may hold it
RECORD: dict[str, Any] = {
    "id": "en-3-001",
    "group": "en-3-001",
    "text": f"A shop called {SECRET} takes payment and sends nothing, twelve people wrote to us since Monday.",
    "language": "en",
    "source": "user_report",
    "market": "US",
    "severity": "serious",
    "proximity": "plausible",
    "rating": "medium",
    "categories": ["scams_fraud"],
    "evidence": ["takes payment and sends nothing"],
}
ABSENT = object()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="module")
def corpus(policy: Policy) -> dict[str, pd.DataFrame]:
    return read_splits(ROOT, policy)


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RECORD, **changes}.items() if value is not ABSENT}


def write(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def refusal(path: Path, policy: Policy) -> str:
    with pytest.raises(DataError) as caught:
        read_labelled(path, policy)
    return str(caught.value)


def test_every_line_of_the_corpus_keeps_the_contract_and_no_split_gives_another_away(
    corpus: dict[str, pd.DataFrame],
) -> None:
    assert {name: len(frame) for name, frame in corpus.items()} == {"train": 5874, "test": 544}
    assert all(list(frame.columns) == [*FIELDS, "weight"] for frame in corpus.values())


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


OTHER_TEXT = "Uma conta falsa promete vistos de trabalho e pede dinheiro adiantado; uma vizinha perdeu o salario."
OVERLAPS = [
    pytest.param({"id": RECORD["id"], "text": OTHER_TEXT}, "id", "each id in one split only", id="the id"),
    pytest.param({"group": RECORD["group"], "text": OTHER_TEXT}, "group", "one split only", id="the group"),
    pytest.param({"text": RECORD["text"].replace("twelve", "thirty").upper()}, "text", "cosine 0.", id="the text"),
]


@pytest.mark.parametrize(("changes", "field", "why"), OVERLAPS)
def test_a_test_record_that_train_gives_away_is_refused_by_both_lines(
    tmp_path: Path, policy: Policy, changes: dict[str, Any], field: str, why: str
) -> None:
    first = changed(id="pt-1-1", group="pt-1-1", text="Nothing like it, only a question on fees.", evidence=["fees"])
    evidence = [changes["text"][:20]]
    second = changed(**{"id": "en-3-002", "group": "en-3-002", "evidence": evidence, **changes})
    write(tmp_path / SPLITS["train"], first, RECORD)
    write(tmp_path / SPLITS["test"], second)

    with pytest.raises(DataError) as caught:
        read_splits(tmp_path, policy)

    (problem,) = str(caught.value).splitlines()[1:]
    assert problem.startswith(f"  {tmp_path / SPLITS['test']}:1 {field}: ")
    assert f"{tmp_path / SPLITS['train']}:2" in problem
    assert why in problem
    assert SECRET not in str(caught.value).casefold()


def test_the_threshold_decides_what_a_near_duplicate_is(corpus: dict[str, pd.DataFrame]) -> None:
    train, test = corpus["train"], corpus["test"]

    (nearest,) = near_duplicates(train, test, threshold=0.41)

    assert 0.41 <= nearest.cosine < 0.43
    with pytest.raises(DataError, match=f"test.jsonl:{nearest.test_line} text: "):
        check_splits({"train": train, "test": test.loc[[nearest.test_line]]}, threshold=0.3)


def test_the_digest_changes_with_a_byte_but_not_with_the_order_of_the_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"first")
    two.write_bytes(b"second")
    before = data_digest([one, two])

    assert data_digest([two, one]) == before
    two.write_bytes(b"sEcond")
    assert data_digest([one, two]) != before


def test_the_digest_of_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent"):
        data_digest([tmp_path / "absent"])


def test_unit_and_contrast_come_from_the_id_where_it_has_the_form_of_the_corpus() -> None:
    frame = pd.DataFrame({"id": ["pt-5-188", "en-6-001", "es-1-017", "verdict-5-3", "pt-5-188-b"]})

    assert unit(frame).astype(object).where(unit(frame).notna(), None).tolist() == [5, 6, 1, None, None]
    assert is_contrast(frame).tolist() == [True, True, False, False, False]


def test_the_test_split_holds_as_many_contrast_records_as_the_datasheet_says(corpus: dict[str, pd.DataFrame]) -> None:
    assert int(is_contrast(corpus["test"]).sum()) == 185
    assert set(unit(corpus["train"])) == {1, 2, 3, 4, 5, 6, 7, 8, 9}
