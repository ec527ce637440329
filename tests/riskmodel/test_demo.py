"""The demo: thirty cases to review and six answers of a real service on the screen."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from riskmodel.casebook import open_casebook
from riskmodel.demo.client import AnswerError, find, is_empty, model_version, predict, predict_all, wait_until_ready
from riskmodel.demo.filling import fill, sent
from riskmodel.demo.sample import CASES, choose
from riskmodel.demo.show import check_free
from riskmodel.errors import DataError, SettingsError
from riskmodel.policy import Policy
from riskmodel.records import LANGUAGES, RATINGS, SOURCES
from riskmodel.review import Desk, Entering, Filters, QueueItem, ReviewSettings
from riskmodel.review.labels import read_labels
from riskmodel.service.app import create_app
from riskmodel.service.settings import Settings
from tests.riskmodel.service.page.live import listening
from tests.service import settings_for

COMMAND = [sys.executable, "-m", "riskmodel", "demo"]
THIRTY = 30
SHIFT = timedelta(hours=8)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Return a folder, with a space in its path, that holds a model that is the champion."""
    folder = tmp_path / "my project"
    shutil.copytree(tiny_model, folder / "models/tiny")
    (folder / "models/champion.txt").write_text("tiny\n")
    return folder


def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]


def waiting(database_url: str, policy: Policy) -> tuple[QueueItem, ...]:
    """Return what waits at the review desk of a casebook."""
    with closing(open_casebook(database_url)) as casebook:
        desk = Desk(casebook.database, policy)
        return desk.queue.page(Filters(), None, 1_000, datetime.now(UTC)).items


# --- the cases ----------------------------------------------------------------------------------------------------


def test_the_cases_are_thirty_in_the_corpus_format(policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    rows = [{name: case[name] for name in case if name != "minutes_ago"} for case in cases()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    assert len(read_labels(path, policy)) == THIRTY


def test_the_cases_are_as_mixed_as_a_shift() -> None:
    found = cases()

    assert Counter(case["language"] for case in found) == dict.fromkeys(LANGUAGES, 10)
    assert {case["source"] for case in found} == set(SOURCES)
    assert min(Counter(case["rating"] for case in found)[rating] for rating in RATINGS) >= 5
    assert len({case["market"] for case in found}) >= 10
    assert len({case["categories"][0] for case in found}) >= 10
    assert all(timedelta() < timedelta(minutes=case["minutes_ago"]) < SHIFT for case in found)


def test_some_cases_corroborate_others_across_sources_and_languages() -> None:
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        groups.setdefault(case["group"], []).append(case)
    together = [group for group in groups.values() if len(group) > 1]

    assert len(together) >= 5
    assert all(len({case["source"] for case in group}) == len(group) for group in together)
    assert any(len({case["language"] for case in group}) > 1 for group in together)
    assert any(len({case["text"] for case in group}) == 1 for group in together)  # one report, sent twice


def test_the_six_are_always_the_same_two_a_language_and_of_every_rating() -> None:
    chosen = choose(CASES)

    assert chosen == choose(CASES)
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


# --- filling a casebook -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """A service at an address."""

    app: FastAPI
    address: str
    settings: Settings

    def doubt_less(self) -> None:
        """Have its model accept whatever gives no other reason for doubt than its levels."""
        models = self.app.state.running.models
        (loaded,) = models._loaded
        thresholds = replace(loaded.model.thresholds, accept_safety=0.0, border=2.0, familiarity=-1.0)
        models._loaded = (replace(loaded, model=replace(loaded.model, thresholds=thresholds)),)

    def draw_no_audits(self) -> None:
        """Have its casebook draw nothing by chance: one that is drawn stands for more than itself."""
        self.app.state.running.parts.casebook._enter = Entering(ReviewSettings(audit_share=0.0))

    def fill(self) -> int:
        return fill(self.address, model_version(self.address), self.settings.database_url, datetime.now(UTC))


@pytest.fixture
def service(tiny_model: Path, tmp_path: Path) -> Iterator[Running]:
    settings = settings_for(tiny_model, tmp_path)
    app = create_app(settings)
    with listening(app) as address:
        assert wait_until_ready(address, lambda: False)
        yield Running(app, address, settings)


def test_an_empty_casebook_is_filled_and_all_thirty_wait_until_somebody_decides(
    service: Running, policy: Policy
) -> None:
    """Those that the model asks about and those that it accepts."""
    service.doubt_less()
    service.draw_no_audits()
    assert is_empty(service.address)

    filled = service.fill()

    items = waiting(service.settings.database_url, policy)
    assert (filled, len(items), len({item.id for item in items})) == (THIRTY, THIRTY, THIRTY)
    assert {item.purpose for item in items} == {"review", "audit"}
    assert {item.weight for item in items} == {1.0}
    with urllib.request.urlopen(f"{service.address}/review", timeout=10) as page:
        assert page.read().decode().count('<li class="row"') == THIRTY


def test_the_cases_arrived_at_different_times_before_the_start(service: Running, policy: Policy) -> None:
    service.fill()

    with closing(open_casebook(service.settings.database_url)) as casebook:
        desk = Desk(casebook.database, policy)
        arrived = [
            desk.queue.case(item.number).case.received_at for item in waiting(service.settings.database_url, policy)
        ]
    assert len(set(arrived)) > 20
    assert all(datetime.now(UTC) - SHIFT < moment < datetime.now(UTC) for moment in arrived)


def test_a_second_start_adds_nothing(service: Running, policy: Policy) -> None:
    service.fill()
    before = waiting(service.settings.database_url, policy)

    assert service.fill() == 0
    assert waiting(service.settings.database_url, policy) == before


@pytest.mark.parametrize("kept", [1, THIRTY])
def test_a_first_start_that_was_interrupted_is_completed_by_the_next(
    kept: int, service: Running, policy: Policy
) -> None:
    service.doubt_less()
    service.draw_no_audits()
    now, version = datetime.now(UTC), model_version(service.address)
    predict_all(service.address, [sent(case, version, now - timedelta(hours=1)) for case in cases()[:kept]])

    filled = service.fill()

    items = waiting(service.settings.database_url, policy)
    assert (filled, len(items), len({item.id for item in items})) == (THIRTY, THIRTY, THIRTY)
    assert service.fill() == 0


def test_a_case_that_somebody_deleted_does_not_come_back_with_the_next_start(service: Running, policy: Policy) -> None:
    service.fill()
    gone = waiting(service.settings.database_url, policy)[0].id
    with closing(open_casebook(service.settings.database_url)) as casebook:
        casebook.forget(ids=[gone])

    assert service.fill() == 0
    assert gone not in {item.id for item in waiting(service.settings.database_url, policy)}


def test_a_casebook_that_holds_anything_is_left_alone(service: Running) -> None:
    predict(service.address, {"text": "A report of somebody else.", "id": "own"})

    assert service.fill() == 0
    assert find(service.address, "own") is not None
    assert find(service.address, "another") is None


def test_an_escalation_that_is_refused_is_an_error_with_its_status(service: Running) -> None:
    with pytest.raises(AnswerError, match="/predict/batch answered 422"):
        predict_all(service.address, [{"text": "fine"}, {"text": ""}])


# --- the command --------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} of 127.0.0.1 cannot be used .*--port"):
            check_free(port)


def run_once(folder: Path, port: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, "--once", "--port", str(port)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_the_demo_shows_six_answers_the_review_desk_and_a_line_to_try(folder: Path) -> None:
    port = free_port()

    done = run_once(folder, port)

    assert (done.returncode, done.stderr) == (0, "")
    assert [done.stdout.count(name) for name in ("English", "Spanish", "Portuguese")] == [2, 2, 2]
    assert len(re.findall(r"within \d+ (?:working )?hour", done.stdout)) == 6
    assert len(re.findall(r"\d+%, (very sure|fairly sure|not sure|a guess)", done.stdout)) == 6
    assert f"http://127.0.0.1:{port}/review, where 30 invented cases wait for you." in done.stdout
    assert f"curl -s http://127.0.0.1:{port}/predict " in done.stdout
    body = re.search(r"-d '(.*)'", done.stdout)
    assert body is not None
    assert set(json.loads(body[1])) == {"text", "source", "market"}


@pytest.mark.slow
def test_a_demo_that_is_started_twice_shows_the_same_and_keeps_nothing_more(folder: Path, policy: Policy) -> None:
    port, database_url = free_port(), f"sqlite:///{folder / 'riskmodel.db'}"
    first = run_once(folder, port)
    kept = waiting(database_url, policy)

    second = run_once(folder, port)

    assert len(kept) == THIRTY
    assert waiting(database_url, policy) == kept
    assert second.stdout == first.stdout.replace(", where 30 invented cases wait for you", "")


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
