"""Files of escalations in, files of assessments out."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riskmodel import Assessment, RiskModel, read_escalation
from riskmodel.errors import DataError, SettingsError
from riskmodel.scoring import Scored, score
from riskmodel.scoring.csv_rows import open_csv
from riskmodel.scoring.files import open_rows
from riskmodel.scoring.flat import FLAT_COLUMNS
from riskmodel.scoring.rows import MAX_LINE
from riskmodel.scoring.write import WRITERS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = ("csv", "jsonl", "parquet")
ROWS: list[dict[str, Any]] = [
    {"id": "a-1", "text": 'He wrote "be ready"\nand, later, a place', "source": "user_report", "market": "US"},
    {"id": None, "text": "Vende pastillas sin receta 💊 en Montería", "source": None, "market": "CO"},
    {
        "id": "c-3",
        "text": "Golpe por telefone em nome do banco",
        "source": "press",
        "market": None,
        "received_at": "2026-01-31T18:00:00Z",
    },
]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    else:
        pq.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), path)
    return path


def read_flat(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def run(model: RiskModel, tmp_path: Path) -> Callable[..., tuple[Scored, list[dict[str, Any]], list[dict[str, Any]]]]:
    """Return a function that scores a file into JSON lines and returns what came of it, and what was refused."""

    def run_into_jsonl(source: Path, **options: Any) -> tuple[Scored, list[dict[str, Any]], list[dict[str, Any]]]:
        target = tmp_path / "scored.jsonl"
        done = score(model, source, target, now=NOW, **options)
        return done, read_jsonl(target), read_jsonl(done.refused_file) if done.refused else []

    return run_into_jsonl


@pytest.mark.parametrize("source_kind", KINDS)
@pytest.mark.parametrize("target_kind", KINDS)
def test_any_kind_of_file_becomes_any_other_with_the_ratings_of_the_model(
    source_kind: str, target_kind: str, model: RiskModel, tmp_path: Path
) -> None:
    source = write_rows(tmp_path / f"in.{source_kind}", ROWS)
    target = tmp_path / f"out.{target_kind}"

    done = score(model, source, target, now=NOW)

    rows = read_jsonl(target) if target_kind == "jsonl" else read_flat(target)
    expected = model.assess([read_escalation(row) for row in ROWS], NOW)
    assert (done.rated, done.refused) == (3, 0)
    assert [row["rating"] for row in rows] == [assessment.rating for assessment in expected]
    assert [row["id"] for row in rows] == ["a-1", "row-2", "c-3"]
    assert [int(row["row"]) for row in rows] == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({source.name, target.name})


def test_a_line_of_json_is_the_whole_assessment_and_the_row(model: RiskModel, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    score(model, write_rows(tmp_path / "in.csv", ROWS), target, now=NOW)

    for line, expected in zip(
        read_jsonl(target), model.assess([read_escalation(row) for row in ROWS], NOW), strict=True
    ):
        del line["row"]
        assessment = Assessment.model_validate_json(json.dumps(line))
        assert assessment.model_copy(update={"id": expected.id}) == expected


def test_a_flat_row_says_the_same_in_csv_and_in_parquet(model: RiskModel, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    score(model, source, tmp_path / "out.csv", now=NOW)
    score(model, source, tmp_path / "out2.parquet", now=NOW)

    texts, typed = read_flat(tmp_path / "out.csv"), read_flat(tmp_path / "out2.parquet")

    assert tuple(texts[0]) == FLAT_COLUMNS == tuple(typed[0])
    for text, value in zip(texts, typed, strict=True):
        assert datetime.fromisoformat(text["act_by"]) == value["act_by"]
        assert [float(text[f"p_{name}"]) for name in ("low", "critical")] == [value["p_low"], value["p_critical"]]
        assert json.loads(text["evidence"]) == json.loads(value["evidence"])
        same = set(FLAT_COLUMNS) - {"act_by", "row", "evidence", "confidence", *(n for n in FLAT_COLUMNS if "_" in n)}
        assert {name: text[name] for name in same} == {name: value[name] for name in same}
    assert texts[2]["act_by"].startswith(("2026-01-31T", "2026-02-0"))
    assert texts[0]["model"] == "riskmodel tiny"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_as_spreadsheets_write_it_is_understood(
    delimiter: str, mark: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    source = tmp_path / "in.csv"
    lines = [mark + delimiter.join(["text", "market"]), delimiter.join(['"um, dois; ""três""\r\nquatro"', "BR"]), ""]
    source.write_bytes("\r\n".join(lines).encode())

    with open_csv(source) as rows:
        assert [row.fields for row in rows.rows] == [{"text": 'um, dois; "três"\r\nquatro', "market": "BR"}]
    assert run(source)[0].rated == 1


def test_csv_rows_that_cannot_be_read_are_refused_and_the_others_rated(tmp_path: Path, run: Callable[..., Any]) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(
        b"text,market\n"
        b"first secret,BR\n"
        b"second secret \xe9,BR\n"  # Latin-1
        b"third, secret,BR\n"
        b"\n"
        b"fourth secret,XX\n"
        b'"fifth" secret,BR\n'
        b",BR\n"
        b"   ,BR\n"
        b"eighth secret,\n"
        b'"ninth secret'  # never closed
    )

    done, rated, refused = run(source)

    assert [line["row"] for line in rated] == [1, 8]
    assert [(line["row"], line["field"]) for line in refused] == [
        (2, "row"),
        (3, "row"),
        (4, "market"),
        (5, "row"),
        (6, "text"),
        (7, "text"),
        (9, "row"),
    ]
    assert refused[0]["found"] == "bytes that are not UTF-8"
    assert refused[1] == {"row": 3, "field": "row", "found": "3 cells", "expected": "2, as in the header"}
    assert (done.rated, done.refused) == (2, 7)
    assert "secret" not in done.refused_file.read_text()


def test_lines_that_are_no_json_object_are_refused_and_the_others_rated(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        b'\xef\xbb\xbf{"text": "first"}\n'
        b"\n"
        b'{"text": "secret \xe9"}\n'
        b'{"text": "secret"\n'
        b'["secret"]\n' + b"[" * 100_000 + b"\n"
        b'{"text": "secret \\ud800"}\n'
        b'{"text": 7}\n'
        b'{"text": "secret", "n": ' + b"1" * 5_000 + b"}\n"
        b'{"text": "secret' + b" " * MAX_LINE * 2 + b'"}\n'
        b'{"text": "last", "source": null, "market": ""}'
    )

    _, rated, refused = run(source)

    assert [line["row"] for line in rated] == [1, 11]
    assert [line["row"] for line in refused] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert {line["field"] for line in refused} == {"row", "text"}
    assert "secret" not in json.dumps(refused)


def test_a_quote_that_never_closes_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    good = "a report,US\n" * 20_000
    source.write_text('text,market\n"a report,US\n' + good)

    with open_csv(source) as rows:
        found = list(rows.rows)

    assert [row.number for row in found if row.problem is not None] == [1]
    assert len(found) > 8_000
    assert "lines 2 to" in str(found[0].problem)


def test_parquet_columns_of_other_types_are_read_where_they_mean_the_same(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    moments = pa.array([datetime(2026, 1, 1, 9, tzinfo=UTC)] * 2, pa.timestamp("ns", "America/Bogota"))
    texts = pa.array(["un reporte", "otro reporte"]).dictionary_encode()
    table = pa.table({"text": texts, "id": pa.array([7, 8]), "received_at": moments})
    pq.write_table(table, tmp_path / "in.parquet")

    _, rated, _ = run(tmp_path / "in.parquet")

    assert [line["id"] for line in rated] == ["7", "8"]
    assert {line["act_by"][:10] for line in rated} <= {f"2026-01-0{day}" for day in range(1, 10)}


def test_parquet_values_that_cannot_be_read_are_refused_one_by_one(tmp_path: Path, run: Callable[..., Any]) -> None:
    raw = pa.array([b"a report", b"secret \xe9", b"another report"])
    texts = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    times = pa.array([datetime(2026, 1, 1, 9)] * 2 + [None], pa.timestamp("us"))  # no zone
    pq.write_table(pa.table({"text": texts, "received_at": times}), tmp_path / "in.parquet")

    _, rated, refused = run(tmp_path / "in.parquet")

    assert [line["row"] for line in rated] == [3]
    assert [(line["row"], line["field"]) for line in refused] == [(1, "received_at"), (2, "text")]


def test_a_row_that_the_model_fails_on_is_refused_alone(model: RiskModel, tmp_path: Path) -> None:
    last_hour = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)  # no deadline fits after it
    source = write_rows(tmp_path / "in.jsonl", ROWS)

    done = score(model, source, tmp_path / "out.jsonl", now=last_hour)

    assert [line["row"] for line in read_jsonl(tmp_path / "out.jsonl")] == [3]
    assert [line["row"] for line in read_jsonl(done.refused_file)] == [1, 2]


def test_ignored_columns_are_named_once_unless_the_name_may_be_a_report(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    source = write_rows(tmp_path / "in.csv", [{"text": "a", "souce": "press", "he is waiting outside": "x"}] * 3)
    notices: list[str] = []

    run(source, notice=notices.append)

    assert notices == [f"Ignored columns of {source}: souce, 1 that is not named here."]


def test_a_file_without_problems_gives_no_notice(tmp_path: Path, run: Callable[..., Any]) -> None:
    notices: list[str] = []
    run(write_rows(tmp_path / "in.csv", ROWS), notice=notices.append)
    assert notices == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_column_text_is_named_before_any_work(kind: str, model: RiskModel, tmp_path: Path) -> None:
    source = write_rows(tmp_path / f"in.{kind}", [{"Text": "secret", "he will be there": "b"}])

    with pytest.raises(DataError, match=r"no column text: found Text, 1 that is not named here"):
        score(model, source, tmp_path / "out.csv", now=NOW)

    assert [path.name for path in tmp_path.iterdir()] == [source.name]


@pytest.mark.parametrize(
    ("content", "source", "target", "error"),
    [
        (b"", "in.csv", "out.csv", "no column text: it is empty"),
        (b"text,text\na,b\n", "in.csv", "out.csv", "the column text twice"),
        ("text,id\na,b\n".encode("utf-16"), "in.csv", "out.csv", "not CSV in UTF-8"),
        (b"text\n", "in.parquet", "out.csv", "cannot be read as Parquet"),
        (b"text\n", "in.xlsx", "out.csv", "unknown extension, expected one of .csv, .jsonl, .parquet"),
        (b"text\n", "in.csv", "out.txt", "unknown extension"),
        (None, "in.csv", "out.csv", "does not exist"),
        (b"text\n", "in.csv", "nowhere/out.csv", "does not exist"),
        (b"text\n", "in.csv", "taken.csv", "--overwrite"),
        (b"text\n", "in.csv", "half.csv", "--overwrite"),
        (b"text\n", "in.csv", "in.csv", "is the input"),
    ],
)
def test_what_cannot_work_is_said_before_any_work(
    content: bytes | None, source: str, target: str, error: str, model: RiskModel, tmp_path: Path
) -> None:
    (tmp_path / "taken.csv").write_text("kept")
    (tmp_path / "half.refused.jsonl").write_text("kept")
    if content is not None:
        (tmp_path / source).write_bytes(content)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises((DataError, SettingsError), match=error):
        score(model, tmp_path / source, tmp_path / target, now=NOW)

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_rows_gives_an_output_without_rows(kind: str, model: RiskModel, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("text,id\n")

    done = score(model, source, tmp_path / f"out.{kind}", now=NOW)

    assert done.rated == 0
    if kind != "jsonl":
        assert read_flat(tmp_path / f"out.{kind}") == []
    else:
        assert (tmp_path / "out.jsonl").read_text() == ""


def test_overwriting_replaces_the_output_and_the_refusals_of_before(model: RiskModel, tmp_path: Path) -> None:
    target, refused = tmp_path / "out.csv", tmp_path / "out.refused.jsonl"
    target.write_text("old")
    refused.write_text("old")

    score(model, write_rows(tmp_path / "in.csv", ROWS), target, now=NOW, overwrite=True)

    assert len(read_flat(target)) == 3
    assert not refused.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_run_leaves_everything_as_it_was(kind: str, model: RiskModel, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.csv", [*ROWS, {"text": ""}] * 40)
    target = tmp_path / f"out.{kind}"
    target.write_text("old")
    rows = iter(range(130))

    def interrupt(done: int, total: int) -> None:
        if next(rows, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(model, source, target, now=NOW, overwrite=True, report=interrupt)

    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", target.name]


@pytest.mark.parametrize("kind", KINDS)
def test_progress_ends_at_the_whole_file(kind: str, model: RiskModel, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = write_rows(tmp_path / f"in.{kind}", ROWS * 3)

    score(model, source, tmp_path / "out.csv", now=NOW, report=lambda done, total: told.append((done, total)))

    assert told[-1][0] == told[-1][1] == (9 if kind == "parquet" else source.stat().st_size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def peak_of(work: Callable[[], object]) -> int:
    """Return the most memory, in bytes, that Python took during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(model: RiskModel, tmp_path: Path) -> None:
    few, many = (write_rows(tmp_path / f"{n}.csv", ROWS[:1] * n) for n in (128, 1_024))
    score(model, few, tmp_path / "warm.jsonl", now=NOW)  # caches fill

    low = peak_of(lambda: score(model, few, tmp_path / "few.jsonl", now=NOW))
    high = peak_of(lambda: score(model, many, tmp_path / "many.jsonl", now=NOW))

    assert (tmp_path / "many.jsonl").stat().st_size > 1_200_000
    assert high < low + 500_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_reading_and_writing_a_large_file_holds_a_small_part_of_it(kind: str, model: RiskModel, tmp_path: Path) -> None:
    source = write_rows(tmp_path / f"in.{kind}", ROWS[:1] * 20_000)
    (assessment,) = model.assess([read_escalation(ROWS[0])], NOW)
    arrow = 0

    def copy() -> None:
        nonlocal arrow
        with open_rows(source) as rows, WRITERS[f".{kind}"](tmp_path / f"out.{kind}") as write:
            while batch := list(islice(rows.rows, 64)):
                arrow = max(arrow, pa.total_allocated_bytes() - before)
                for row in batch:
                    write(row.number, assessment)

    before = pa.total_allocated_bytes()
    assert peak_of(copy) < 15_000_000  # the flat rows of 20,000 assessments would hold 50 MB and more
    assert arrow < 15_000_000


def test_the_pace_and_the_counts_end_up_in_one_line() -> None:
    done = Scored(rated=1_200, refused=3, refused_file=Path("out.refused.jsonl"), seconds=10.0)
    assert str(done) == "Rated 1,200, refused 3 (out.refused.jsonl), 120 rows/s."


@pytest.mark.parametrize("kind", KINDS)
def test_how_far_a_source_is_trusted_is_read_from_any_kind_of_file(kind: str, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "one", "reliability": "B", "credibility": 3, "reporter": "acct-1"},
        {"text": "two", "reliability": None, "credibility": None, "reporter": None},
    ]

    with open_rows(write_rows(tmp_path / f"in.{kind}", rows)) as opened:
        first, second = [read_escalation(row.fields) for row in opened.rows]

    assert (first.reliability, first.credibility, first.reporter) == ("B", 3, "acct-1")
    assert (second.reliability, second.credibility, second.reporter) == (None, None, None)


def test_whole_numbers_that_pandas_wrote_as_fractions_are_read_and_others_refused(tmp_path: Path) -> None:
    numbers = pa.array([3.0, None, float("nan"), 2.5], from_pandas=False)
    pq.write_table(pa.table({"text": ["one", "two", "three", "four"], "credibility": numbers}), tmp_path / "in.parquet")

    with open_rows(tmp_path / "in.parquet") as opened:
        found = [row.fields.get("credibility") for row in opened.rows]

    assert found == [3, None, None, 2.5]
