"""Vectors of texts in, the bytes that are kept of them out, and back: float16, little-endian, one after the other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KEPT = np.dtype("<f2")  # half the room; a cosine moves by less than 0.001


def packed(vector: NDArray[np.float32]) -> bytes:
    """Return the bytes of a vector."""
    return vector.astype(KEPT).tobytes()


def unpacked(kept: Sequence[bytes]) -> NDArray[np.float16]:
    """Return (n, d) vectors, as they were kept; all must be of one length."""
    return np.frombuffer(b"".join(kept), dtype=KEPT).reshape(len(kept), -1)
