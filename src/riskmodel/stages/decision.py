"""A rated text in, what happens next out: plausible ratings, whether a person must look and why, categories."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.policy import NO_VIOLATION
from riskmodel.records import (
    LANGUAGES,
    RATINGS,
    SEVERITIES,
    UNDETERMINED,
    Decision,
    Rating,
    ReviewReason,
    Severity,
)

FloatArray = NDArray[np.float32]
LEAST_CONFIDENCE = 0.5  # a rating that is more likely wrong than right is for a person


@dataclass(frozen=True)
class Thresholds:
    """Levels learned out of fold, stored with the model.

    ``conformal_mass``: chance a set of plausible ratings must hold; ``accept_safety``: least chance of not being
    rated too low that is accepted without a person (above 1: none is); ``category``: least chance of a category
    beside the main one.
    """

    conformal_mass: float
    accept_safety: float
    category: float


def grow(chances: FloatArray, rank: int) -> Iterator[tuple[int, int, float]]:
    """Yield ever wider contiguous sets around a rating as (first rank, last rank, chance held).

    Each grows towards the likelier neighbour (ordinal conformal prediction: Lu, Angelopoulos and Pomerantz, 2022).
    """
    first = last = rank
    held = float(chances[rank])
    yield first, last, held
    while first > 0 or last < len(chances) - 1:
        below = float(chances[first - 1]) if first > 0 else -1.0
        above = float(chances[last + 1]) if last < len(chances) - 1 else -1.0
        if below > above:
            first -= 1
        else:
            last += 1
        held += max(below, above)
        yield first, last, held


def plausible_ratings(chances: FloatArray, rank: int, thresholds: Thresholds) -> list[Rating]:
    """Return the conformal set around the rank chosen: neighbouring ratings that cannot be excluded."""
    sets = grow(chances, rank)
    first, last, _ = next(
        (found for found in sets if found[2] >= thresholds.conformal_mass), (0, len(RATINGS) - 1, 1.0)
    )
    return list(RATINGS[first : last + 1])


def decide_categories(
    chances: FloatArray, names: tuple[str, ...], severity: Severity, thresholds: Thresholds
) -> list[int]:
    """Return positions of the categories decided, the likeliest first.

    ``none`` stands alone, and only where the severity is minor: what breaks no rule does no harm.
    """
    order = [
        int(at) for at in np.argsort(-chances, kind="stable") if severity == SEVERITIES[0] or names[at] != NO_VIOLATION
    ]
    if names[order[0]] == NO_VIOLATION:
        return order[:1]
    others = [at for at in order[1:] if chances[at] >= thresholds.category and names[at] != NO_VIOLATION]
    return [order[0], *others]


def not_too_low(chances: FloatArray, ranks: NDArray[np.int64]) -> FloatArray:
    """Return (n,) chances that the true rating is not above the one given, from (n, 4) chances and (n,) ranks."""
    at_most = np.arange(chances.shape[1]) <= ranks[:, None]
    result: FloatArray = (chances * at_most).sum(axis=1)
    return result


def decide(confidence: float, safety: float, language: str, thresholds: Thresholds) -> Decision:
    """Return whether the rating is accepted or goes to a person, with every reason for it.

    Args:
        confidence: chance that the rating is right.
        safety: chance that it is not too low.
        language: ISO 639-1 code, or ``und``.
        thresholds: what was learnt out of fold.
    """
    reasons: list[ReviewReason] = []
    if language == UNDETERMINED:
        reasons.append("no readable words")
    elif language not in LANGUAGES:
        reasons.append("unsupported language")
    if confidence < LEAST_CONFIDENCE:
        reasons.append("uncertain rating")
    if safety < thresholds.accept_safety:
        reasons.append("may be rated too low")
    return Decision(route="review" if reasons else "auto", reasons=reasons)
