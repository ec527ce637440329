"""``riskmodel report`` as a lead types it."""

import json
from pathlib import Path

import pytest

from riskmodel.cli import main
from tests.riskmodel.reports.insight.made import Weeks, some_work

DAYS = ["--from", "2026-03-09", "--to", "2026-03-15"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path / 'casebook.db'}"
    weeks = Weeks(found)
    some_work(weeks)
    weeks.casebook.close()
    return found


def run(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_report_is_written_and_made_again_by_its_id(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "week.json"
    assert run("report", *DAYS, "--out", str(out), "--database-url", url) == 0
    id_ = json.loads(out.read_text("utf-8"))["id"]
    assert id_ in capfd.readouterr().err
    assert run("report", "--id", id_, "--out", str(tmp_path / "again.json"), "--database-url", url) == 0
    assert "figures are the same" in capfd.readouterr().err
    assert run("forget", "--id", "late", "--database-url", url) == 0
    assert run("report", "--id", id_, "--format", "csv", "--database-url", url) == 2
    said = capfd.readouterr().err
    assert "1 of its escalations are forgotten since" in said and "Differs: deadlines.kept" in said


def test_the_terminal_shows_markdown_in_the_language_asked_for(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("report", *DAYS, "--words", "pt", "--zone", "America/Sao_Paulo", "--database-url", url) == 0
    assert capfd.readouterr().out.startswith("# Relatório de riscos")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--format", "docx"], "--format"),
        (["--words", "fr"], "--words"),
        (["--from", "yesterday"], "A day"),
        (["--market", "ZZ"], "market"),
        (["--id", "r1", "--market", "BR"], "--id"),
        (["--id", "r1"], "no such id"),
        ([*DAYS, "--out", "/nowhere/at/all.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_by_name(
    url: str, given: list[str], named: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("report", *given, "--database-url", url) == 1
    assert named in capfd.readouterr().err


def test_a_schedule_is_added_listed_and_removed(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["--to", "lead@example.org", "--zone", "America/Sao_Paulo", "--market", "BR", "--words", "pt"]
    assert run("report", "schedule", "add", *given, "--database-url", url) == 0
    assert "Schedule 1 added" in capfd.readouterr().out
    assert run("report", "schedule", "list", "--database-url", url) == 0
    said = capfd.readouterr().out
    assert "monday" in said and "BR" in said
    assert run("report", "schedule", "remove", "1", "--database-url", url) == 0
    assert run("report", "schedule", "remove", "1", "--database-url", url) == 1
    assert run("report", "schedule", "add", "--to", "x@example.org", "--on", "someday", "--database-url", url) == 1
    assert run("report", "schedule", "list", "--database-url", url) == 0
    assert "There are no schedules" in capfd.readouterr().err


def test_the_transparency_count_is_written_with_its_drafts(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dsa.json"
    assert run("report", "dsa", *DAYS, "--out", str(out), "--database-url", url) == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["count"]["automation"]["rated_by_a_model"] == 7 and found["statements_of_reasons"]["drafts"] == []
    assert "0 drafts" in capfd.readouterr().err
    assert run("report", "--id", found["id"], "--database-url", url) == 0
