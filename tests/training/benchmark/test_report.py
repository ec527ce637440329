"""The page of figures and the same as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from training.benchmark.report import markdown, write
from training.benchmark.run import Results
from training.benchmark.sets import OWN_HEAD, ZERO, Line
from training.metrics import Interval

LINES = [
    Line("HateCheck, pt", "hateful?", ZERO, 3_691, "macro-F1", Interval(0.81, 0.79, 0.83), "vendor's card 0.850"),
    Line("HateCheck, pt", "threat", ZERO, 120, "accuracy", Interval(0.9, 0.85, 0.95)),
    Line("HateCheck, es", "threat", ZERO, 110, "accuracy", Interval(0.8, 0.75, 0.85)),
    Line("HateCheck, es", "spelling", ZERO, 50, "accuracy", Interval(0.5, 0.4, 0.6)),
    Line("EDOS", "A: sexist?", OWN_HEAD, 6_000, "macro-F1", Interval(0.8, 0.78, 0.82), "winner 0.8746"),
]


@pytest.fixture
def results() -> Results:
    return Results("2026.01.01.1", ["data/escalations/train.jsonl: 3 escalations", "EDOS: é público"], LINES, [])


def table_rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_names_the_version_and_what_it_was_trained_on(results: Results) -> None:
    page = markdown(results)

    assert "Version 2026.01.01.1" in page
    assert "\n- data/escalations/train.jsonl: 3 escalations\n- EDOS: é público\n" in page


def test_each_figure_has_a_row_with_interval_size_and_published_figures(results: Results) -> None:
    rows = table_rows(markdown(results))

    assert ["set", "question", "how", "n", "figure", "", "published"] in rows
    expected = ["HateCheck, pt", "hateful?", ZERO, "3,691", "macro-F1", "0.810 [0.790, 0.830]", "vendor's card 0.850"]
    assert expected in rows
    assert ["EDOS", "A: sexist?", OWN_HEAD, "6,000", "macro-F1", "0.800 [0.780, 0.820]", "winner 0.8746"] in rows


def test_functionalities_have_a_table_of_their_own_with_a_column_for_each_language(results: Results) -> None:
    page = markdown(results)

    _, kinds = page.split("## HateCheck by functionality")
    header, _, spelling, threat = table_rows(kinds)
    assert header == ["functionality", "HateCheck, es", "HateCheck, pt"]
    assert spelling == ["spelling", "0.50 (50)", ""]
    assert threat == ["threat", "0.80 (110)", "0.90 (120)"]


def test_all_rows_of_a_table_are_as_wide_as_its_header(results: Results) -> None:
    main, kinds = markdown(results).split("## HateCheck by functionality")

    assert {len(row) for row in table_rows(main)} == {7}
    assert {len(row) for row in table_rows(kinds)} == {3}


def test_what_was_not_there_is_named_and_only_then(results: Results) -> None:
    missing = Results(results.version, results.trained_on, LINES[4:], ["xstest_en.jsonl.gz", "told_br.jsonl.gz"])

    assert "Not there when this was measured: xstest_en.jsonl.gz, told_br.jsonl.gz." in markdown(missing)
    assert "Not there" not in markdown(results)
    assert "by functionality" not in markdown(missing)


def test_the_figures_are_written_as_json_beside_the_page(results: Results, tmp_path: Path) -> None:
    page = write(results, tmp_path / "docs" / "content")

    found = json.loads((page.parent / "2026.01.01.1.json").read_text(encoding="utf-8"))
    assert page.read_text(encoding="utf-8") == markdown(results)
    assert found == asdict(results)
    again = [Line(**{**line, "value": Interval(**line["value"])}) for line in found["lines"]]
    assert again == LINES


def test_another_version_replaces_the_page_and_keeps_the_figures_of_the_first(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)

    page = write(Results("2026.01.02.1", [], LINES, []), tmp_path)

    assert "Version 2026.01.02.1" in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.glob("*.json")} == {"2026.01.01.1.json", "2026.01.02.1.json"}
