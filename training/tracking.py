"""A fitted version in, an MLflow run with everything about it and a registered model out."""

import os
import tempfile
from importlib.metadata import version as installed
from pathlib import Path

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema

import riskmodel
from riskmodel.artifact import CARD
from training import pyfunc
from training.fit import Fitted
from training.metrics import confusion
from training.params import Params
from training.pictures import draw_confusion, draw_reliability
from training.workspace import Workspace

EXPERIMENT = "riskmodel"
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
VERSION_TAG = "version"  # of a registered version: which of ours it is
# What the registered model needs to answer; everything else is only for training.
SERVING = ("numpy", "onnxruntime", "tokenizers", "pydantic", "langdetect", "py3langid", "pycountry", "pandas", "mlflow")
SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec("string", "text"),
            *(ColSpec("string", name, required=False) for name in ("source", "market", "id", "received_at")),
        ]
    ),
    outputs=Schema(
        [
            ColSpec("string", "id"),
            ColSpec("string", "rating"),
            ColSpec("double", "confidence"),
            *(ColSpec("string", name) for name in ("severity", "proximity", "category", "route", "assessment")),
        ]
    ),
)
EXAMPLE = pd.DataFrame([{"text": "Someone sells copies of our brand's shoes in a private group.", "source": "partner"}])


def connect(workspace: Workspace) -> None:
    """Use the tracking server that MLflow's own settings name; where they name none, a SQLite store in the root."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    if not mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
        mlflow.set_tracking_uri(f"sqlite:///{workspace.root.resolve() / 'mlflow.db'}")
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            mlflow.create_experiment(EXPERIMENT, artifact_location=(workspace.root.resolve() / "mlartifacts").as_uri())
    mlflow.set_experiment(EXPERIMENT)


def track(workspace: Workspace, fitted: Fitted, params: Params) -> str:
    """Log parameters, data digest, figures, pictures, card and model; register it; return the alias it got.

    The first version of a name becomes ``champion``, every later one ``challenger``.
    """
    connect(workspace)
    manifest = fitted.manifest
    with mlflow.start_run(run_name=manifest.version), tempfile.TemporaryDirectory() as name:
        mlflow.log_params(_flat(params.model_dump()))
        mlflow.set_tags({"version": manifest.version, "policy": manifest.policy, "data_digest": manifest.data_digest})
        for model, evaluation in fitted.evaluations.items():
            mlflow.log_metrics(evaluation.flat(_metric_name(model)))
        _draw(Path(name), fitted)
        mlflow.log_artifacts(name, "pictures")
        mlflow.log_artifact(str(fitted.folder / CARD))
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=pyfunc.__file__,
            artifacts={"model": str(fitted.folder)},
            model_config=pyfunc.CONFIG,
            code_paths=[str(Path(riskmodel.__file__).parent)],
            pip_requirements=[f"{package}=={installed(package)}" for package in SERVING],
            signature=SIGNATURE,
            input_example=EXAMPLE,
            registered_model_name=params.name,
        )
    client = MlflowClient()
    alias = CHALLENGER if _has_alias(client, params.name, CHAMPION) else CHAMPION
    client.set_registered_model_alias(params.name, alias, logged.registered_model_version)
    client.set_model_version_tag(params.name, logged.registered_model_version, VERSION_TAG, manifest.version)
    return alias


def registered(client: MlflowClient, name: str, version: str) -> str | None:
    """Return the number under which the registry keeps one of our versions, None where it does not."""
    try:
        found = client.search_model_versions(f"name = '{name}' and tags.`{VERSION_TAG}` = '{version}'")
    except MlflowException:
        return None
    return str(found[0].version) if found else None


def _draw(folder: Path, fitted: Fitted) -> None:
    truth, given = fitted.test_labels.rating, fitted.test.ranks
    draw_confusion(confusion(truth, given), "Ratings of the test split", folder / "confusion.png")
    draw_reliability(
        fitted.test.confidence, given == truth, "Confidence against accuracy, test split", folder / "reliability.png"
    )


def _has_alias(client: MlflowClient, name: str, alias: str) -> bool:
    try:
        client.get_model_version_by_alias(name, alias)
    except MlflowException:
        return False
    return True


def _metric_name(model: str) -> str:
    """Return the name of a model as MLflow allows it in the name of a metric."""
    return "".join(character if character.isalnum() else "_" for character in model)


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
