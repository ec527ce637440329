"""The gate in use: who may become the champion, what the folder and the registry say afterwards, and the way back."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel import Policy, RiskModel
from riskmodel.artifact import CHAMPION, read_manifest, seal
from riskmodel.errors import ArtifactError, DataError, SettingsError
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES
from tests.riskmodel.reports.made import escalations_of, exported, keep_rated
from tests.tiny import build_tiny_model
from training.dataset import SPLITS
from training.workspace import MODELS, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow takes seconds, and warns of itself

ROOT = Path(__file__).parents[2]
ROWS = {"train": 450, "test": 240}
RECENT = 60
NAME = "riskmodel"
SPEED = "median seconds for an answer"
Run = Callable[..., tuple[int, str, str]]


def as_version(folder: Path, name: str) -> Path:
    """Call a version by another name."""
    seal(folder, read_manifest(folder).model_copy(update={"version": name}))
    return folder


def flipped(frame: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return a frame in which the answers of one language are turned upside down."""
    found, rows = frame.copy(), frame["language"] == language
    for column, order in (("rating", RATINGS), ("severity", SEVERITIES), ("proximity", PROXIMITIES)):
        found.loc[rows, column] = found.loc[rows, column].map(dict(zip(order, reversed(order), strict=True)))
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, sample_frame: pd.DataFrame) -> Path:
    """Return a project with a small corpus and three versions: the champion, its like, and one that was sabotaged."""
    found = tmp_path_factory.mktemp("a project")
    for split, path in SPLITS.items():
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()[: ROWS[split]]
        (found / path).parent.mkdir(parents=True, exist_ok=True)
        (found / path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("one", "two"):
        as_version(Path(shutil.copytree(tiny_model, found / MODELS / name)), name)
    as_version(build_tiny_model(found / MODELS / "sabotaged", flipped(sample_frame, "pt")), "sabotaged")
    return found


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty store of MLflow's, to be copied: to make one takes seconds."""
    import mlflow

    from training.tracking import connect

    root = tmp_path_factory.mktemp("registry")
    connect(Workspace(root))
    mlflow.MlflowClient().create_registered_model(NAME)
    mlflow.set_tracking_uri(None)
    return root / "mlflow.db"


@pytest.fixture
def project(corpus: Path, registry: Path, tmp_path: Path) -> Iterator[Workspace]:
    """Return a project of a test's own, where version one is the champion, in the folder and in the registry."""
    import mlflow

    from training.tracking import CHALLENGER, VERSION_TAG, connect

    root = tmp_path / "a project"
    for split in SPLITS.values():
        (root / split).parent.mkdir(parents=True, exist_ok=True)
        (root / split).symlink_to(corpus / split)
    (root / MODELS).mkdir()
    for version in (corpus / MODELS).iterdir():
        shutil.copytree(version, root / MODELS / version.name, copy_function=lambda a, b: Path(b).symlink_to(a))
    (root / MODELS / CHAMPION).write_text("one\n", encoding="utf-8")
    shutil.copy(registry, root / "mlflow.db")
    connect(Workspace(root))
    client = mlflow.MlflowClient()
    for name in ("one", "two", "sabotaged"):
        number = client.create_model_version(NAME, str(root / MODELS / name), tags={VERSION_TAG: name}).version
        client.set_registered_model_alias(NAME, "champion" if name == "one" else CHALLENGER, number)
    yield Workspace(root)
    mlflow.set_tracking_uri(None)


@pytest.fixture
def run(project: Workspace, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in the project and returns its exit code, its output and its errors."""
    from training.__main__ import main

    def run_command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*(str(argument) for argument in arguments), "--root", str(project.root)])
        output = capfd.readouterr()
        return (ended.value.code if isinstance(ended.value.code, int) else 0), output.out, output.err

    return run_command


def named(project: Workspace) -> dict[str, str]:
    """Return what the files of the folder say."""
    files = {name: project.root / MODELS / f"{name}.txt" for name in ("champion", "previous")}
    return {name: path.read_text(encoding="utf-8").strip() for name, path in files.items() if path.is_file()}


def aliases(project: Workspace) -> dict[str, str]:
    """Return which of our versions the registry's aliases stand for."""
    import mlflow

    from training.tracking import VERSION_TAG

    client = mlflow.MlflowClient()
    found = {}
    for alias, number in client.get_registered_model(NAME).aliases.items():
        found[alias] = client.get_model_version(NAME, number).tags[VERSION_TAG]
    return {alias: version for alias, version in found.items() if alias != "challenger"}


def promote(project: Workspace, version: str | Path) -> str:
    from training.promote import promote

    return promote(project, project.root / MODELS / version)


def roll_back(project: Workspace) -> str:
    from training.promote import roll_back

    return roll_back(project)


# --- what moves ---------------------------------------------------------------------------------------------------


def test_folder_and_registry_move_together_and_the_one_before_stays_named(project: Workspace) -> None:
    said = promote(project, "two")

    assert named(project) == aliases(project) == {"champion": "two", "previous": "one"}
    assert said.startswith("two is the champion now, one before. In MLflow it is riskmodel@champion, version 2:")


def test_a_rollback_makes_the_one_before_the_champion_again(project: Workspace) -> None:
    promote(project, "two")

    said = roll_back(project)

    assert named(project) == aliases(project) == {"champion": "one", "previous": "two"}
    assert said.startswith("one is the champion now, two before.")


def test_to_roll_back_twice_is_to_return(project: Workspace) -> None:
    promote(project, "two")
    before = named(project), aliases(project)

    roll_back(project)
    roll_back(project)

    assert (named(project), aliases(project)) == before


def test_only_the_last_champion_is_named_as_previous(project: Workspace) -> None:
    promote(project, "two")
    promote(project, "sabotaged")

    assert named(project) == aliases(project) == {"champion": "sabotaged", "previous": "two"}


def test_the_champion_needs_no_promotion(project: Workspace) -> None:
    promote(project, "two")

    assert promote(project, "two") == "two is the champion already."
    assert named(project) == aliases(project) == {"champion": "two", "previous": "one"}


def test_the_first_champion_of_a_folder_has_none_before_it(project: Workspace) -> None:
    (project.root / MODELS / CHAMPION).unlink()

    assert promote(project, "two").startswith("two is the champion now, none before.")
    assert named(project) == {"champion": "two"}


def test_a_service_that_loads_the_folder_gets_the_new_champion(project: Workspace) -> None:
    from riskmodel.artifact import champion_folder

    promote(project, "two")

    assert champion_folder(project.root / MODELS) == project.root / MODELS / "two"


def test_a_version_that_the_registry_does_not_know_moves_in_the_folder_and_the_message_says_so(
    project: Workspace,
) -> None:
    shutil.copytree(project.root / MODELS / "two", project.root / MODELS / "unknown")
    manifest = project.root / MODELS / "unknown" / "manifest.json"
    manifest.unlink()
    seal(manifest.parent, read_manifest(project.root / MODELS / "two").model_copy(update={"version": "unknown"}))

    said = promote(project, "unknown")

    assert "MLflow's registry does not know it, so that no alias was moved." in said
    assert named(project) == {"champion": "unknown", "previous": "one"}
    assert aliases(project) == {"champion": "one"}


def test_of_two_registrations_of_a_version_the_newer_becomes_the_champion(project: Workspace) -> None:
    import mlflow

    from training.tracking import VERSION_TAG

    client = mlflow.MlflowClient()
    newer = client.create_model_version(NAME, str(project.root / MODELS / "two"), tags={VERSION_TAG: "two"}).version

    promote(project, "two")

    assert str(client.get_model_version_by_alias(NAME, "champion").version) == str(newer)


# --- what does not move -------------------------------------------------------------------------------------------


def test_nothing_can_be_rolled_back_before_something_was_promoted(project: Workspace) -> None:
    with pytest.raises(SettingsError, match="no version was promoted over another yet"):
        roll_back(project)

    assert named(project) == aliases(project) == {"champion": "one"}


def test_a_previous_version_that_is_gone_is_not_gone_back_to(project: Workspace) -> None:
    promote(project, "two")
    shutil.rmtree(project.root / MODELS / "one")

    with pytest.raises(SettingsError, match="is not one of the versions in"):
        roll_back(project)

    assert named(project) == aliases(project) == {"champion": "two", "previous": "one"}


def test_a_folder_elsewhere_is_not_the_version_of_its_name(project: Workspace, tmp_path: Path) -> None:
    shutil.copytree(project.root / MODELS / "two", tmp_path / "elsewhere" / "two")

    with pytest.raises(SettingsError, match="only these can serve"):
        promote(project, tmp_path / "elsewhere" / "two")

    assert named(project) == aliases(project) == {"champion": "one"}


@pytest.mark.parametrize("version", ["nothing", ".", "..", CHAMPION])
def test_what_is_no_version_cannot_be_promoted(project: Workspace, version: str) -> None:
    with pytest.raises(SettingsError, match="only these can serve"):
        promote(project, version)

    assert named(project) == aliases(project) == {"champion": "one"}


def test_a_version_can_be_named_from_within_its_folder(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.promote import promote

    monkeypatch.chdir(project.root / MODELS / "two")

    promote(project, Path())

    assert named(project) == aliases(project) == {"champion": "two", "previous": "one"}


def test_a_folder_without_a_manifest_moves_neither_folder_nor_registry(project: Workspace) -> None:
    (project.root / MODELS / "empty").mkdir()

    with pytest.raises(ArtifactError, match=r"it has no manifest\.json"):
        promote(project, "empty")

    assert named(project) == aliases(project) == {"champion": "one"}


def test_where_the_registry_fails_the_folder_stays_as_it_was(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")

    with pytest.raises(SettingsError, match="one is the champion still"):
        promote(project, "two")

    assert named(project) == {"champion": "one"}


# --- the gate -----------------------------------------------------------------------------------------------------


def write_recent(path: Path, cases: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def cases(
    tmp_path_factory: pytest.TempPathFactory, model: RiskModel, train_frame: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return what came in recently: what a casebook exports of cases that the champion rated."""
    url = f"sqlite:///{tmp_path_factory.mktemp('recent') / 'casebook.db'}"
    keep_rated(url, model, escalations_of(train_frame.iloc[450 : 450 + RECENT]), datetime.now(UTC))
    return exported(url)


def texts_of(project: Workspace, cases: list[dict[str, Any]]) -> list[str]:
    lines = (project.root / SPLITS["test"]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines] + [case["text"] for case in cases]


def test_a_challenger_that_rates_like_the_champion_becomes_the_champion(
    run: Run, project: Workspace, cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    recent = write_recent(tmp_path / "recent.jsonl", cases)

    code, output, errors = run("promote", project.root / MODELS / "two", "--recent", recent)

    lines = output.splitlines()
    assert code == 0, errors
    assert len(lines) == 10
    assert all(line.startswith("fine: ") for line in lines[:-1])
    assert f"share of {RECENT} recent ratings that move, at most 15%: 0.000 → 0.000" in lines[-2]
    assert SPEED in lines[-3]
    assert lines[-1].startswith("two is the champion now, one before.")
    assert named(project) == aliases(project) == {"champion": "two", "previous": "one"}
    assert not any(text in output + errors for text in texts_of(project, cases))


def test_a_sabotaged_challenger_is_refused_and_the_language_is_named(
    run: Run, project: Workspace, cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    recent = write_recent(tmp_path / "recent.jsonl", cases)

    code, output, errors = run("promote", project.root / MODELS / "sabotaged", "--recent", recent)

    lines = output.splitlines()
    refused = [line for line in lines if line.startswith("REFUSED: ")]
    (portuguese,) = (line for line in refused if "weighted kappa, pt" in line)
    examples = portuguese.partition("; worse on ")[2].split("), ")
    assert code == 1
    assert len(examples) == 5
    assert all(example.startswith("pt-") for example in examples)
    assert any("recent ratings that move" in line for line in refused)
    assert not any("weighted kappa, en" in line for line in refused)
    assert errors.endswith(f"Error: sabotaged stays a challenger: {len(refused)} of {len(lines)} guards refuse it.\n")
    assert named(project) == aliases(project) == {"champion": "one"}
    assert not any(text in output + errors for text in texts_of(project, cases))


def test_recent_ratings_that_move_are_named_by_their_ids(
    project: Workspace, cases: list[dict[str, Any]], policy: Policy, tmp_path: Path
) -> None:
    from training.promote import judge, read_recent

    others = [
        {**case, "assessments": [{"rating": "low" if case["assessments"][0]["rating"] != "low" else "critical"}]}
        for case in cases[:20]
    ]
    recent = read_recent(write_recent(tmp_path / "recent.jsonl", others + cases[20:]))

    found = judge(project, project.root / MODELS / "two", policy, recent)[-1]

    assert not found.passed
    assert found.challenger == pytest.approx(20 / RECENT)
    assert {example.split(" ")[0] for example in found.examples} <= {case["id"] for case in others}


def test_a_challenger_that_cannot_be_loaded_is_one_message(run: Run, project: Workspace) -> None:
    heads = project.root / MODELS / "two" / "heads.npz"
    heads.unlink()
    heads.write_bytes(b"other bytes")

    code, output, errors = run("promote", project.root / MODELS / "two")

    assert (code, output) == (1, "")
    assert "heads.npz was changed" in errors
    assert named(project) == aliases(project) == {"champion": "one"}


def test_a_rollback_at_the_command_line_says_what_it_did(run: Run, project: Workspace) -> None:
    nothing = run("rollback")
    promote(project, "two")

    done = run("rollback")

    assert nothing[0] == 1
    assert "no version was promoted over another yet" in nothing[2]
    assert done[0] == 0
    assert done[1].startswith("one is the champion now, two before.")
    assert named(project) == aliases(project) == {"champion": "one", "previous": "two"}


# --- what came in recently ----------------------------------------------------------------------------------------


SECRET = "Marisol wrote about a parcel"
CASE: dict[str, Any] = {
    "id": "a",
    "text": SECRET,
    "source": None,
    "market": "BR",
    "assessments": [{"rating": "high"}, {"rating": "low"}],
}


def test_recent_cases_are_read_with_their_newest_rating(tmp_path: Path) -> None:
    from training.promote import read_recent

    found = read_recent(write_recent(tmp_path / "recent.jsonl", [CASE, {**CASE, "id": "b", "more": 1}]))

    assert [(escalation.id, escalation.text, escalation.market) for escalation in found.escalations] == [
        ("a", SECRET, "BR"),
        ("b", SECRET, "BR"),
    ]
    assert found.ratings == ["high", "high"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x1c", "\x0b", "\r"])
def test_characters_that_look_like_the_end_of_a_line_do_not_end_a_case(tmp_path: Path, character: str) -> None:
    from training.promote import read_recent

    case = {**CASE, "text": f"One{character}two"}

    found = read_recent(write_recent(tmp_path / "recent.jsonl", [case, CASE]))

    assert [escalation.text for escalation in found.escalations] == [case["text"], SECRET]


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in CASE.items() if name != field}


@pytest.mark.parametrize(
    "line",
    [
        *(json.dumps(without(field)) for field in CASE),
        json.dumps({**CASE, "assessments": []}),
        json.dumps({**CASE, "assessments": [{}]}),
        json.dumps({**CASE, "assessments": [{"rating": SECRET}]}),
        json.dumps({**CASE, "assessments": SECRET}),
        json.dumps({**CASE, "text": 5}),
        json.dumps({**CASE, "text": " "}),
        json.dumps({**CASE, "source": SECRET}),
        json.dumps({**CASE, "market": "Brazil"}),
        json.dumps({**CASE, "id": SECRET}),
        json.dumps([SECRET]),
        json.dumps(SECRET),
        "null",
        "",
        f'{{"text": "{SECRET}',
        SECRET,
    ],
)
def test_a_line_that_is_no_case_is_named_by_its_number_without_its_text(tmp_path: Path, line: str) -> None:
    from training.promote import read_recent

    path = tmp_path / "recent.jsonl"
    path.write_text("\n".join([json.dumps(CASE), line, json.dumps(CASE)]) + "\n", encoding="utf-8")

    with pytest.raises(DataError) as refused:
        read_recent(path)

    assert str(refused.value) == (f"{path}:2 is no case: expected id, text, source, market and assessments.")
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    from training.promote import read_recent

    path = tmp_path / "recent.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match="cannot be read: expected what `riskmodel export escalations` writes"):
        read_recent(path)


def test_a_recent_file_that_cannot_be_read_ends_the_command_before_anything_is_rated(
    run: Run, project: Workspace, tmp_path: Path
) -> None:
    recent = tmp_path / "recent.jsonl"
    recent.write_text(json.dumps(without("market")) + "\n", encoding="utf-8")

    code, output, errors = run("promote", project.root / MODELS / "two", "--recent", recent)

    assert (code, output) == (1, "")
    assert errors == f"Error: {recent}:1 is no case: expected id, text, source, market and assessments.\n"
    assert named(project) == {"champion": "one"}
