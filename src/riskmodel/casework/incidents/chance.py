"""Counts in, the chance of seeing so many or more by the usual rate alone out."""

from math import exp, lgamma, log


def chance_of_at_least(count: int, expected: float) -> float:
    """Return P(X >= count) of a Poisson variable with a mean above 0; exact to the precision of floats."""
    if count <= 0:
        return 1.0
    if count <= expected:
        return max(0.0, 1.0 - sum(_exactly(at, expected) for at in range(count)))
    total, at, term = 0.0, count, _exactly(count, expected)
    while term > total * 1e-17:
        total += term
        at += 1
        term *= expected / at
    return min(1.0, total)


def _exactly(count: int, expected: float) -> float:
    return exp(count * log(expected) - expected - lgamma(count + 1))
