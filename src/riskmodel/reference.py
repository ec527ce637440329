"""What a version said of texts it had not learnt from: the files that later periods are compared with."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from riskmodel.errors import ArtifactError
from riskmodel.records import Record

REFERENCE, VECTORS = "reference.json", "reference.npz"
CODE = 127  # vectors are kept as int8
FloatArray = NDArray[np.float32]
BINS = 10  # of confidence, equally wide


class Said(NamedTuple):
    """What a version said of one text."""

    language: str
    category: str
    rating: str
    confidence: float


class Mix(Record):
    """How often a version said what, over n texts; ``confidence`` in ten bins from 0 to 1."""

    n: int
    languages: dict[str, int]
    categories: dict[str, int]
    ratings: dict[str, int]
    confidence: list[int]


def count(said: Iterable[Said]) -> Mix:
    """Count what a version said."""
    found = list(said)
    bins = Counter(min(int(one.confidence * BINS), BINS - 1) for one in found)
    return Mix(
        n=len(found),
        languages=dict(Counter(one.language for one in found)),
        categories=dict(Counter(one.category for one in found)),
        ratings=dict(Counter(one.rating for one in found)),
        confidence=[bins[at] for at in range(BINS)],
    )


def write_reference(folder: Path, mix: Mix, vectors: FloatArray) -> None:
    """Write into a version's folder what it said out of fold, and the unit vectors (n, d) of texts held out from it."""
    (folder / REFERENCE).write_text(mix.model_dump_json(indent=1) + "\n", encoding="utf-8")
    scales = np.abs(vectors).max(axis=1) / CODE
    codes = np.rint(vectors / scales[:, None]).astype(np.int8)
    np.savez_compressed(folder / VECTORS, codes=codes, scales=scales.astype(np.float32))


def read_reference(folder: Path) -> tuple[Mix, FloatArray]:
    """Read back what :func:`write_reference` wrote.

    Raises:
        ArtifactError: if it is not there or not readable.
    """
    try:
        mix = Mix.model_validate_json((folder / REFERENCE).read_text(encoding="utf-8"))
        with (folder / VECTORS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return mix, arrays["codes"].astype(np.float32) * arrays["scales"][:, None]
    except (OSError, EOFError, ValidationError, ValueError, KeyError, BadZipFile) as error:
        raise ArtifactError(f"{folder / REFERENCE} or {VECTORS} cannot be read: train the version again.") from error
