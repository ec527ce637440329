"""A vector in, whether it is content itself rather than a report about it out.

A forwarded post says nothing of what is known, removed or over; ratings of it are right less often, so that it is
calibrated apart and goes to a person.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class FormHead:
    """A linear read-out: ``weights`` (d,) and ``bias``; content where the sum is positive."""

    weights: FloatArray
    bias: float

    def is_content(self, vectors: FloatArray) -> NDArray[np.bool_]:
        """Return (n,) for unit vectors (n, d)."""
        found: NDArray[np.bool_] = vectors @ self.weights + self.bias > 0
        return found
