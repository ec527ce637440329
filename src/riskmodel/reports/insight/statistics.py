"""Counts in; what they say beyond chance out: differences of shares, ratios of rates, false discoveries held down."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, log, sqrt
from statistics import NormalDist, mean, variance

from riskmodel.review.measures import LEVEL, Share

_Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
FALSE_DISCOVERIES = 0.05  # share of what is called more than chance that may be chance
STEPS = 20  # of weighing again; it settles within a few
CORRECTION = 0.5  # of a case, so that none at all has a logarithm


@dataclass(frozen=True)
class Difference:
    """A share less another, with the 95% interval of the difference."""

    value: float
    low: float
    high: float

    @property
    def is_more_than_chance(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Ratio:
    """A count over what was usual, with the 95% interval of the ratio and the chance of one as far from 1."""

    value: float
    low: float
    high: float
    p: float


def difference(one: Share, other: Share) -> Difference | None:
    """Return one share less another, by Newcombe's method from Wilson's intervals; None where either is unknown.

    Newcombe, Statistics in Medicine 17, 1998, method 10.
    """
    if one.value is None or other.value is None:
        return None
    value = one.value - other.value
    below = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    above = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Difference(value, value - below, value + above)


def dispersion(counts: Sequence[Sequence[int]]) -> float:
    """Return by how much counts of groups over equal periods swing beyond chance, as a negative binomial has it.

    The variance of a count with mean m is m + αm²; α by the method of moments, at least 0, each group weighing as
    much as it can tell: the inverse of the variance that its own estimate (s² - m) / m² has under the α found so far.

    Args:
        counts: of each group, in at least two periods; groups with fewer say nothing.
    """
    found = [(mean(group), variance(group)) for group in counts if len(group) > 1 and sum(group) > 0]
    alpha = 0.0
    for _ in range(STEPS if found else 0):
        weights = [(m / (1 + alpha * m)) ** 2 for m, _ in found]
        each = [(spread - m) / m**2 for m, spread in found]
        alpha = max(0.0, sum(w * one for w, one in zip(weights, each, strict=True)) / sum(weights))
    return alpha


def chance_of(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Return the chance of two shares as far apart if they were the same: the two-sided test of two proportions."""
    pooled = (hits + other_hits) / (n + other_n)
    spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
    return 1.0 if spread == 0 else erfc(abs(hits / n - other_hits / other_n) / spread / sqrt(2))


def rate_ratio(count: int, before: Sequence[int], alpha: float) -> Ratio:
    """Return a period's count over the mean of equal periods before it, by Wald's method on the logarithm.

    Its variance is 1/y + 1/Σy' + α(1 + 1/k) for k periods before: of Poisson counts where α is 0, else of negative
    binomial ones (delta method).
    """
    usual = (sum(before) + CORRECTION) / len(before)
    value = (count + CORRECTION) / usual
    error = sqrt(1 / (count + CORRECTION) + 1 / (sum(before) + CORRECTION) + alpha * (1 + 1 / len(before)))
    p = erfc(abs(log(value)) / error / sqrt(2))
    return Ratio(value, value * exp(-_Z * error), value * exp(_Z * error), p)


def false_discovery_rates(p: Sequence[float]) -> list[float]:
    """Return for each p-value the smallest rate of false discoveries at which it is one (Benjamini, Hochberg, 1995)."""
    order = sorted(range(len(p)), key=lambda at: -p[at])
    rates, least = [1.0] * len(p), 1.0
    for back, at in enumerate(order):
        least = min(least, p[at] * len(p) / (len(p) - back))
        rates[at] = least
    return rates
