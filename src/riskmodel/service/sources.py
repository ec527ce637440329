"""A model address in, the newest version under it out: a token that tells versions apart, and its folder."""

from pathlib import Path
from typing import Protocol

from riskmodel.artifact import champion_folder, read_manifest

REGISTRY_SCHEME = "models:/"


class ModelSource(Protocol):
    """Where versions come from. Both methods may block and raise :class:`ArtifactError`."""

    def newest(self) -> str:
        """Return what tells the version that should answer now from every other."""

    def fetch(self, token: str) -> Path:
        """Return the folder of the version that ``newest`` told of, brought here if need be."""

    def discard(self, token: str) -> None:
        """Forget what was brought here of a version that failed its checks."""


class FolderSource:
    """A folder of a model, or of versions with a champion; a new champion, or a model fitted again, is newer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self) -> str:
        """Return the champion's folder and the seal of its manifest."""
        folder = champion_folder(self._folder)
        return f"{folder}#{read_manifest(folder).seal}"

    def fetch(self, token: str) -> Path:
        """Return the folder."""
        return Path(token.rpartition("#")[0])

    def discard(self, token: str) -> None:
        """Do nothing: the folder is somebody's."""


def open_source(address: str) -> ModelSource:
    """Return the source that an address names: ``models:/name@alias``, ``models:/name/version`` or a folder.

    Raises:
        SettingsError: if it is a registry's and cannot be read, or MLflow is not installed.
    """
    if not address.startswith(REGISTRY_SCHEME):
        return FolderSource(Path(address))
    from riskmodel.service.registry import RegistrySource  # noqa: PLC0415  MLflow takes seconds to import

    return RegistrySource(address)
