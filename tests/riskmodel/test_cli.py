"""The command line, as somebody at a terminal meets it."""

import io
import json
import logging
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from riskmodel import Policy, RiskModel, read_escalation
from riskmodel.cli import main
from riskmodel.panel import deadline_in_words, decisive_words, highlighted, in_words, visible
from riskmodel.records import Evidence
from riskmodel.service.app import create_app
from tests.service import settings_for, wait_until_ready

TEXT = "Somebody says he will set fire to the shop tonight 😟, and showed a can of petrol."
COMMAND = [sys.executable, "-m", "riskmodel"]


@pytest.fixture
def _logging_kept() -> Iterator[None]:
    """Undo what ``serve`` sets up for its whole process."""
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**configuration)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, _logging_kept: None
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command and returns its exit code, its output and its errors."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        output = capfd.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), output.out, output.err

    return run_command


def on_one_line(panel: str) -> str:
    return re.sub(r"[\s│]+", " ", panel)


def test_a_prediction_shows_everything_a_person_needs(
    run: Callable[..., Any], tiny_model: Path, model: RiskModel, policy: Policy
) -> None:
    code, output, errors = run("predict", TEXT, "--source", "user_report", "--market", "US", "--model", tiny_model)

    escalation = read_escalation({"text": TEXT, "source": "user_report", "market": "US"})
    (assessment,) = model.assess([escalation], datetime.now(UTC))
    shown = on_one_line(output)
    explanation = assessment.explanation
    expected = [
        f"{assessment.rating.upper()} · act within {deadline_in_words(assessment, policy)}",
        assessment.team,
        f"{assessment.confidence:.0%}, ",
        explanation.rule,
        f"severity {assessment.severity.value}",
        f"proximity {assessment.proximity.value}",
        *(category.name for category in assessment.categories),
        "a person must look: uncertain rating",
        TEXT,
        *(f"“{item.text}” {item.weight:.0%}" for item in explanation.evidence),
        *(f"{change.then} if {change.if_}" for change in explanation.counterfactuals),
        *(f"{precedent.similarity:.2f} {precedent.rating}" for precedent in explanation.precedents),
    ]
    assert [part for part in expected if part not in shown] == []
    assert (code, errors) == (0, "")
    assert "\x1b" not in output  # no colours where no terminal is


def test_json_is_what_the_service_answers(run: Callable[..., Any], tiny_model: Path, tmp_path: Path) -> None:
    code, output, _ = run("predict", TEXT, "--source", "press", "--json", "--model", tiny_model)

    with TestClient(create_app(settings_for(tiny_model, tmp_path))) as client:
        wait_until_ready(client)
        answer = client.post("/predict", json={"text": TEXT, "source": "press"}).json()
    found = json.loads(output)
    assert list(found) == list(answer)
    changing = {"id", "act_by"}
    assert {key: found[key] for key in found.keys() - changing} == {
        key: answer[key] for key in answer.keys() - changing
    }
    assert code == 0


def test_a_dash_reads_the_text_from_standard_input(run: Callable[..., Any], tiny_model: Path) -> None:
    arguments = ("predict", "-", "--json", "--model", tiny_model)

    code, output, _ = run(*arguments, stdin=b"Uma vizinha diz que vai se machucar hoje.\n")

    assert code == 0
    assert json.loads(output)["language"] == "pt"


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["predict", ""], b"", "text: found empty text, expected 1 to 20,000 characters"),
        (["predict", "-"], b"secret \xff", "text: found bytes that are not UTF-8"),
        (["predict", "-"], b"secret " * 4_000, "text: found 28,000 characters, expected at most 20,000"),
        (["predict", "secret \udcff"], b"", "text: found text with a lone surrogate"),
        (["predict", "secret", "--market", "Brazil"], b"", "market: found an unknown code"),
        (["predict", "secret", "--source", "nobody"], b"", "source: found text that is not in the list"),
        (["predict", "secret", "--model", "nowhere"], b"", "nowhere is no model"),
        (["serve", "--model", "nowhere", "--port", "0"], b"", "nowhere is no model"),
        (["serve", "--host", "secret!"], b"", "cannot listen on"),
        (["serve", "--log-level", "loud"], b"", "RISKMODEL_LOG_LEVEL: found text, expected one of debug"),
        (["score", "nowhere.csv", "out.csv"], b"", "nowhere.csv does not exist"),
        (["demo", "--data", "nowhere.jsonl"], b"", "nowhere.jsonl cannot be read"),
    ],
)
def test_an_expected_error_is_one_message_and_exit_code_1(
    arguments: list[str],
    stdin: bytes,
    message: str,
    run: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    code, output, errors = run(*arguments, stdin=stdin)

    errors = "\n".join(line for line in errors.splitlines() if not line.startswith('{"'))  # the service's log
    assert (code, output) == (1, "")
    assert errors.startswith("Error: ")
    assert message in errors
    assert errors.count("\n") == 0
    assert arguments[0] != "predict" or "secret" not in errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["score", "in.csv"],
        ["serve", "--port", "many"],
        ["serve", "--port", "70000"],
        ["serve", "--threads", "-1"],
        ["demo", "--twice"],
        ["guess"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], run: Callable[..., Any]) -> None:
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert "Usage: riskmodel" in errors


def test_scoring_says_what_it_did_and_what_it_ignored(
    run: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    source.write_text("text,note\nfirst report,x\n,x\n")

    code, output, errors = run("score", source, target, "--model", tiny_model)

    assert code == 0
    assert re.fullmatch(rf"Rated 1, refused 1 \({tmp_path}/out\.refused\.jsonl\), [\d,]+ rows/s\.\n", output)
    assert errors == f"Ignored columns of {source}: note.\n"
    assert target.exists()


def test_scoring_twice_into_one_file_needs_overwrite(run: Callable[..., Any], tiny_model: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("text\nfirst report\n")

    codes = [run("score", source, target, "--model", tiny_model, *more)[0] for more in ([], [], ["--overwrite"])]

    assert codes == [0, 1, 0]


def test_the_environment_names_the_model_and_an_option_comes_first(
    run: Callable[..., Any], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMODEL_MODEL", str(tiny_model))
    assert run("predict", TEXT, "--json")[0] == 0
    monkeypatch.setenv("RISKMODEL_MODEL", "nowhere")
    assert run("predict", TEXT, "--json")[0] == 1
    assert run("predict", TEXT, "--json", "--model", tiny_model)[0] == 0


def test_help_needs_neither_the_service_nor_the_file_formats() -> None:
    script = "import sys, riskmodel.cli; print([n for n in ('fastapi', 'uvicorn', 'pyarrow') if n in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded == "[]\n"


def test_evidence_stands_out_the_more_the_more_it_weighs() -> None:
    text = "um dois três quatro"
    evidence = [
        Evidence(start=0, end=2, text="um", weight=0.05),
        Evidence(start=3, end=7, text="dois", weight=0.2),
        Evidence(start=8, end=12, text="três", weight=0.6),
    ]

    shown = highlighted(text, evidence)

    assert [(span.start, span.end) for span in shown.spans] == [(0, 2), (3, 7), (8, 12)]
    assert len({str(span.style) for span in shown.spans}) == 3
    assert decisive_words(evidence) == "“três” 60%, “dois” 20%, “um” 5%"


def test_a_report_cannot_steer_the_terminal(run: Callable[..., Any], tiny_model: Path) -> None:
    hostile = "[bold]report\x1b[2J\x1b]0;title\x07 \x9b31m \u202egnp.exe\r\nnext line"

    output = run("predict", hostile, "--model", tiny_model)[1]

    assert not set("\x1b\x07\x9b\u202e\r") & set(output)
    assert "[bold]report" in output
    assert len(visible(hostile)) == len(hostile)


def test_a_confidence_has_a_number_and_words() -> None:
    assert [in_words(confidence) for confidence in (0.95, 0.8, 0.5, 0.31)] == [
        "95%, very sure",
        "80%, fairly sure",
        "50%, not sure",
        "31%, a guess",
    ]


@pytest.mark.slow
def test_the_service_answers_until_it_is_interrupted(tiny_model: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--model", str(tiny_model), "--port", str(port), "--log-level", "error", "--threads", "1"]
    with subprocess.Popen([*COMMAND, "serve", *options], stderr=subprocess.PIPE, text=True) as server:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).close()
                    break
                except OSError as error:
                    getattr(error, "close", lambda: None)()
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=30)
    assert (server.returncode, errors) == (0, "")
