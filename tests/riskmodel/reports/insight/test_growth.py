"""What grew, and that chance is not told as growth."""

from datetime import datetime

import numpy as np
import pytest

from riskmodel.reports.insight.growth import LEAST, growth, usable_periods
from riskmodel.reports.insight.periods import periods
from riskmodel.reports.insight.records import Figure
from tests.riskmodel.reports.insight.made import MADE_AT, SECOND


def counts(*groups: tuple[str, str, list[int]]) -> Figure:
    rows = tuple((kind, name, "", period, n) for kind, name, ns in groups for period, n in enumerate(ns))
    return Figure("growth.counts", ("kind", "name", "market", "period", "n"), rows, "")


def simulated(draw: np.random.Generator, swing: float, boost: float = 1.0) -> Figure:
    groups = []
    for at in range(60):
        mean = np.exp(draw.uniform(np.log(20), np.log(2_000)))
        means = [mean * (boost if at == 0 else 1), *[mean] * 4]
        ns = [int(draw.poisson(one * draw.gamma(1 / swing, swing))) for one in means]
        groups.append(("category" if at < 45 else "market", f"g{at}", ns))
    return counts(*groups)


def test_chance_is_hardly_ever_told_as_growth() -> None:
    draw = np.random.default_rng(11)
    claims = [bool(growth(simulated(draw, 0.02), 4).grown + growth(simulated(draw, 0.02), 4).shrunk) for _ in range(60)]
    assert np.mean(claims) <= 0.25  # each looks at two casebooks; 5% of each are expected


def test_what_tripled_is_found_among_sixty_groups() -> None:
    draw = np.random.default_rng(12)
    for _ in range(10):
        assert growth(simulated(draw, 0.02, boost=3), 4).grown[0].name == "g0"


def test_a_sure_but_tiny_change_is_of_no_use_to_anyone() -> None:
    found = growth(counts(("category", "hate", [1_050_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000])), 4)
    (group,) = found.groups
    assert group.rate < 0.001 and not group.is_more_than_chance and found.grown == ()


def test_small_groups_are_not_compared_and_unnamed_ones_not_counted() -> None:
    few = counts(("market", "BR", [LEAST - 1, 0, 0, 0, 0]), ("market", "", [500, 1, 1, 1, 1]))
    assert growth(few, 4).groups == ()


def test_with_one_earlier_period_nothing_is_called_more_than_chance() -> None:
    found = growth(counts(("category", "hate", [900, 100, 0, 0, 0]), ("rating", "low", [900, 100, 0, 0, 0])), 1)
    assert found.grown == () and found.everything.count == 900 and found.everything.before == (100,)
    assert found.everything.ratio is None


@pytest.mark.parametrize(
    ("first", "usable"),
    [
        ("2026-03-02T00:00:00+00:00", 1),
        ("2026-03-02T22:00:00+00:00", 1),
        ("2026-03-04T00:00:00+00:00", 0),
        ("2020-01-01T00:00:00+00:00", 4),
    ],
)
def test_only_periods_in_which_cases_were_kept_throughout_are_compared_with(first: str, usable: int) -> None:
    since = Figure("volume.since", ("first",), ((first,),), "")
    assert usable_periods(since, periods(SECOND), MADE_AT) == usable


def test_a_period_that_is_not_over_is_compared_with_nothing() -> None:
    since = Figure("volume.since", ("first",), (("2020-01-01T00:00:00+00:00",),), "")
    assert usable_periods(since, periods(SECOND), datetime.fromisoformat("2026-03-14T00:00:00+00:00")) == 0
    assert usable_periods(Figure("volume.since", ("first",), (), ""), periods(SECOND), MADE_AT) == 0
