"""A registry's alias in, the folder of the version it points to out, fetched once and anew when it was bad."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from riskmodel.artifact import read_manifest
from riskmodel.errors import ArtifactError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow takes seconds, and warns of itself

NAME = "followed"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the root of a store of MLflow's that is used until the module ends."""
    import mlflow

    root = tmp_path_factory.mktemp("registry")
    mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
    mlflow.create_experiment("test", artifact_location=(root / "mlartifacts").as_uri())
    mlflow.set_experiment("test")
    yield root
    mlflow.set_tracking_uri(None)


def register(folder: Path) -> str:
    import mlflow

    from training import pyfunc

    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=pyfunc.__file__,
            artifacts={"model": str(folder)},
            pip_requirements=[],
            registered_model_name=NAME,
        )
    return str(logged.registered_model_version)


def point(alias: str, version: str) -> None:
    from mlflow import MlflowClient

    MlflowClient().set_registered_model_alias(NAME, alias, version)


def test_an_alias_is_followed_and_each_version_is_fetched_once(store: Path, tiny_model: Path, tmp_path: Path) -> None:
    from riskmodel.service.registry import RegistrySource

    first, second = register(tiny_model), register(tiny_model)
    source = RegistrySource(f"models:/{NAME}@champion", tmp_path / "cache")
    point("champion", first)
    assert source.newest() == first
    folder = source.fetch(first)
    assert read_manifest(folder) == read_manifest(tiny_model)

    point("champion", second)

    assert source.newest() == second
    assert source.fetch(second) != folder
    assert source.fetch(second).stat().st_ino == source.fetch(second).stat().st_ino
    source.discard(second)
    assert not any((tmp_path / "cache").glob(f"{NAME}-{second}-*"))
    assert read_manifest(source.fetch(second)).version == "tiny"


def test_a_version_can_be_named_by_its_number(store: Path, tiny_model: Path, tmp_path: Path) -> None:
    from riskmodel.service.registry import RegistrySource

    version = register(tiny_model)

    source = RegistrySource(f"models:/{NAME}/{version}", tmp_path / "cache")

    assert source.newest() == version


@pytest.mark.parametrize("address", ["models:/unknown@champion", f"models:/{NAME}@nobody"])
def test_what_the_registry_does_not_know_is_named(store: Path, tmp_path: Path, address: str) -> None:
    from riskmodel.service.registry import RegistrySource

    with pytest.raises(ArtifactError, match=r"nobody|champion"):
        RegistrySource(address, tmp_path / "cache").newest()
    with pytest.raises(ArtifactError, match="99"):
        RegistrySource("models:/unknown/99", tmp_path / "cache").fetch("99")
