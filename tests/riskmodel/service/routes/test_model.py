"""What answers can be asked what it is."""

from pathlib import Path

from fastapi.testclient import TestClient

from riskmodel.artifact import champion_folder, read_manifest
from riskmodel.policy import Policy, load_policy


def test_the_model_describes_itself(service: TestClient, tiny_model: Path) -> None:
    manifest = read_manifest(champion_folder(tiny_model))

    answer = service.get("/model").json()

    assert (answer["name"], answer["version"]) == (manifest.name, manifest.version)
    assert (answer["data_digest"], answer["trained_on"]) == (manifest.data_digest, manifest.trained_on)
    assert answer["metrics"] == manifest.metrics
    assert Policy.model_validate(answer["policy"]) == load_policy()
    assert answer["card"] == (champion_folder(tiny_model) / "card.md").read_text(encoding="utf-8")
