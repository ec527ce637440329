"""What every fault is given."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """The model's folder, how often the service is killed, and the seed of when."""

    folder: Path
    kills: int
    seed: int
