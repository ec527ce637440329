"""The files of ``deploy/`` as data."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from riskmodel.service.app import create_app
from riskmodel.service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CONTAINERFILE = DEPLOY / "Containerfile"
COMPOSE = DEPLOY / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes"
PROMETHEUS = DEPLOY / "prometheus"


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def manifests() -> dict[str, Any]:
    """Return each manifest by its kind; there is one of each."""
    found = [read_yaml(path) for path in sorted(KUBERNETES.glob("*.yaml")) if path.name != "kustomization.yaml"]
    by_kind = {manifest["kind"]: manifest for manifest in found}
    assert len(by_kind) == len(found)
    return by_kind


def instructions() -> Iterator[tuple[str, str]]:
    """Return the instructions of the container file with what they are given, on one line each."""
    text = CONTAINERFILE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, given = line.strip().partition(" ")
            yield name, " ".join(given.split())


def environment_of_image() -> dict[str, str]:
    return dict(pair.split("=", 1) for name, given in instructions() if name == "ENV" for pair in given.split())


def ours(environment: dict[str, str]) -> dict[str, str]:
    """Return the settings of the service among variables, by the name of their field."""
    return {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}


def accepted(environment: dict[str, str]) -> Settings:
    """Return the settings that variables make; fails where one is unknown or its value is refused."""
    return Settings.model_validate(ours(environment), strict=False)


@lru_cache
def routes() -> set[str]:
    return set(create_app(Settings()).openapi()["paths"])
