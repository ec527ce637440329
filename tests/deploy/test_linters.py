"""Files that no engine can run here pass the linters and schemas of those who can, which refuse what is wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.files import COMPOSE, CONTAINERFILE, DEPLOY, KUBERNETES, read_yaml

BIN = Path(sys.executable).parent
KUBERNETES_VERSIONS = ("1.32", "1.37")  # the oldest and the newest that are looked at
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
Lint = Callable[[Path], "subprocess.CompletedProcess[str]"]


def run(*command: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def lint_container_file(path: Path) -> "subprocess.CompletedProcess[str]":
    return run(BIN / "hadolint", "--failure-threshold", "info", path)


def lint_yaml(path: Path) -> "subprocess.CompletedProcess[str]":
    return run(BIN / "yamllint", "--strict", "-c", DEPLOY / "yamllint.yaml", path)


def lint_compose(path: Path) -> "subprocess.CompletedProcess[str]":
    return run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lint", "path", "good", "bad"),
    [
        (lint_container_file, CONTAINERFILE, "USER 10001:10001", "RUN sudo pip install riskmodel"),
        (lint_yaml, DEPLOY, "", ""),
        (lint_compose, COMPOSE, "replicas: 2", "copies: 2"),
    ],
)
def test_each_file_passes_its_linter_and_one_with_a_fault_does_not(
    lint: Lint, path: Path, good: str, bad: str, tmp_path: Path
) -> None:
    passed = lint(path)

    assert (passed.returncode, passed.stdout + passed.stderr) in [(0, ""), (0, "ok -- validation done\n")]
    if bad:
        text = path.read_text(encoding="utf-8")
        assert good in text
        (tmp_path / path.name).write_text(text.replace(good, bad), encoding="utf-8")
        assert lint(tmp_path / path.name).returncode != 0


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_each_manifest_fits_kubernetes_schema(path: Path, version: str) -> None:
    kubernetes_validate.validate(read_yaml(path), version, strict=True)


def test_a_manifest_with_a_fault_does_not_fit() -> None:
    text = (KUBERNETES / "deployment.yaml").read_text(encoding="utf-8")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(yaml.safe_load(text.replace("readinessProbe", "readyProbe")), "1.37", strict=True)
