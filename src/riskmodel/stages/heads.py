"""Features of one text in, calibrated probabilities out: one linear read-out for each question of the guide."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class HeadProbabilities:
    """What the heads believe of one text.

    ``severity`` (4,), ``proximity`` (3,) and ``rating`` (4,) sum to one, in ascending rank; ``floor`` is the chance
    that an authority's deadline or the press lifts the rating; ``categories`` (c,) are independent chances.
    """

    severity: FloatArray
    proximity: FloatArray
    rating: FloatArray
    floor: float
    categories: FloatArray


@dataclass(frozen=True)
class Heads:
    """Linear heads side by side; temperatures are folded into the weights, so every logit is one sum.

    ``dense``: (d, k) weights on the unit vector; ``lexical``: (v, k) on the n-grams; ``bias``: (k,).
    The k columns hold severity, proximity, rating, floor and the categories, in that order.
    """

    dense: FloatArray
    lexical: FloatArray
    bias: FloatArray

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Return the columns of each head."""
        return columns(len(self.bias))

    def logits(self, vector: FloatArray, features: NDArray[np.int32], values: FloatArray) -> FloatArray:
        """Return (k,) logits of one text from its vector (d,) and its n-grams (m,)."""
        result: FloatArray = vector @ self.dense + values @ self.lexical[features] + self.bias
        return result

    def probabilities(self, logits: FloatArray) -> HeadProbabilities:
        """Return the chances behind (k,) logits."""
        at = self.columns
        return HeadProbabilities(
            severity=softmax(logits[at["severity"]]),
            proximity=softmax(logits[at["proximity"]]),
            rating=softmax(logits[at["rating"]]),
            floor=float(sigmoid(logits[at["floor"]])[0]),
            categories=sigmoid(logits[at["categories"]]),
        )


def columns(width: int) -> dict[str, slice]:
    """Return which of ``width`` columns belong to which head; what is left over is the categories."""
    sizes = {"severity": len(SEVERITIES), "proximity": len(PROXIMITIES), "rating": len(RATINGS), "floor": 1}
    sizes["categories"] = width - sum(sizes.values())
    found, start = {}, 0
    for name, size in sizes.items():
        found[name] = slice(start, start + size)
        start += size
    return found


def softmax(logits: FloatArray) -> FloatArray:
    """Return chances that sum to one along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    result: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return the chance behind each logit by itself."""
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
