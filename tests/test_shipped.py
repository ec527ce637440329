"""The version that is in git: measured on the test split, served as a new process."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from riskmodel import Escalation, RiskModel, load_model, load_policy
from riskmodel.artifact import champion_folder, read_manifest
from training.card import figures
from training.dataset import SPLITS
from training.doubt import DoubtFigures
from training.evaluate import Evaluation, evaluate, predict
from training.labels import read_labels
from training.robustness import measure
from training.rows import read_labelled

ROOT = Path(__file__).parents[1]
LARGEST_VERSION, LARGEST_FILE = 60_000_000, 50_000_000
PORT = 8731


@pytest.fixture(scope="module")
def folder() -> Path:
    return champion_folder(ROOT / "models")


@pytest.fixture(scope="module")
def shipped(folder: Path) -> RiskModel:
    return load_model(folder, load_policy())


def test_figures_in_the_readme_are_those_of_the_champions_manifest() -> None:
    manifest = read_manifest(champion_folder(ROOT / "models"))
    recorded = {name: Evaluation.from_record(record) for name, record in manifest.metrics.items()}

    assert figures(manifest, recorded) in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_champion_is_whole_in_git_and_small() -> None:
    sizes = [path.stat().st_size for path in champion_folder(ROOT / "models").rglob("*") if path.is_file()]

    assert sum(sizes) < LARGEST_VERSION
    assert max(sizes) < LARGEST_FILE


@pytest.mark.slow
def test_the_champion_reaches_what_it_was_shipped_for_and_what_its_manifest_says(
    shipped: RiskModel, folder: Path
) -> None:
    policy = load_policy()
    test = read_labelled(ROOT / SPLITS["test"], policy)

    predicted, _ = predict(shipped, test)
    found = evaluate(predicted, test, read_labels(test, policy)).rating

    recorded = Evaluation.from_record(read_manifest(folder).metrics["riskmodel"]).rating
    assert found["field"]["kappa"].value >= 0.84
    assert found["all"]["critical_recall"].value >= 0.85
    assert found["all"]["critical_missed"].value <= 0.05
    assert found["all"]["kappa"].value == pytest.approx(recorded["all"]["kappa"].value, abs=0.02)


@pytest.mark.slow
def test_a_report_gets_the_same_answer_alone_and_among_others(shipped: RiskModel) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    frame = read_labelled(ROOT / SPLITS["test"], shipped.policy).iloc[:30]
    reports = [Escalation(text=text, id=name) for text, name in zip(frame["text"], frame["id"], strict=True)]

    together = shipped.assess(reports, now)

    assert together == [shipped.assess([report], now)[0] for report in reports]


@pytest.mark.slow
def test_harmless_edits_seldom_move_a_rating_and_decisive_ones_mostly_do(shipped: RiskModel) -> None:
    found = measure(shipped, read_labelled(ROOT / SPLITS["test"], shipped.policy).iloc[::8])

    assert all(edit.moved.value <= 0.25 for edit in found.harmless.values())
    assert all(edit.fell.value <= 0.15 for edit in found.harmless.values())
    assert found.harmless["zero-width characters"].moved.value == 0
    assert found.decisive.value >= 0.6
    assert found.unfamiliar_reviewed.value >= 0.75


@pytest.mark.slow
def test_the_bound_of_what_is_accepted_holds_on_the_test_split(folder: Path) -> None:
    found = DoubtFigures.from_record(read_manifest(folder).doubt["test split"])

    assert found.accepted.n / found.all.n >= 0.4
    assert found.accepted.too_low <= 0.02


@pytest.mark.slow
def test_the_service_is_ready_in_time_within_its_memory_and_answers(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "riskmodel", "serve", "--model", str(folder), "--port", str(PORT)]
    command += ["--auth", "off", "--database-url", f"sqlite:///{tmp_path / 'casebook.db'}"]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(process)
        seconds = time.perf_counter() - started
        body = json.dumps({"text": "Há uma pessoa armada na porta da escola agora, alunos presos na sala."}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
        resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    finally:
        process.terminate()
        process.wait(timeout=20)

    assert (found["language"], found["rating"]) == ("pt", "critical")
    assert seconds <= 10  # 3 s on an idle machine: benchmarks/results
    assert resident is not None
    assert int(resident.group(1)) / 1024 <= 600


def wait_until_ready(process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/ready", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready within 30 s")
