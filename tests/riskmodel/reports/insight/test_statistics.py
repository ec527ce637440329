"""The formulas against figures worked out elsewhere."""

import math

import numpy as np
import pytest

from riskmodel.reports.insight.statistics import (
    chance_of,
    difference,
    dispersion,
    false_discovery_rates,
    rate_ratio,
)
from riskmodel.review.measures import share_of


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe 1998, table II: 56/70 against 48/80, method 10.
    found = difference(share_of(56, 70), share_of(48, 80))
    assert found is not None
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert found.is_more_than_chance


def test_shares_of_nothing_have_no_difference() -> None:
    assert difference(share_of(0, 0), share_of(1, 2)) is None


def test_the_rates_of_false_discoveries_are_benjamini_and_hochbergs() -> None:
    # Their example of 1995, section 4.1: four of fifteen are rejected at 5%.
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1,
    ]
    rates = false_discovery_rates(p)
    assert sum(rate <= 0.05 for rate in rates) == 4
    assert rates == sorted(rates) and rates[0] == pytest.approx(0.0015)
    assert false_discovery_rates(p[::-1]) == rates[::-1]
    assert false_discovery_rates([]) == []


def test_counts_that_only_chance_moves_have_hardly_any_dispersion() -> None:
    draw = np.random.default_rng(5)
    means = np.exp(draw.uniform(np.log(20), np.log(2_000), 200))
    poisson = [draw.poisson(mean, 4).tolist() for mean in means]
    swinging = [draw.poisson(mean * draw.gamma(1 / 0.05, 0.05, 4)).tolist() for mean in means]
    assert dispersion(poisson) < 0.002
    assert dispersion(swinging) == pytest.approx(0.05, rel=0.2)
    assert dispersion([[7], []]) == 0 and dispersion([[0, 0]]) == 0


def test_a_ratio_has_an_interval_that_swings_make_wider() -> None:
    still, swinging = rate_ratio(150, [100, 100, 100, 100], 0.0), rate_ratio(150, [100, 100, 100, 100], 0.05)
    assert still.value == pytest.approx(1.5, rel=0.01)
    error = math.sqrt(1 / 150.5 + 1 / 400.5)
    assert math.log(still.high / still.value) == pytest.approx(1.959964 * error)
    assert still.low > 1 and still.p < 0.001
    assert swinging.low < 1 and swinging.p > 0.05


def test_the_chance_of_two_shares_is_that_of_the_test_of_proportions() -> None:
    # z = (0.5 - 0.4) / sqrt(0.45 × 0.55 × (1/100 + 1/100)) = 1.4213, two-sided.
    assert chance_of(50, 100, 40, 100) == pytest.approx(0.1552, abs=1e-4)
    assert chance_of(0, 10, 0, 10) == 1.0
