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
LEAST_WORDS = 3  # that the model knows; fewer say too little
CRITICAL = len(RATINGS) - 1
CONTENT = "content"  # among the groups of the conformal sets


@dataclass(frozen=True)
class Thresholds:
    """Levels learned out of fold, stored with the model.

    ``conformal_mass``: chance a set of plausible ratings must hold, by language; ``accept_safety``: least chance of
    not being rated too low that is accepted without a person (above 1: none is); ``border``: chance of critical from
    which a lower rating is near its border; ``familiarity``: least mean cosine to the nearest labelled texts;
    ``category``: least chance of a category beside the main one.
    """

    conformal_mass: dict[str, float]
    accept_safety: float
    border: float
    familiarity: float
    category: float

    def mass(self, language: str, *, content: bool) -> float:
        """Return the mass of content, or of a report's language; of one that was never seen, the largest."""
        group = CONTENT if content else language
        return self.conformal_mass.get(group, max(self.conformal_mass.values()))


@dataclass(frozen=True)
class Signs:
    """What the decision looks at in one rated text.

    ``language``: ISO 639-1 code, or ``und``; ``mixed``: whether it changes within the text; ``words``: how many the
    model knows; ``rank`` of the rating; ``confidence``: chance that it is right; ``safety``: that it is not too low;
    ``critical``: that critical is right; ``agreed``: whether table and direct rating favour the same;
    ``familiarity``: mean cosine to the nearest labelled texts; ``for_person``: whether the policy keeps the category
    for a person; ``content``: whether it is content
    itself, not a report about it.
    """

    language: str
    mixed: bool
    words: int
    rank: int
    confidence: float
    safety: float
    critical: float
    agreed: bool
    familiarity: float
    for_person: bool
    content: bool


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


def plausible_ratings(chances: FloatArray, rank: int, mass: float) -> list[Rating]:
    """Return the conformal set around the rank chosen: neighbouring ratings that hold a mass and cannot be excluded."""
    sets = grow(chances, rank)
    first, last, _ = next((found for found in sets if found[2] >= mass), (0, CRITICAL, 1.0))
    return list(RATINGS[first : last + 1])


def decide_categories(chances: FloatArray, names: tuple[str, ...], severity: Severity, level: float) -> list[int]:
    """Return positions of the categories decided, the likeliest first; those beside it reach ``level``.

    ``none`` stands alone, and only where the severity is minor: what breaks no rule does no harm.
    """
    order = [
        int(at) for at in np.argsort(-chances, kind="stable") if severity == SEVERITIES[0] or names[at] != NO_VIOLATION
    ]
    if names[order[0]] == NO_VIOLATION:
        return order[:1]
    others = [at for at in order[1:] if chances[at] >= level and names[at] != NO_VIOLATION]
    return [order[0], *others]


def not_too_low(chances: FloatArray, ranks: NDArray[np.int64]) -> FloatArray:
    """Return (n,) chances that the true rating is not above the one given, from (n, 4) chances and (n,) ranks."""
    at_most = np.arange(chances.shape[1]) <= ranks[:, None]
    result: FloatArray = (chances * at_most).sum(axis=1)
    return result


def doubts(signs: Signs, border: float, familiarity: float) -> list[ReviewReason]:
    """Return every reason for a person to look that does not rest on the bound of the accepted."""
    found: dict[ReviewReason, bool] = {
        "no readable words": signs.language == UNDETERMINED,
        "unsupported language": signs.language not in (*LANGUAGES, UNDETERMINED),
        "mixed language": signs.mixed,
        "evidence too thin": signs.words < LEAST_WORDS,
        "unfamiliar text": signs.familiarity < familiarity,
        "category needs a person": signs.for_person,
        "content without a report": signs.content,
        "uncertain rating": signs.confidence < LEAST_CONFIDENCE,
        "near critical": signs.rank < CRITICAL and signs.critical >= border,
    }
    return [reason for reason, holds in found.items() if holds]


def decide(signs: Signs, thresholds: Thresholds) -> Decision:
    """Return whether the rating is accepted or goes to a person, with every reason for it."""
    reasons = doubts(signs, thresholds.border, thresholds.familiarity)
    if signs.safety < thresholds.accept_safety:
        reasons.append("may be rated too low")
    if reasons and not signs.agreed:  # it explains a doubt; alone it stops nothing (decision 0010)
        reasons.append("factors and rating disagree")
    return Decision(route="review" if reasons else "auto", reasons=reasons)
