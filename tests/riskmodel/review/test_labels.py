"""Files of known cases: what is taken, and what is refused by line and field without repeating a text."""

import json
from pathlib import Path
from typing import Any

import pytest

from riskmodel.errors import DataError
from riskmodel.policy import Policy
from riskmodel.review.labels import MAX_LISTED, Known, read_labels

ROOT = Path(__file__).parents[3]
SECRET = "Marisol lost a parcel"
ROW = {
    "id": "en-1-001",
    "group": "en-1-001",
    "text": f"{SECRET} to a seller who answers nobody.",
    "language": "en",
    "source": "user_report",
    "market": "US",
    "severity": "moderate",
    "proximity": "plausible",
    "rating": "medium",
    "categories": ["scams_fraud"],
    "evidence": ["answers nobody"],
}


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
    return path


def test_the_corpus_itself_can_be_read(policy: Policy) -> None:
    path = ROOT / "data/escalations/test.jsonl"

    labels = read_labels(path, policy)

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(labels) == len(rows)
    for label, row in zip(labels, rows, strict=True):
        sent = label.escalation
        assert (sent.id, sent.text, sent.source, sent.market) == tuple(
            row[name] for name in ("id", "text", "source", "market")
        )
        assert label.known == Known(row["severity"], row["proximity"], row["rating"])


def test_source_and_market_may_be_unknown_and_the_text_then_decides_on_the_floor(
    policy: Policy, tmp_path: Path
) -> None:
    unknown = ROW | {"source": None, "market": None, "severity": "serious", "rating": "high", "evidence": []}

    (label,) = read_labels(write(tmp_path / "rows.jsonl", unknown), policy)

    assert (label.escalation.source, label.known.rating) == (None, "high")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("no json", "record: found no valid JSON"),
        ("", "record: found no valid JSON"),
        ('{"id": "a", "id": "b"}', "record: found no valid JSON, or a field twice"),
        ("[" * 10_000, "record: found no valid JSON"),
        ('["a list"]', "record: found a list, expected an object"),
        ({name: ROW[name] for name in ROW if name != "rating"}, "rating: found no such field"),
        (ROW | {"ratting": "low"}, "ratting: found an unknown field"),
        (ROW | {SECRET: "low"}, "record: found an unknown field"),
        (ROW | {"id": None}, "id: found nothing"),
        (ROW | {"id": "two words"}, "id: found text of another form"),
        (ROW | {"text": " "}, "text: found blank text"),
        (ROW | {"text": "a \ud800 surrogate"}, "record: found no valid JSON"),
        ('{"text": "\\ud800"}', "found no such field"),
        (ROW | {"group": ""}, "group: found text"),
        (ROW | {"source": "neighbour"}, "source: found text that is not in the list"),
        (ROW | {"market": "Mexico"}, "market: found an unknown code"),
        (ROW | {"language": "fr"}, "language: found text that is not in the list, expected one of en, es, pt"),
        (ROW | {"severity": ["serious"]}, "severity: found a list that is not in the list"),
        (ROW | {"proximity": "soon"}, "proximity: found text that is not in the list"),
        (ROW | {"rating": "urgent"}, "rating: found text that is not in the list"),
        (ROW | {"rating": "high"}, r"rating: found high, expected medium \(moderate × plausible\)"),
        (ROW | {"source": "press", "rating": "low", "proximity": "contained", "severity": "serious"}, None),
        (ROW | {"source": "press", "rating": "critical"}, "rating: found critical, expected medium"),
        (ROW | {"categories": []}, "categories: found a list of another kind"),
        (ROW | {"categories": ["fraud"]}, "categories: found a list of another kind"),
        (ROW | {"categories": ["hate", "hate"]}, "categories: found a list of another kind"),
        (ROW | {"categories": ["none", "hate"]}, "categories: found none beside others"),
        (ROW | {"evidence": "answers nobody"}, "evidence: found text of another kind"),
        (ROW | {"evidence": ["Answers nobody"]}, "evidence: found 1 that the text does not hold"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_line_and_field(
    row: dict[str, Any] | str, message: str | None, policy: Policy, tmp_path: Path
) -> None:
    path = write(tmp_path / "rows.jsonl", ROW | {"id": "sound"}, row)
    if message is None:
        assert len(read_labels(path, policy)) == 2
        return

    with pytest.raises(DataError, match=message) as caught:
        read_labels(path, policy)

    assert f"{path}:2 " in str(caught.value)
    assert f"{path}:1 " not in str(caught.value)
    assert "Marisol" not in str(caught.value)


def test_an_id_that_stands_twice_is_named_with_the_line_of_the_first(policy: Policy, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", ROW, ROW | {"id": "b"}, ROW | {"text": "answers nobody"})

    with pytest.raises(DataError, match=r":3 id: found the id of line 1, expected an id of its own"):
        read_labels(path, policy)


def test_every_refused_row_is_named_up_to_a_number(policy: Policy, tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", *[ROW | {"id": f"a-{at}", "rating": "high"} for at in range(MAX_LISTED + 3)])

    with pytest.raises(DataError) as caught:
        read_labels(path, policy)

    assert str(caught.value).count("rating: found high") == MAX_LISTED
    assert "... and 3 more" in str(caught.value)


@pytest.mark.parametrize(("content", "message"), [(b"", "holds no line"), (None, "cannot be read")])
def test_a_file_with_nothing_in_it_is_refused(
    content: bytes | None, message: str, policy: Policy, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match=message):
        read_labels(path, policy)
