"""A vector in, the nearest labelled escalations out, by exact search."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.records import Precedent, Rating

FloatArray = NDArray[np.float32]
EXCERPT_CHARACTERS = 160


@dataclass(frozen=True)
class Labelled:
    """What is shown of a labelled escalation."""

    id: str
    rating: Rating
    excerpt: str


class Precedents:
    """An exact index over n unit vectors, stored as int8 with one scale a row.

    ``codes``: (n, d) int8; ``scales``: (n,) float32, so that ``codes * scales[:, None]`` are the ``vectors``.
    """

    def __init__(self, codes: NDArray[np.int8], scales: FloatArray, labelled: list[Labelled]) -> None:
        self.codes = codes
        self.scales = scales
        self.labelled = labelled
        self.vectors = codes.astype(np.float32) * scales[:, None]

    @classmethod
    def build(cls, vectors: FloatArray, labelled: list[Labelled]) -> "Precedents":
        """Index (n, d) unit vectors."""
        scales = np.abs(vectors).max(axis=1) / 127
        codes = np.rint(vectors / scales[:, None]).astype(np.int8)
        return cls(codes, scales.astype(np.float32), labelled)

    def nearest(self, vector: FloatArray, count: int) -> list[Precedent]:
        """Return the ``count`` nearest to a unit vector (d,), the nearest first."""
        similarity = self.vectors @ vector
        count = min(count, len(similarity))
        best = np.argpartition(-similarity, count - 1)[:count] if count else np.empty(0, dtype=np.int64)
        best = best[np.argsort(-similarity[best])]
        return [
            Precedent(
                id=self.labelled[at].id,
                rating=self.labelled[at].rating,
                similarity=round(float(np.clip(similarity[at], -1, 1)), 4),
                excerpt=self.labelled[at].excerpt,
            )
            for at in best
        ]


def familiarity(nearest: list[Precedent]) -> float:
    """Return the mean similarity of the nearest labelled texts; 0 where there is none."""
    return float(np.mean([precedent.similarity for precedent in nearest])) if nearest else 0.0


def excerpt(text: str) -> str:
    """Return the start of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARACTERS else line[: EXCERPT_CHARACTERS - 1].rstrip() + "…"
