"""A project's folder in, where training reads and writes below it out."""

from dataclasses import dataclass
from pathlib import Path

MODELS, CACHE = "models", ".cache"


@dataclass(frozen=True)
class Workspace:
    """Where a fit reads and writes: the corpus, the cache, the models."""

    root: Path

    @property
    def cache(self) -> Path:
        """Return the folder of everything that can be made again."""
        return self.root / CACHE

    def version(self, name: str) -> Path:
        """Return the folder of a version."""
        return self.root / MODELS / name
