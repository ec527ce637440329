"""A verified folder in, a model that is loaded and warmed up out, with what is told about it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from riskmodel.artifact import CARD, check_probe, load_model, read_manifest
from riskmodel.model import RiskModel
from riskmodel.policy import Policy, load_policy
from riskmodel.records import Escalation, Record
from riskmodel.service.examples import EXAMPLES


class ModelDescription(Record):
    """What a version is, what it was trained on, how good it is, and the policy it rates by."""

    name: str
    version: str
    policy: Policy
    metrics: dict[str, Any]
    data_digest: str
    trained_on: list[str]
    card: str


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that is ready to assess, and its description."""

    model: RiskModel
    description: ModelDescription

    @property
    def version(self) -> str:
        """Return the version's name."""
        return self.description.version


def load(folder: Path, threads: int, *, probe: bool = False) -> LoadedModel:
    """Load a version and let it assess the examples, alone and crowded, so that no client waits for that.

    Args:
        folder: the version's folder.
        threads: cores to use; 0 for all.
        probe: whether to check its vectors against those it was trained on; takes a second.

    Raises:
        ArtifactError: saying which file is wrong and why.
        PolicyError: if the policy cannot be used.
    """
    policy = load_policy()
    model = load_model(folder, policy, threads)
    manifest = read_manifest(folder)
    if probe:
        check_probe(folder, model.encoder)
    description = ModelDescription(
        name=manifest.name,
        version=manifest.version,
        policy=policy,
        metrics=manifest.metrics,
        data_digest=manifest.data_digest,
        trained_on=manifest.trained_on,
        card=(folder / CARD).read_text(encoding="utf-8"),
    )
    examples = [Escalation.model_validate(example.request) for example in EXAMPLES]
    for crowded in (False, True):
        model.assess(examples, datetime.now(UTC), crowded=crowded)
    return LoadedModel(model, description)
