"""The figures of a report in, what they come to out: totals, shares, growth, beside the period before."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodel.records import RATINGS, Rating
from riskmodel.reports.insight.growth import Growth, growth, usable_periods
from riskmodel.reports.insight.periods import periods
from riskmodel.reports.insight.records import Figure, Report
from riskmodel.reports.insight.statistics import (
    Difference,
    chance_of,
    difference,
    false_discovery_rates,
)
from riskmodel.review.measures import Share, share_of
from riskmodel.review.quality import AutomaticError, Drawn, automatic_error

LEAST_DECIDED = 20  # cases, before a share of a group is told apart from that of all
RowDict = dict[str, Any]


@dataclass(frozen=True)
class Both:
    """A count in the period and in the one before; None where nothing was kept then."""

    now: int
    before: int | None

    @property
    def change(self) -> float | None:
        """Return the change as a share of what was before; None where there was nothing."""
        return self.now / self.before - 1 if self.before else None


@dataclass(frozen=True)
class BothShares:
    """A share in the period and in the one before."""

    now: Share
    before: Share

    @property
    def difference(self) -> Difference | None:
        """Return how far they lie apart; None where either is unknown."""
        return difference(self.now, self.before)


@dataclass(frozen=True)
class Named:
    """What holds for one group, such as a team or a category.

    Attributes:
        rate: of false discoveries at which its share differs from that of all others; 1 where too few were counted.
    """

    name: str
    share: Share
    rate: float


@dataclass(frozen=True)
class Deadlines:
    """How people kept the deadlines of what was sent to them and is due.

    Attributes:
        minutes: percentiles of the time from arrival to the first decision, by kind and name; None where so many are
            not decided yet.
    """

    in_time: BothShares
    late: Both
    open: Both
    not_due: int
    by_rating: tuple[Named, ...]
    by_team: tuple[Named, ...]
    minutes: Mapping[tuple[str, str, int], RowDict]


@dataclass(frozen=True)
class Changes:
    """What people made of the model's ratings of the cases it sent them.

    Attributes:
        matrix: how many, by the model's and the people's rating.
        raised: those that people rated higher; by language and by category, the largest share first.
    """

    decided: Both
    matrix: Mapping[tuple[Rating, Rating], int]
    raised: BothShares
    lowered: BothShares
    raised_by_category: tuple[Named, ...]
    lowered_by_category: tuple[Named, ...]
    raised_by_language: tuple[Named, ...]
    lowered_by_language: tuple[Named, ...]


@dataclass(frozen=True)
class Handoffs:
    """What became of the hand-offs that were opened in the period.

    Attributes:
        in_time: mitigated before their deadline, of those that are due and were neither refused nor withdrawn.
        actions: how often each was taken; a hand-off may have several.
        minutes: percentiles of the time to what the first key names, ``acknowledged`` or ``mitigated``.
    """

    opened: Both
    mitigated: Both
    refused: Both
    withdrawn: Both
    open: Both
    late: Both
    in_time: BothShares
    by_team: tuple[Named, ...]
    actions: Mapping[str, Both]
    minutes: Mapping[tuple[str, str, str, int], RowDict]


@dataclass(frozen=True)
class Findings:
    """What a report comes to; ``is_over`` says whether the period had ended: while it lasts nothing is compared."""

    total: Both
    ratings: Mapping[Rating, Both]
    to_people: BothShares
    deadlines: Deadlines
    changes: Changes
    handoffs: Handoffs | None
    audited: AutomaticError
    audited_before: AutomaticError
    audited_by_language: tuple[tuple[str, AutomaticError], ...]
    growth: Growth
    is_over: bool
    new_models: tuple[str, ...]
    new_policies: tuple[str, ...]


def findings(report: Report) -> Findings:
    """Return what the figures of a report come to."""
    figures = report.figures
    spans = periods(report.asked)
    known = usable_periods(figures["volume.since"], spans, report.made_at)
    rows = figures["volume.rating"].dicts()
    return Findings(
        _both(rows, known),
        {rating: _both((row for row in rows if row["rating"] == rating), known) for rating in RATINGS},
        _shares(rows, lambda row: bool(row["route"] == "review")),
        _deadlines(figures, known),
        _changes(figures["changes.ratings"], known),
        _handoffs(figures, known),
        _audited(figures["audits.drawn"], 0),
        _audited(figures["audits.drawn"], 1),
        _audited_by_language(figures["audits.drawn"]),
        growth(figures["growth.counts"], known),
        spans.end <= report.made_at,
        _new(figures["versions"], "model", spans.begin.isoformat()),
        _new(figures["versions"], "policy", spans.begin.isoformat()),
    )


def _both(rows: Iterable[RowDict], known: int) -> Both:
    counts = _count(rows, lambda row: row["period"])
    return Both(counts[0], counts[1] if known else None)


def _count(rows: Iterable[RowDict], key: Callable[[RowDict], Any]) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for row in rows:
        counts[key(row)] += row["n"]
    return counts


def _shares(rows: Iterable[RowDict], hit: Callable[[RowDict], bool]) -> BothShares:
    counts = _count(rows, lambda row: (row["period"], hit(row)))
    now, before = (share_of(counts[period, True], counts[period, True] + counts[period, False]) for period in (0, 1))
    return BothShares(now, before)


def _by(rows: Iterable[RowDict], name: str, hit: Callable[[RowDict], bool]) -> tuple[Named, ...]:
    """Return the shares of the period's groups, the largest first; those of few cases last."""
    counts = _count((row for row in rows if row["period"] == 0), lambda row: (row[name], hit(row)))
    sizes = _sums(counts, 0)
    hits, total = sum(n for (_, is_hit), n in counts.items() if is_hit), sum(sizes.values())
    compared = [group for group, n in sizes.items() if LEAST_DECIDED <= n < total]
    chances = [
        chance_of(counts[group, True], sizes[group], hits - counts[group, True], total - sizes[group])
        for group in compared
    ]
    rates = dict(zip(compared, false_discovery_rates(chances), strict=True))
    found = [Named(group, share_of(counts[group, True], n), rates.get(group, 1.0)) for group, n in sizes.items()]
    return tuple(sorted(found, key=lambda one: (one.share.n < LEAST_DECIDED, -(one.share.value or 0), one.name)))


def _sums(counts: Counter[Any], at: int) -> Counter[Any]:
    """Return counts summed over all but one part of their keys."""
    sums: Counter[Any] = Counter()
    for key, n in counts.items():
        sums[key[at]] += n
    return sums


def _deadlines(figures: Mapping[str, Figure], known: int) -> Deadlines:
    rows = figures["deadlines.kept"].dicts()
    due = [row for row in rows if row["state"] != "not due"]
    late, still_open = ([row for row in rows if row["state"] == state] for state in ("late", "open"))
    by_rating = {one.name: one for one in _by(due, "rating", _is_in_time)}
    minutes = {(row["kind"], row["name"], row["period"]): row for row in figures["deadlines.minutes"].dicts()}
    return Deadlines(
        _shares(due, _is_in_time),
        _both(late, known),
        _both(still_open, known),
        sum(row["n"] for row in rows if row["state"] == "not due" and row["period"] == 0),
        tuple(by_rating[rating] for rating in reversed(RATINGS) if rating in by_rating),
        tuple(sorted(_by(due, "team", _is_in_time), key=lambda one: one.share.value or 0)),
        minutes,
    )


def _is_in_time(row: RowDict) -> bool:
    return bool(row["state"] == "in time")


def _changes(figure: Figure, known: int) -> Changes:
    """Return what became of the cases that the model sent to people; those drawn by chance are told apart."""
    rows = [row for row in figure.dicts() if row["purpose"] == "review"]
    now = [row for row in rows if row["period"] == 0]
    return Changes(
        _both(rows, known),
        _count(now, lambda row: (row["model"], row["people"])),
        _shares(rows, is_raised),
        _shares(rows, is_lowered),
        _by(rows, "category", is_raised),
        _by(rows, "category", is_lowered),
        _by(rows, "language", is_raised),
        _by(rows, "language", is_lowered),
    )


def is_raised(row: RowDict) -> bool:
    """Return whether people rated higher than the model."""
    return RATINGS.index(row["people"]) > RATINGS.index(row["model"])


def is_lowered(row: RowDict) -> bool:
    """Return whether people rated lower than the model."""
    return RATINGS.index(row["people"]) < RATINGS.index(row["model"])


def _handoffs(figures: Mapping[str, Figure], known: int) -> Handoffs | None:
    """Return what became of hand-offs; None of a report that was made before there were any, or without one."""
    if "handoffs.states" not in figures or not figures["handoffs.states"].rows:
        return None
    rows = figures["handoffs.states"].dicts()
    due = [row for row in rows if row["due"] and row["state"] not in ("refused", "withdrawn")]
    actions = figures["handoffs.actions"].dicts()

    def states(*names: str) -> Both:
        return _both((row for row in rows if row["state"] in names), known)

    return Handoffs(
        _both(rows, known),
        states("in time", "late"),
        states("refused"),
        states("withdrawn"),
        states("open"),
        _both((row for row in due if row["state"] == "open"), known),
        _shares(due, _is_in_time),
        tuple(sorted(_by(due, "team", _is_in_time), key=lambda one: one.share.value or 0)),
        {
            action: _both((row for row in actions if row["action"] == action), known)
            for action in sorted({row["action"] for row in actions})
        },
        {
            (step, row["kind"], row["name"], row["period"]): row
            for step in ("acknowledged", "mitigated")
            for row in figures[f"handoffs.{step}"].dicts()
        },
    )


def _audited(figure: Figure, period: int) -> AutomaticError:
    return automatic_error(_drawn(row for row in figure.dicts() if row["period"] == period))


def _audited_by_language(figure: Figure) -> tuple[tuple[str, AutomaticError], ...]:
    rows = [row for row in figure.dicts() if row["period"] == 0]
    languages = sorted({row["language"] for row in rows})
    return tuple(
        (language, automatic_error(_drawn(row for row in rows if row["language"] == language)))
        for language in languages
    )


def _drawn(rows: Iterable[RowDict]) -> list[Drawn]:
    return [Drawn(row["model"], row["people"] or None, row["weight"]) for row in rows for _ in range(row["n"])]


def _new(versions: Figure, column: str, begin: str) -> tuple[str, ...]:
    """Return the versions that were first seen in the period, though others were seen before."""
    rows = versions.dicts()
    old = {row[column] for row in rows if row["first"] < begin}
    return tuple(sorted({row[column] for row in rows} - old)) if old else ()
