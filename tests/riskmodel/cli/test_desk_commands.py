"""Known cases and a backlog at the command line: what the desk is given, and what is refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from riskmodel.artifact import load_model
from riskmodel.casebook import Casebook, open_casebook
from riskmodel.cli import main
from riskmodel.policy import Policy
from riskmodel.review import Desk, Filters
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.review.made import waiting

Run = Callable[..., tuple[int, str, str]]
DATA = Path(__file__).parents[3] / "data/escalations/test.jsonl"
COUNT = 3


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RISKMODEL_DATABASE_URL", f"sqlite:///{tmp_path / 'casebook.db'}")
    return f"sqlite:///{tmp_path / 'casebook.db'}"


@pytest.fixture
def casebook(url: str) -> Iterator[Casebook]:
    with closing(open_casebook(url)) as casebook:
        yield casebook


@pytest.fixture
def desk(casebook: Casebook, policy: Policy) -> Desk:
    return Desk(casebook.database, policy)


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
def rows() -> list[dict[str, Any]]:
    """Return rows of the corpus."""
    return [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()[:COUNT]]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def waits(desk: Desk, purpose: str) -> list[str]:
    return sorted(item.id for item in desk.queue.page(Filters(purpose=purpose), None, 100, datetime.now(UTC)).items)


def trail(casebook: Casebook) -> list[tuple[str, str]]:
    return [(entry.event.action, entry.event.subject) for entry in casebook.trail.page()]


def test_golden_cases_are_rated_and_wait_for_so_many_analysts(
    run: Run, rows: list[dict[str, Any]], tiny_model: Path, desk: Desk, casebook: Casebook, tmp_path: Path
) -> None:
    path = write(tmp_path / "known.jsonl", rows)

    done = run("golden", "add", path, "--copies", 3, "--model", tiny_model)

    assert done == (0, f"{COUNT} golden cases added.\n", "")
    assert waits(desk, "golden") == sorted([row["id"] for row in rows] * 3)
    assert trail(casebook) == [("add golden", f"{COUNT} golden cases for 3 analysts each")]
    item = desk.queue.page(Filters(), None, 1, datetime.now(UTC)).items[0]
    case = desk.queue.case(item.number)
    assert case.case.text in {row["text"] for row in rows}
    assert (case.assessment.model.version, item.asked_as in ("review", "audit")) == ("tiny", True)
    assert item.act_by > datetime.now(UTC)


def test_golden_cases_that_are_there_are_left_alone(
    run: Run, rows: list[dict[str, Any]], tiny_model: Path, desk: Desk, tmp_path: Path
) -> None:
    run("golden", "add", write(tmp_path / "two.jsonl", rows[:2]), "--model", tiny_model)

    _, output, _ = run("golden", "add", write(tmp_path / "all.jsonl", rows), "--model", tiny_model)

    assert output == "1 golden cases added; 2 were there already.\n"
    assert len(waits(desk, "golden")) == 2 * COUNT


def test_a_file_of_which_a_row_is_refused_adds_nothing_and_names_line_and_field(
    run: Run, rows: list[dict[str, Any]], tiny_model: Path, desk: Desk, casebook: Casebook, tmp_path: Path
) -> None:
    rows[1] |= {"severity": "dreadful"}
    rows[2] |= {"evidence": ["what nobody wrote"]}
    path = write(tmp_path / "known.jsonl", rows)

    code, output, errors = run("golden", "add", path, "--model", tiny_model)

    assert (code, output) == (1, "")
    assert f"{path}:2 severity: found text that is not in the list" in errors
    assert f"{path}:3 evidence: found 1 that the text does not hold" in errors
    assert f"{path}:1" not in errors and rows[0]["text"][:30] not in errors
    assert (waits(desk, "golden"), trail(casebook)) == ([], [])


def test_a_case_that_the_model_learnt_from_is_refused_as_its_page_would_show_its_rating(
    run: Run, rows: list[dict[str, Any]], tiny_model: Path, policy: Policy, desk: Desk, tmp_path: Path
) -> None:
    learnt = load_model(tiny_model, policy).precedents.labelled[7]
    train = [json.loads(line) for line in DATA.with_name("train.jsonl").read_text(encoding="utf-8").splitlines()]
    rows[1] = next(row for row in train if row["id"] == learnt.id) | {"id": "another-id"}

    code, output, errors = run("golden", "add", write(tmp_path / "known.jsonl", rows), "--model", tiny_model)

    assert (code, output, waits(desk, "golden")) == (1, "", [])
    assert "Golden case another-id: its text: found one that version tiny learnt from" in errors


def test_another_escalation_under_a_known_id_is_named_and_nothing_is_added(
    run: Run, rows: list[dict[str, Any]], tiny_model: Path, desk: Desk, tmp_path: Path
) -> None:
    run("golden", "add", write(tmp_path / "one.jsonl", rows[:1]), "--copies", 1, "--model", tiny_model)
    changed = [rows[0] | {"text": rows[0]["text"] + " Thanks."}, *rows[1:]]

    code, _, errors = run("golden", "add", write(tmp_path / "all.jsonl", changed), "--model", tiny_model)

    assert code == 1
    assert f"Golden case {rows[0]['id']}: its id: found another escalation" in errors
    assert waits(desk, "golden") == [rows[0]["id"]]


def test_a_backlog_enters_the_queue_once_and_the_trail_says_so(run: Run, casebook: Casebook, desk: Desk) -> None:
    casebook.keep([waiting("one"), waiting("two"), make_rated("accepted")])
    assert waits(desk, "review") == []

    first, second = run("queue", "enter"), run("queue", "enter")

    assert first == (0, "2 escalations entered the queue.\n", "")
    assert second == (0, "0 escalations entered the queue.\n", "")
    assert waits(desk, "review") == ["one", "two"]
    assert trail(casebook) == [("enter queue", "0 escalations"), ("enter queue", "2 escalations")]


def test_a_backlog_can_begin_with_a_day(run: Run, casebook: Casebook, desk: Desk) -> None:
    casebook.keep([waiting("one")])

    assert run("queue", "enter", "--from", "2999-01-01")[1] == "0 escalations entered the queue.\n"
    assert run("queue", "enter", "--from", "2026-01-01")[1] == "1 escalations entered the queue.\n"
    assert "A day: found text of another form" in run("queue", "enter", "--from", "tomorrow")[2]


@pytest.mark.parametrize(
    "arguments", [["golden"], ["golden", "add"], ["golden", "add", "x", "--copies", "0"], ["queue"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], run: Run) -> None:
    code, output, errors = run(*arguments)

    assert code == 2
    assert "Usage: riskmodel" in output + errors
