"""Settings in, a model that is loaded and warmed up out, with what is told about it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from riskmodel.artifact import CARD, champion_folder, load_model, read_manifest
from riskmodel.model import RiskModel
from riskmodel.policy import Policy, load_policy
from riskmodel.records import Escalation, Record
from riskmodel.service.examples import EXAMPLES
from riskmodel.service.settings import Settings


class ModelDescription(Record):
    """What a version is, what it was trained on, how good it is, and the policy it rates by."""

    name: str
    version: str
    policy: Policy
    metrics: dict[str, Any]
    data_digest: str
    trained_on: list[str]
    card: str


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to assess, and its description."""

    model: RiskModel
    description: ModelDescription


def load(settings: Settings) -> LoadedModel:
    """Load the model that the settings name and let it assess the examples once, so that no client waits for that.

    Raises:
        ArtifactError: saying which file is wrong and why.
        PolicyError: if the policy cannot be used.
    """
    policy = load_policy()
    folder = champion_folder(settings.model)
    model = load_model(folder, policy, settings.threads)
    manifest = read_manifest(folder)
    description = ModelDescription(
        name=manifest.name,
        version=manifest.version,
        policy=policy,
        metrics=manifest.metrics,
        data_digest=manifest.data_digest,
        trained_on=manifest.trained_on,
        card=(folder / CARD).read_text(encoding="utf-8"),
    )
    model.assess([Escalation.model_validate(example.request) for example in EXAMPLES], datetime.now(UTC))
    return LoadedModel(model, description)
