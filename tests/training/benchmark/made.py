"""Readings made by hand: what a version is said to have read."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import scipy.sparse as sparse

from riskmodel import load_policy
from training.benchmark.reading import Reading

NAMES = load_policy().category_names
THRESHOLD = 0.4
SAFE = {"none": 0.9}


def reading(
    chances: Sequence[Mapping[str, float]], ranks: Sequence[int] = (), vectors: Sequence[Sequence[float]] = ()
) -> Reading:
    """Return a reading of n texts: chances of the categories named, 0.01 of the others."""
    n = len(chances)
    categories = np.array([[row.get(name, 0.01) for name in NAMES] for row in chances], dtype=np.float32)
    return Reading(
        np.array(vectors or [[0.0]] * n, dtype=np.float32),
        sparse.csr_matrix((n, 1), dtype=np.float32),
        np.full((n, 4), 0.25, dtype=np.float32),
        np.array(ranks or [0] * n, dtype=np.int64),
        categories.reshape(n, len(NAMES)),
        NAMES,
        THRESHOLD,
    )


def by_text(chances: Mapping[str, Mapping[str, float]], **others: Sequence[int]) -> Callable[[Sequence[str]], Reading]:
    """Return a way to read that knows the chances of each text."""
    return lambda texts: reading([chances[text] for text in texts], **others)
