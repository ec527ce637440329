"""What two reports share in, how sure it is that they are about one event out: a sum of weights, each with its reason.

A shared value weighs by its rarity, in bits, as in record linkage (Fellegi and Sunter 1969): a handle that two reports
of thousands name weighs much, one that every tenth names nearly nothing.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path

from riskmodel.casework.incidents.records import TEXT, Evidence, Shared
from riskmodel.casework.incidents.signals import SOFT, Signal

FILE = Path(__file__).with_name("levels.toml")
MOST_BITS = 14.0  # of one value: what is seen twice in 30,000 reports is not surer than what is seen twice in 15,000
USUAL_REPORTS = (
    1_000  # a value is as rare as if so many more reports had been seen: a young casebook knows nothing of it
)


@dataclass(frozen=True)
class Weights:
    """What a score is made of: log-odds, learnt by ``python -m benchmarks incidents choose`` on labelled pairs.

    Attributes:
        constant: of two reports of which nothing is known.
        cosine: for each of 1.
        firm: for each bit of a shared value that identifies by itself, such as a link.
        soft: for each bit of a shared name or reporter.
        firm_apart: where both name such values and none is the same.
        soft_apart: where both name something and nothing is the same.
        join: two reports with at least so much are joined; a score is told from there.
    """

    constant: float
    cosine: float
    firm: float
    soft: float
    firm_apart: float
    soft_apart: float
    join: float


@dataclass(frozen=True)
class Levels:
    """Weights where vectors can be compared and where they cannot, and when texts count as alike.

    Attributes:
        near: where both vectors are of one version.
        unseen: where they are not.
        alike: the least cosine of two texts of one campaign.
        supported: the share of an incident's members that a report must nearly fit; ``slack``: how nearly.
    """

    near: Weights
    unseen: Weights
    alike: float
    supported: float
    slack: float


def read_levels(path: Path = FILE) -> Levels:
    """Return the levels that were chosen on labelled data."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Levels(Weights(**found["near"]), Weights(**found["unseen"]), **found["joining"])


def bits(holders: int, reports: int) -> float:
    """Return how much a value that so many of the reports name tells of two that both do."""
    return min(MOST_BITS, max(0.0, log2((reports + USUAL_REPORTS) / max(holders, 1))))


def weigh(
    one: Sequence[Signal],
    other: Sequence[Signal],
    cosine: float | None,
    holders: Mapping[str, int],
    reports: int,
    levels: Levels,
) -> Evidence:
    """Return the score of two reports and what it is made of.

    Args:
        one: what one names.
        other: what the other names.
        cosine: of their vectors in their space; None where these cannot be compared.
        holders: of each value that both name: how many incidents and lone reports do.
        reports: how many there are.
        levels: the weights.
    """
    weights = levels.unseen if cosine is None else levels.near
    kinds = {signal.value: signal.kind for signal in other}
    shared = []
    if cosine is not None:
        shared.append(Shared(TEXT, f"{cosine:.2f}", None, weights.cosine * cosine))
    for signal in one:
        kind = kinds.get(signal.value)
        if kind is not None:
            soft = signal.kind in SOFT and kind in SOFT
            weight = (weights.soft if soft else weights.firm) * bits(holders[signal.value], reports)
            shared.append(
                Shared(kind if signal.kind in SOFT else signal.kind, signal.value, holders[signal.value], weight)
            )
    score = weights.constant - weights.join + sum(one.weight for one in shared)
    score += weights.firm_apart * differ(one, other, soft=False) + weights.soft_apart * differ(one, other, soft=True)
    return Evidence(score, tuple(sorted(shared, key=lambda one: -one.weight)))


def differ(one: Sequence[Signal], other: Sequence[Signal], *, soft: bool) -> bool:
    """Return whether both name values of a sort and none is the same; any value may be the same as a firm one."""
    mine, theirs = ({signal.value for signal in signals if (signal.kind in SOFT) == soft} for signals in (one, other))
    if not mine or not theirs:
        return False
    everything = [{signal.value for signal in signals} for signals in (one, other)]
    return mine.isdisjoint(everything[1]) and theirs.isdisjoint(everything[0])
