"""Counts of groups over equal periods in; which of them grew or shrank by more than chance out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean

from riskmodel.reports.insight.periods import BEFORE, Periods
from riskmodel.reports.insight.records import Figure
from riskmodel.reports.insight.statistics import (
    FALSE_DISCOVERIES,
    Ratio,
    dispersion,
    false_discovery_rates,
    rate_ratio,
)

LEAST = 20  # cases, in the period or on average before it; smaller groups are not compared
LEAST_CHANGE = 0.1  # of what is usual; less is of no use to anyone, however sure
LEAST_PERIODS = 2  # before; with fewer nobody knows how much counts swing of themselves
ALL = "all"


@dataclass(frozen=True)
class Group:
    """A group's count and what was usual for it.

    Attributes:
        kind: what it is a group of, such as ``category``; ``all`` for everything.
        market: of a category in a market, else empty.
        before: counts in the equal periods before, the latest first.
        ratio: to what is usual; None where nothing is known of before.
        rate: of false discoveries at which it counts as a change; 1 where it was not compared.
    """

    kind: str
    name: str
    market: str
    count: int
    before: tuple[int, ...]
    ratio: Ratio | None
    rate: float

    @property
    def usual(self) -> float:
        """Return the mean of the periods before."""
        return mean(self.before) if self.before else 0.0

    @property
    def is_more_than_chance(self) -> bool:
        """Whether it changed by more than chance explains, and by enough to matter."""
        if self.ratio is None or abs(self.ratio.value - 1) < LEAST_CHANGE:
            return False
        return self.rate <= FALSE_DISCOVERIES


@dataclass(frozen=True)
class Growth:
    """All groups that were compared, those that grew most first.

    Attributes:
        everything: the sum of all.
        periods: how many equal periods before could be compared with.
        compared: how many groups had cases enough.
    """

    everything: Group
    groups: tuple[Group, ...]
    periods: int

    @property
    def compared(self) -> int:
        """Return how many groups were compared."""
        return len(self.groups)

    @property
    def grown(self) -> tuple[Group, ...]:
        """Return those that grew by more than chance, by how many cases they have more than usual."""
        found = [group for group in self.groups if group.is_more_than_chance and group.count > group.usual]
        return tuple(sorted(found, key=lambda group: group.usual - group.count))

    @property
    def shrunk(self) -> tuple[Group, ...]:
        """Return those that shrank by more than chance."""
        found = [group for group in self.groups if group.is_more_than_chance and group.count < group.usual]
        return tuple(sorted(found, key=lambda group: group.count - group.usual))


def usable_periods(since: Figure, spans: Periods, now: datetime) -> int:
    """Return how many of the periods before lie wholly in the time from which cases are kept; none while this lasts.

    Args:
        since: the figure ``volume.since``.
        spans: the periods.
        now: when the report was made.
    """
    if not since.rows or spans.end > now:
        return 0
    first = datetime.fromisoformat(since.rows[0][0])
    # The day on which the first case came counts as whole.
    return sum(spans.of(back)[1] > first and (spans.of(back)[0] - first).days >= -1 for back in range(1, BEFORE + 1))


def growth(counts: Figure, periods: int) -> Growth:
    """Return which groups changed.

    Args:
        counts: the figure ``growth.counts``.
        periods: how many of those before count.
    """
    found: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * (BEFORE + 1))
    for row in counts.dicts():
        if row["name"]:
            found[row["kind"], row["name"], row["market"]][row["period"]] += row["n"]
        if row["kind"] == "rating":
            found[ALL, "", ""][row["period"]] += row["n"]
    by_kind: dict[str, list[list[int]]] = defaultdict(list)
    for (kind, _, _), numbers in found.items():
        by_kind[kind].append(numbers[1 : 1 + periods])
    overall = dispersion([before for kind, groups in by_kind.items() if kind != ALL for before in groups])
    # A kind with few groups may show little of how counts swing; all of them together show more.
    alpha = {kind: max(overall, dispersion(groups)) for kind, groups in by_kind.items()}
    groups = [_group(name, numbers, periods, alpha[name[0]]) for name, numbers in found.items()]
    everything = next((group for group in groups if group.kind == ALL), Group(ALL, "", "", 0, (), None, 1.0))
    return Growth(_judged([everything])[0], tuple(_judged([one for one in groups if _is_compared(one)])), periods)


def _group(name: tuple[str, str, str], numbers: Sequence[int], periods: int, alpha: float) -> Group:
    before = tuple(numbers[1 : 1 + periods])
    ratio = rate_ratio(numbers[0], before, alpha) if periods >= LEAST_PERIODS else None
    return Group(*name, numbers[0], before, ratio, 1.0)


def _is_compared(group: Group) -> bool:
    return group.kind != ALL and group.ratio is not None and max(group.count, group.usual) >= LEAST


def _judged(groups: Sequence[Group]) -> list[Group]:
    """Return groups with the rates of false discoveries over all of them, those that grew most first."""
    compared = [group for group in groups if group.ratio is not None]
    rates = false_discovery_rates([group.ratio.p for group in compared if group.ratio is not None])
    judged = [
        Group(one.kind, one.name, one.market, one.count, one.before, one.ratio, rate)
        for one, rate in zip(compared, rates, strict=True)
    ]
    judged.sort(key=lambda group: (-(group.ratio.value if group.ratio else 0), group.kind, group.name, group.market))
    return [*judged, *(group for group in groups if group.ratio is None)]
