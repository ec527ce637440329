"""The demo: six answers of a real service on the screen."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from riskmodel.demo.sample import choose
from riskmodel.demo.show import check_free
from riskmodel.errors import DataError, SettingsError
from riskmodel.records import RATINGS

DATA = Path(__file__).parents[2] / "data/escalations/test.jsonl"
COMMAND = [sys.executable, "-m", "riskmodel", "demo"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Return a project's folder, with a space in its path: data, and a model that is the champion."""
    folder = tmp_path / "my project"
    (folder / "data/escalations").mkdir(parents=True)
    shutil.copy(DATA, folder / "data/escalations/test.jsonl")
    shutil.copytree(tiny_model, folder / "models/tiny")
    (folder / "models/champion.txt").write_text("tiny\n")
    return folder


def test_the_six_are_always_the_same_two_a_language_and_of_every_rating() -> None:
    chosen = choose(DATA)

    assert chosen == choose(DATA)
    assert [labelled.language for labelled in chosen] == ["en", "en", "es", "es", "pt", "pt"]
    assert {labelled.rating for labelled in chosen} == set(RATINGS)
    assert {tuple(labelled.body) for labelled in chosen} == {("text", "source", "market")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no escalation of 60 to 300 characters rated critical in en"),
        ("no json\n", "does not hold labelled escalations"),
        ('["a list"]\n', "does not hold labelled escalations"),
    ],
)
def test_a_file_that_lacks_what_the_demo_shows_is_a_clear_error(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(content)
    with pytest.raises(DataError, match=message):
        choose(tmp_path / "test.jsonl")


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} of 127.0.0.1 cannot be used .*--port"):
            check_free(port)


@pytest.mark.slow
def test_the_demo_shows_six_answers_and_a_line_to_try(folder: Path) -> None:
    port = free_port()

    done = subprocess.run(
        [*COMMAND, "--once", "--port", str(port)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [done.stdout.count(name) for name in ("English", "Spanish", "Portuguese")] == [2, 2, 2]
    assert len(re.findall(r"within \d+ hour", done.stdout)) == 6
    assert len(re.findall(r"\d+%, (very sure|fairly sure|not sure|a guess)", done.stdout)) == 6
    assert f"curl -s http://127.0.0.1:{port}/predict " in done.stdout
    body = re.search(r"-d '(.*)'", done.stdout)
    assert body is not None
    assert set(json.loads(body[1])) == {"text", "source", "market"}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stays_up_until_it_is_told_to_end(number: signal.Signals, folder: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [*COMMAND, "--port", str(port)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any("stays up until Ctrl-C" in line for line in demo.stdout)

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
            assert answer.status == 200
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=30)

    assert demo.returncode == (0 if number == signal.SIGINT else -signal.SIGTERM)
    assert errors == ""
    check_free(port)


@pytest.mark.slow
def test_a_demo_without_a_model_says_so_and_ends(folder: Path) -> None:
    shutil.rmtree(folder / "models")

    done = subprocess.run(
        [*COMMAND, "--port", str(free_port())], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Error: models is no model")
