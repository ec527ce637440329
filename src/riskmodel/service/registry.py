"""An address in MLflow's registry in, the folder of the version it stands for out. The only door to MLflow here."""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from riskmodel.artifact import MANIFEST
from riskmodel.errors import ArtifactError, SettingsError

try:
    import mlflow
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
except ImportError:
    raise SettingsError("A models:/ address needs MLflow: pip install 'riskmodel[registry]'.") from None

LOCAL_STORE = "mlflow.db"  # what `python -m training` writes where no MLFLOW_TRACKING_URI is set
_ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


class RegistrySource:
    """A registered model by alias or version. MLflow's own variables say which registry.

    Args:
        address: ``models:/name@alias`` or ``models:/name/version``.
        cache: where versions are kept once they are fetched.
    """

    def __init__(self, address: str, cache: Path | None = None) -> None:
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise SettingsError("RISKMODEL_MODEL: found an address of another form, expected models:/name@alias.")
        self._name, self._alias, self._version = found["name"], found["alias"], found["version"]
        self._cache = cache or Path.home() / ".cache" / "riskmodel" / "models"
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        if not mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
            mlflow.set_tracking_uri(f"sqlite:///{Path(LOCAL_STORE).resolve()}")
        self._client = MlflowClient()

    def newest(self) -> str:
        """Return the number of the version that the alias points to now.

        Raises:
            ArtifactError: if the registry does not answer or knows no such model.
        """
        if self._alias is None:
            return str(self._version)
        try:
            return str(self._client.get_model_version_by_alias(self._name, self._alias).version)
        except Exception as error:  # noqa: BLE001  its stores raise errors of several libraries
            raise self._error(f"alias {self._alias!r}", error) from None

    def fetch(self, token: str) -> Path:
        """Return the folder of a version, downloaded once.

        Raises:
            ArtifactError: if it cannot be fetched, or what is there is no version of riskmodel.
        """
        try:
            run = self._client.get_model_version(self._name, token).run_id or "no-run"
        except Exception as error:  # noqa: BLE001
            raise self._error(f"version {token}", error) from None
        # The run tells apart two registries that number alike.
        kept = self._cache / f"{self._name}-{token}-{run}"
        if not kept.is_dir():
            self._cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._cache) as name:
                try:
                    mlflow.artifacts.download_artifacts(f"models:/{self._name}/{token}", dst_path=name)
                except Exception as error:  # noqa: BLE001
                    raise self._error(f"version {token}", error) from None
                fetched = self._model_folder(Path(name), token)
                with contextlib.suppress(OSError):  # another process of this machine was first
                    fetched.rename(kept)
        return kept

    def discard(self, token: str) -> None:
        """Remove what was fetched of a version, so that the next look fetches it anew."""
        for folder in self._cache.glob(f"{self._name}-{token}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _model_folder(self, folder: Path, token: str) -> Path:
        manifests = list(folder.rglob(MANIFEST))
        if len(manifests) != 1:
            raise ArtifactError(f"Version {token} of {self._name} holds {len(manifests)} {MANIFEST}, expected one.")
        return manifests[0].parent

    def _error(self, what: str, error: Exception) -> ArtifactError:
        code = f" ({error.error_code})" if isinstance(error, MlflowException) else ""
        return ArtifactError(
            f"{what.capitalize()} of {self._name!r} cannot be had from {_without_password(mlflow.get_registry_uri())}: "
            f"{type(error).__name__}{code}. Check MLFLOW_TRACKING_URI and `mlflow models`."
        )


def _without_password(address: str) -> str:
    return re.sub(r"//[^/@]*@", "//", address)
