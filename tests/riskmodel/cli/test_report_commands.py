"""Drift and replay at the command line: of which cases, what is printed and written, and that nothing is kept."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel import Escalation, Policy, RiskModel
from riskmodel.artifact import CHAMPION
from riskmodel.casebook import open_casebook
from riskmodel.cli import main
from riskmodel.review import Desk, Entering, Filters, ReviewSettings
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.reports.made import escalations_of, keep_rated
from tests.riskmodel.review.made import answer

Run = Callable[..., tuple[int, str, str]]
TEXT = "Marisol asks for a call at +55 11 91234-5678: the parcel is late <b>again</b>."
FEW = 12
SAID = ["languages", "categories", "ratings", "confidence", "texts"]


def ago(**period: float) -> datetime:
    return datetime.now(UTC) - timedelta(**period)


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> str:
    """Name an empty casebook, the tiny model and a wide terminal in the environment, and work in an empty folder."""
    found = f"sqlite:///{tmp_path / 'casebook.db'}"
    monkeypatch.setenv("RISKMODEL_DATABASE_URL", found)
    monkeypatch.setenv("RISKMODEL_MODEL", str(tiny_model))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command and returns its exit code, its output and its errors."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        output = capfd.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), output.out, output.err

    return run_command


@pytest.fixture
def kept(url: str, model: RiskModel, train_frame: pd.DataFrame) -> list[Escalation]:
    """Return escalations that were kept yesterday, one of them with personal data; another was kept long ago."""
    found = [*escalations_of(train_frame.iloc[450 : 450 + FEW - 1]), Escalation(text=TEXT, id="personal")]
    keep_rated(url, model, found, ago(days=1))
    keep_rated(url, model, [Escalation(text="An older one, about a lost parcel.", id="old")], ago(days=90))
    return found


def everything(path: Path) -> list[str]:
    """Return every row of every table of a casebook."""
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


# --- drift --------------------------------------------------------------------------------------------------------


def test_drift_looks_at_what_was_kept_in_the_period(run: Run, kept: list[Escalation]) -> None:
    of_a_week = json.loads(run("drift", "--json")[1])
    of_a_year = json.loads(run("drift", "--json", "--days", 365)[1])

    assert (of_a_week["cases"], of_a_year["cases"]) == (FEW, FEW + 1)


def test_drift_as_json_is_json_even_where_there_are_too_few_to_tell(run: Run, kept: list[Escalation]) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    code, output, errors = run("drift", "--json")

    found = json.loads(output, parse_constant=refuse)
    assert (code, errors) == (0, "")
    assert [shift["what"] for shift in found["shifts"]] == SAID
    assert {shift["verdict"] for shift in found["shifts"]} == {"too few to tell"}
    assert {shift["index"] for shift in found["shifts"]} == {None}
    assert found["audited"]["wrong"] == {"n": 0, "value": None, "low": 0.0, "high": 1.0}


def test_drift_prints_a_line_for_each_thing_and_the_audited_error(run: Run, kept: list[Escalation]) -> None:
    code, output, errors = run("drift")

    assert (code, errors) == (0, "")
    assert f"The last 7 days, {FEW} cases" in output
    for what in SAID:
        assert any(what in line and "too few to tell" in line for line in output.splitlines())
    assert output.endswith("Audited error of what was accepted: none.\n")


def test_enough_cases_get_a_verdict_and_the_shares_that_moved(run: Run, url: str, model: RiskModel) -> None:
    text = "Golpe do pix em nome do banco, vítimas hoje"
    keep_rated(url, model, [Escalation(text=f"{text} {at}", id=f"a-{at}") for at in range(200)], ago(days=1))

    output = run("drift")[1]

    (languages,) = (line for line in output.splitlines() if "languages" in line)
    assert "much change" in languages
    assert "→ 100%" in languages
    assert text not in output


def test_the_audited_error_is_that_of_the_period(run: Run, url: str, policy: Policy) -> None:
    settings = ReviewSettings(audit_share=1.0, second_opinion_share=0.0)
    for moment, proximities in ((ago(days=1), ("plausible", "active")), (ago(days=90), ("active",))):
        enter = Entering(settings, random.Random(0))
        with closing(open_casebook(url, lambda moment=moment: moment, enter)) as casebook:
            for at, proximity in enumerate(proximities):
                casebook.keep([make_rated(f"{moment:%m}-{at}")])
                desk = Desk(casebook.database, policy, settings, random.Random(0))
                item = desk.claims.next("ana", Filters(purpose="audit"), moment)
                assert item is not None
                desk.verdicts.decide(answer(item, proximity=proximity), moment)

    output = run("drift")[1]

    assert "Audited error of what was accepted: 50.0% [" in output
    assert output.endswith("n = 2.\n")


def test_drift_says_no_word_of_any_text(run: Run, kept: list[Escalation]) -> None:
    said = "".join([*run("drift")[1:], *run("drift", "--json")[1:]])

    assert not any(escalation.text in said for escalation in kept)
    assert "Marisol" not in said


def test_drift_keeps_nothing(run: Run, kept: list[Escalation], tmp_path: Path) -> None:
    before = everything(tmp_path / "casebook.db")

    run("drift")

    assert everything(tmp_path / "casebook.db") == before
    assert [path.name for path in tmp_path.iterdir() if ".db" not in path.name] == []


def test_drift_compares_with_the_version_that_an_option_names(
    run: Run, kept: list[Escalation], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMODEL_MODEL", "nowhere")

    assert run("drift", "--model", tiny_model)[0] == 0
    assert run("drift")[0] == 1


# --- replay -------------------------------------------------------------------------------------------------------


def test_a_replay_writes_a_page_and_says_how_many_would_move(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    code, output, errors = run("replay", tiny_model)

    assert (code, output) == (0, "")
    assert errors == f"Rated {FEW} of {FEW}.\n0 of {FEW} ratings would move (0.0%): replay.html\n"
    assert f"{FEW} recent cases, rated by tiny," in (tmp_path / "replay.html").read_text(encoding="utf-8")


def move_all(path: Path) -> None:
    """Give every kept case the rating that it did not get."""
    with closing(sqlite3.connect(path)) as database, database:
        for key, document in database.execute("SELECT rowid, document FROM assessments").fetchall():
            answer = json.loads(document)
            answer["rating"] = "low" if answer["rating"] != "low" else "critical"
            database.execute("UPDATE assessments SET document = ? WHERE rowid = ?", (json.dumps(answer), key))


def test_a_replay_shows_what_would_move_with_personal_data_masked(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    move_all(tmp_path / "casebook.db")

    code, _, errors = run("replay", tiny_model, "--out", tmp_path / "page.html")

    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert code == 0
    assert f"{FEW} of {FEW} ratings would move (100.0%)" in errors
    assert "[phone]: the parcel is late &lt;b&gt;again&lt;/b&gt;." in written
    assert "91234" not in written
    assert "An older one" not in written
    assert written.count("<blockquote>") == FEW


def test_a_replay_shows_texts_as_they_are_where_asked_for(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    move_all(tmp_path / "casebook.db")

    run("replay", tiny_model, "--no-redact", "--days", 365)

    written = (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert "+55 11 91234-5678" in written
    assert "An older one" in written


def test_a_replay_keeps_nothing_in_the_casebook(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    before = everything(tmp_path / "casebook.db")

    run("replay", tiny_model)

    assert len(before) > FEW
    assert everything(tmp_path / "casebook.db") == before


def test_no_command_says_a_word_of_any_text_on_the_terminal(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    move_all(tmp_path / "casebook.db")

    said = "".join(run("replay", tiny_model)[1:])

    assert not any(escalation.text in said for escalation in kept)
    assert "Marisol" not in said


# --- what cannot be done ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drift"], "Nothing was kept in the last 7 days: there is nothing to compare."),
        (["drift", "--days", "2"], "Nothing was kept in the last 2 days: there is nothing to compare."),
        (["replay", "models"], "Nothing was kept in the last 30 days: there is nothing to rate again."),
    ],
)
def test_an_empty_casebook_is_one_message(run: Run, arguments: list[str], message: str) -> None:
    assert run(*arguments) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "nowhere"], "nowhere is no model and names none"),
        (["drift", "--model", "nowhere"], "nowhere is no model and names none"),
        (["drift", "--database-url", "mysql://host/name"], "expected sqlite:///FILE or postgresql://"),
    ],
)
def test_what_cannot_be_read_is_one_message_and_leaves_no_page(
    run: Run, kept: list[Escalation], arguments: list[str], message: str, tmp_path: Path
) -> None:
    code, output, errors = run(*arguments)

    assert (code, output) == (1, "")
    assert errors.startswith("Error: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert list(tmp_path.glob("*.html")) == []


def test_a_page_that_cannot_be_written_is_one_message(run: Run, kept: list[Escalation], tiny_model: Path) -> None:
    code, output, errors = run("replay", tiny_model, "--out", "no/such/page.html")

    assert (code, output) == (1, "")
    assert errors.endswith("Error: no/such/page.html cannot be written: No such file or directory.\n")


@pytest.mark.parametrize(
    "arguments", [["drift", "--days", "0"], ["replay"], ["replay", "models", "--out", "."], ["drift", "--days", "many"]]
)
def test_wrong_usage_is_exit_code_2(run: Run, arguments: list[str]) -> None:
    code, output, errors = run(*arguments)

    assert (code, output) == (2, "")
    assert "Usage: riskmodel" in errors


def test_a_folder_of_versions_stands_for_its_champion(
    run: Run, kept: list[Escalation], tiny_model: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "tiny").symlink_to(tiny_model)
    (models / CHAMPION).write_text("tiny\n")

    assert [run(*arguments)[0] for arguments in (["drift", "--model", models], ["replay", models])] == [0, 0]
