"""The image: what it copies is there, nobody is root, its settings are ours, and no file of the package is left out."""

import fnmatch
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.deploy.files import ROOT, accepted, environment_of_image, instructions, routes


def given(name: str) -> list[str]:
    return [what for instruction, what in instructions() if instruction == name]


def is_left_out(path: str) -> bool:
    """Return whether the build does not see a path, by the rules of ``.dockerignore``: the last that fits decides."""
    left_out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            bare = pattern.removeprefix("!").removeprefix("**/")
            if any(fnmatch.fnmatch(part, bare) for part in (path, path.partition("/")[0], Path(path).name)):
                left_out = not pattern.startswith("!")
    return left_out


def test_what_is_copied_is_there_and_the_build_sees_it() -> None:
    copied = [source for what in given("COPY") if "--from" not in what for source in what.split()[:-1]]

    assert {"pyproject.toml", "constraints.txt", "src", "models"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists() or is_left_out(source)] == []


def test_the_build_sees_no_casebook_no_secret_and_no_cache() -> None:
    seen = ("riskmodel.db", "deploy/.env", ".git", ".venv", "data", "mlflow.db", "src/riskmodel/__pycache__")

    assert [name for name in seen if not is_left_out(name)] == []


def test_the_image_runs_as_nobody_in_particular() -> None:
    (user,) = given("USER")

    uid, _, gid = user.partition(":")
    assert int(uid) >= 10_000
    assert int(gid) >= 10_000
    assert f"--uid {uid} " in " ".join(given("RUN"))


@pytest.mark.parametrize("stage", ["/models", "models:/riskmodel@champion"])
def test_the_images_settings_are_the_services(stage: str) -> None:
    settings = accepted(environment_of_image() | {"RISKMODEL_MODEL": stage})

    assert (settings.host, settings.model) == ("0.0.0.0", stage)
    assert given("EXPOSE") == [str(settings.port)]
    assert [what for name, what in instructions() if name == "ENV" and stage in what]


def test_each_kind_of_model_is_a_stage_and_the_default_copies_the_folder() -> None:
    stages = {what.rpartition(" AS ")[2] for what in given("FROM") if " AS " in what}

    assert given("FROM")[-1] == "model-${MODEL_FROM}"
    assert {stage for stage in stages if stage.startswith("model-")} == {"model-folder", "model-registry"}
    assert "MODEL_FROM=folder" in given("ARG")


def test_the_image_starts_the_service_and_asks_a_route_whether_it_lives() -> None:
    (check,) = given("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])

    assert (json.loads(given("ENTRYPOINT")[-1]), json.loads(given("CMD")[-1])) == (["riskmodel"], ["serve"])
    assert "http://127.0.0.1:8000/health/live" in command[-1]
    assert "/health/live" in routes()
    compile(command[-1], "healthcheck", "exec")


@pytest.mark.slow
def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "src/riskmodel"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in ["pyproject.toml", "README.md", *tracked]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    command = "import setuptools.build_meta as m; print(m.build_wheel('.'))"

    built = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)

    with ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        held = set(wheel.namelist())
    assert [name for name in tracked if name.removeprefix("src/") not in held] == []
