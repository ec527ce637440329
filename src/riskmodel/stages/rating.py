"""Chances of the guide's answers and a direct rating in, the rating out, with the row of the table that gives it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.policy import Policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, Proximity, Rating, Severity

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Blend:
    """How the table's and the direct rating's chances become one: learned out of fold, stored with the model.

    ``table_weight``: the table's share, 0 to 1; ``temperature``: above 1 softens the blend, below 1 sharpens it;
    ``critical_chance``: the chance of critical that is enough to rate critical, even where another rating is
    likelier (the guide: in doubt the higher one, where a life or a child may be at stake).
    """

    table_weight: float
    temperature: float
    critical_chance: float


@dataclass(frozen=True)
class Rated:
    """A rating, with the chances (4,) it was chosen from and the most probable row of the table that gives it."""

    rating: Rating
    chances: FloatArray
    severity: Severity
    proximity: Proximity
    lifted: bool

    @property
    def rule(self) -> str:
        """Return the row of the table in words, such as ``severe × active → critical``."""
        lift = " + floor" if self.lifted else ""
        return f"{self.severity} × {self.proximity}{lift} → {self.rating}"


def joint_chances(severity: FloatArray, proximity: FloatArray, floor: FloatArray) -> FloatArray:
    """Return (n, 4, 3, 2) chances of each row of the table, not lifted and lifted by the floor, for n texts."""
    cells = severity[:, :, None] * proximity[:, None, :]
    lifted = floor[:, None, None]
    result: FloatArray = np.stack([cells * (1 - lifted), cells * lifted], axis=-1)
    return result


def table_chances(joint: FloatArray, ranks: NDArray[np.int64]) -> FloatArray:
    """Return (n, 4) chances of the ratings by the table: the sum over the rows that give each."""
    flat = joint.reshape(len(joint), -1)
    return np.stack([flat[:, ranks.ravel() == rank].sum(axis=1) for rank in range(len(RATINGS))], axis=1)


def blend_chances(table: FloatArray, direct: FloatArray, blend: Blend) -> FloatArray:
    """Return (n, 4) blended chances, sharpened or softened by the temperature."""
    mixed = blend.table_weight * table + (1 - blend.table_weight) * direct
    powered = np.clip(mixed, 1e-9, 1) ** (1 / blend.temperature)
    result: FloatArray = powered / powered.sum(axis=1, keepdims=True)
    return result


def choose_ranks(chances: FloatArray, blend: Blend) -> NDArray[np.int64]:
    """Return (n,) ranks of the ratings for (n, 4) chances: the likeliest, or critical where its chance is enough."""
    critical = len(RATINGS) - 1
    enough = chances[:, critical] >= blend.critical_chance
    return np.where(enough, critical, chances.argmax(axis=1))


def rate(chances: FloatArray, joint: FloatArray, blend: Blend, policy: Policy) -> Rated:
    """Choose the rating of one text, chances (4,), and the likeliest row of the table (4, 3, 2) that gives it."""
    rank = int(choose_ranks(chances[None], blend)[0])
    ranks = policy.rating_ranks
    possible = np.broadcast_to(np.array([True, bool(joint[..., 1].any())]), joint.shape)  # no floor, no lift
    s, p, lifted = np.unravel_index(np.argmax(np.where((ranks == rank) & possible, joint, -1)), joint.shape)
    plain = RATINGS[ranks[s, p, 0]]
    return Rated(
        rating=RATINGS[rank],
        chances=chances,
        severity=SEVERITIES[s],
        proximity=PROXIMITIES[p],
        lifted=bool(lifted) and plain != RATINGS[rank],
    )
