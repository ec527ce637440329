"""A challenger that passed the gate in, the version that serves out; and back again.

What serves out of a folder is named by ``models/champion.txt``; what serves out of MLflow's registry by the alias
``champion``. Both move together, and the one before stays named ``previous``.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from riskmodel.artifact import CHAMPION, champion_folder, load_model, read_manifest
from riskmodel.errors import DataError, EscalationError, SettingsError
from riskmodel.model import RiskModel
from riskmodel.policy import Policy
from riskmodel.records import RATINGS, Escalation, read_escalation
from training import tracking
from training.dataset import read_splits
from training.evaluate import predict
from training.gate import Finding, compare, moved, slower
from training.labels import read_labels
from training.progress import progress
from training.workspace import MODELS, Workspace

PREVIOUS = "previous.txt"
TIMED_TEXTS = 40
ROUNDS = 3
BATCH = 64


@dataclass(frozen=True)
class Recent:
    """Recent escalations with the rating they got, as ``riskmodel export escalations`` writes them."""

    escalations: list[Escalation]
    ratings: list[str]


def judge(workspace: Workspace, challenger: Path, policy: Policy, recent: Recent | None) -> list[Finding]:
    """Let champion and challenger rate the test split, and the challenger what came in recently.

    Raises:
        ArtifactError: if one of them cannot be loaded.
    """
    test = read_splits(workspace.root, policy)["test"]
    truth = read_labels(test, policy).rating
    old = load_model(champion_folder(workspace.root / MODELS), policy, across_texts=True)
    new = load_model(challenger, policy, across_texts=True)
    with progress("The champion rates the test split") as report:
        before, _ = predict(old, test, report)
    with progress("The challenger rates the test split") as report:
        after, _ = predict(new, test, report)
    findings = compare(before, after, test, truth)
    findings.append(_timed(old, new, test["text"].iloc[:TIMED_TEXTS].tolist()))
    if recent is not None:
        with progress("The challenger rates what came in") as report:
            now, ratings = datetime.now(UTC), list[str]()
            for start in range(0, len(recent.escalations), BATCH):
                ratings += [found.rating for found in new.assess(recent.escalations[start : start + BATCH], now)]
                report(len(ratings), len(recent.escalations), "")
        names = [escalation.id or "" for escalation in recent.escalations]
        findings.append(moved(recent.ratings, ratings, names))
    return findings


def read_recent(path: Path) -> Recent:
    """Read an export of the casebook: JSON lines with id, text, source, market and assessments, the newest first.

    Raises:
        DataError: naming the file and line that cannot be used.
    """
    escalations, ratings = list[Escalation](), list[str]()
    try:
        # Not splitlines(): a text may hold other characters that end a line.
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: expected what `riskmodel export escalations` writes.") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            rating = RATINGS.index(row["assessments"][0]["rating"])
            escalations.append(read_escalation({name: row[name] for name in ("id", "text", "source", "market")}))
            ratings.append(RATINGS[rating])
        except (EscalationError, ValueError, KeyError, IndexError, TypeError):  # which may repeat a text
            raise DataError(f"{path}:{number} is no case: expected id, text, source, market and assessments.") from None
    return Recent(escalations, ratings)


def promote(workspace: Workspace, challenger: Path) -> str:
    """Make a version of ``models/`` the champion, in the folder and in the registry; return what was done.

    Raises:
        SettingsError: if it is not one of them, or the registry fails; then nothing was changed in the folder.
        ArtifactError: if it has no manifest.
    """
    models = workspace.root / MODELS
    folder = models / challenger.resolve().name
    if not folder.is_dir() or folder.resolve() != challenger.resolve():
        raise SettingsError(f"{challenger} is not one of the versions in {models}: only these can serve.")
    pointer = models / CHAMPION
    before = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    if before == folder.name:
        return f"{folder.name} is the champion already."
    try:
        in_registry = _move_alias(workspace, folder)  # first: where the registry fails, the folder is as it was
    except MlflowException as error:
        raise SettingsError(
            f"MLflow's registry failed ({error.error_code}), so that {before or 'none'} is the champion still. "
            "Check MLFLOW_TRACKING_URI."
        ) from error
    if before:
        (models / PREVIOUS).write_text(before + "\n", encoding="utf-8")
    pointer.write_text(folder.name + "\n", encoding="utf-8")
    return f"{folder.name} is the champion now, {before or 'none'} before. {in_registry}"


def roll_back(workspace: Workspace) -> str:
    """Make the champion before the present one the champion again.

    Raises:
        SettingsError: if there was none.
    """
    models = workspace.root / MODELS
    previous = models / PREVIOUS
    if not previous.is_file():
        raise SettingsError(f"{previous} is not there: no version was promoted over another yet.")
    return promote(workspace, models / previous.read_text(encoding="utf-8").strip())


def _move_alias(workspace: Workspace, folder: Path) -> str:
    """Point the registry's champion to a version; say so where the registry does not know it."""
    tracking.connect(workspace)
    client, manifest = MlflowClient(), read_manifest(folder)
    number = tracking.registered(client, manifest.name, manifest.version)
    if number is None:
        return "MLflow's registry does not know it, so that no alias was moved."
    try:
        old = client.get_model_version_by_alias(manifest.name, tracking.CHAMPION).version
        client.set_registered_model_alias(manifest.name, tracking.PREVIOUS, old)
    except MlflowException:
        pass  # it had no champion
    client.set_registered_model_alias(manifest.name, tracking.CHAMPION, number)
    return (
        f"In MLflow it is {manifest.name}@{tracking.CHAMPION}, version {number}: services that follow it change over."
    )


def _timed(old: RiskModel, new: RiskModel, texts: Sequence[str]) -> Finding:
    """Time both in turns, one text at a time."""
    seconds: dict[int, list[float]] = {0: [], 1: []}
    now = datetime.now(UTC)
    for _ in range(ROUNDS):
        for text in texts:
            for which, model in enumerate((old, new)):
                started = time.perf_counter()
                model.assess([Escalation(text=text)], now)
                seconds[which].append(time.perf_counter() - started)
    return slower(seconds[0], seconds[1])
