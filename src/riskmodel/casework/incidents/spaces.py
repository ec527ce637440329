"""Vectors of one encoder in; a space in which unrelated texts are at right angles out: cosines tell events apart.

The encoder was taught to rate, so its vectors lie close by severity and category. Whitening takes out the directions in
which all reports differ (Su et al. 2021, arXiv:2103.15316), and a cosine means the same whatever the version.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SHRINKAGE = 0.05  # of the covariance towards the same spread in all directions; some have none at all


@dataclass(frozen=True, eq=False)
class Space:
    """Where texts of one model version are compared.

    Attributes:
        version: of the model that made the vectors.
        mean: (d,) of the vectors it was made from.
        matrix: (d, d) that makes them spread alike in all directions.
    """

    version: str
    mean: Floats
    matrix: Floats

    @classmethod
    def of(cls, version: str, vectors: Floats) -> "Space":
        """Return the space of (n, d) vectors of many texts."""
        mean = vectors.mean(axis=0)
        values, directions = np.linalg.eigh(np.cov((vectors - mean).T.astype(np.float64)))
        spread = np.maximum(values, 0) + SHRINKAGE * values.mean()
        return cls(version, mean.astype(np.float32), (directions / np.sqrt(spread)).astype(np.float32))

    def place(self, vectors: NDArray[np.floating]) -> Floats:
        """Return (n, d) vectors in this space, at unit length."""
        placed = (vectors.astype(np.float32) - self.mean) @ self.matrix
        lengths = np.linalg.norm(placed, axis=1, keepdims=True)
        found: Floats = placed / np.maximum(lengths, np.finfo(np.float32).tiny)
        return found
