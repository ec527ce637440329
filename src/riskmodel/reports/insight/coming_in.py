"""What came in and what grew, told: columns over time, the hours of the week, tables by what cases are, ratios."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from riskmodel.records import RATINGS, Rating
from riskmodel.reports.insight.document import Cell, Picture, Section, Table, number, table
from riskmodel.reports.insight.findings import Findings, RowDict
from riskmodel.reports.insight.growth import LEAST, LEAST_PERIODS, Group
from riskmodel.reports.insight.pictures import Column, Estimate, ratios, stacked, week
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.saying import group_name
from riskmodel.reports.insight.statistics import FALSE_DISCOVERIES
from riskmodel.reports.insight.words import Words

SHOWN = 12  # groups in a table or a picture; the rest are summed up
DAYS_IN_COLUMNS, WEEKS_IN_COLUMNS = 45, 320  # longer periods are shown by the week, then by the month
TABLES = ("category", "source", "market", "language")
URGENT = ("high", "critical")


def volume(report: Report, found: Findings, say: Words) -> Section:
    """Tell what came in."""
    pictures = [_over_time(report, found, say), _week(report, say)] if found.total.now else []
    tables = [_by(report, found, kind, say) for kind in TABLES] if found.total.now else []
    return Section("volume", say("volume.title"), (), tuple(pictures), tuple(tables))


def _over_time(report: Report, found: Findings, say: Words) -> Picture:
    days: dict[date, dict[Rating, int]] = defaultdict(dict)
    for row in report.figures["volume.days"].dicts():
        days[date.fromisoformat(row["day"])][row["rating"]] = row["n"]
    asked = report.asked
    every = [asked.first + timedelta(days=at) for at in range(asked.days)]
    if asked.days <= DAYS_IN_COLUMNS:
        unit, begins = "days", {day: day for day in every}
    elif asked.days <= WEEKS_IN_COLUMNS:
        unit, begins = "weeks", {day: day - timedelta(days=day.weekday()) for day in every}
    else:
        unit, begins = "months", {day: day.replace(day=1) for day in every}
    parts: dict[date, Counter[Rating]] = {begin: Counter() for begin in begins.values()}
    for day, begin in begins.items():
        parts[begin].update(days.get(day, {}))
    columns = [Column(say.short_day(begin), counts) for begin, counts in parts.items()]
    totals = {day: sum(days.get(day, {}).values()) for day in every}
    peak, least = max(every, key=lambda day: totals[day]), min(every, key=lambda day: totals[day])
    alternative = say(
        "volume.days_alt",
        n=say.number(found.total.now),
        days=say.number(asked.days),
        most=say.number(totals[peak]),
        peak=say.day(peak),
        least=say.number(totals[least]),
        low=say.day(least),
    )
    usual = None
    if found.total.before is not None:
        suffix = "" if unit == "days" else f"_{unit}"
        usual = (found.total.before / max(len(columns), 1), say(f"volume.before_line{suffix}"))
    names = {rating: say.name("rating", rating) for rating in RATINGS}
    return Picture(stacked(say(f"volume.{unit}"), alternative, columns, names, usual), "volume.days")


def _week(report: Report, say: Words) -> Picture:
    counts = {(row["weekday"], row["hour"]): row["n"] for row in report.figures["volume.week"].dicts()}
    (weekday, hour), most = max(counts.items(), key=lambda item: item[1])
    alternative = say("volume.week_alt", most=say.number(most), weekday=say.weekday(weekday), hour=f"{hour}:00")
    title = say("volume.week", zone=report.asked.zone)
    return Picture(week(title, alternative, counts, [say.weekday(day) for day in range(7)]), "volume.week")


def _by(report: Report, found: Findings, kind: str, say: Words) -> Table:
    rows = report.figures[f"volume.{kind}"].dicts()
    now = _totals((row for row in rows if row["period"] == 0), kind)
    before = _totals((row for row in rows if row["period"] == 1), kind)
    urgent = _totals((row for row in rows if row["period"] == 0 and row["rating"] in URGENT), kind)
    to_people = _totals((row for row in rows if row["period"] == 0 and row["route"] == "review"), kind)
    order = sorted({*now, *before}, key=lambda name: (-now[name], -before[name], name))
    groups = [(say.name(kind, name), [name]) for name in order[:SHOWN]]
    if order[SHOWN:]:
        groups.append((say("other", n=say.number(len(order) - SHOWN)), order[SHOWN:]))

    def cells(name: str, members: list[str]) -> Iterator[Cell]:
        n, old = sum(now[one] for one in members), sum(before[one] for one in members)
        yield Cell(name)
        yield number(say.number(n))
        yield number(say.number(old) if found.total.before is not None else "–")
        yield number(say.change(n / old - 1 if old and found.total.before is not None else None))
        yield number(say.percent(sum(urgent[one] for one in members) / n if n else None))
        yield number(say.percent(sum(to_people[one] for one in members) / n if n else None))

    titles = (say(f"volume.{name}") for name in ("now", "before", "change", "urgent", "to_people"))
    columns = [Cell(say(f"kinds.{kind}")), *(number(title) for title in titles)]
    return table(say(f"volume.{kind}"), columns, (tuple(cells(*group)) for group in groups), f"volume.{kind}")


def _totals(rows: Iterable[RowDict], kind: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[kind]] += row["n"]
    return counts


def growth(found: Findings, say: Words) -> Section:
    """Tell what grew or shrank by more than chance."""
    grown, periods = found.growth, say.number(found.growth.periods)
    if not found.is_over:
        return Section("growth", say("growth.title"), (say("growth.lasts"),))
    if grown.periods < LEAST_PERIODS:
        few = say("growth.few", periods=periods, needed=say.number(LEAST_PERIODS))
        return Section("growth", say("growth.title"), (few,))
    intro = say(
        "growth.intro",
        periods=periods,
        compared=say.number(grown.compared),
        least=say.number(LEAST),
        rate=say.percent(FALSE_DISCOVERIES),
    )
    changed = [*grown.grown[:SHOWN], *grown.shrunk[: SHOWN // 2]]
    if not changed:
        return Section("growth", say("growth.title"), (intro, say("growth.nothing")))
    changed.sort(key=lambda group: -(group.ratio.value if group.ratio else 0))
    return Section(
        "growth", say("growth.title"), (intro,), (_ratios(changed, say),), (_changes(grown.grown, grown.shrunk, say),)
    )


def _ratios(changed: list[Group], say: Words) -> Picture:
    rows = [
        Estimate(
            group_name(group, say),
            group.ratio.value,
            group.ratio.low,
            group.ratio.high,
            f"×{say.number(group.ratio.value, 1)}  ({say.number(group.count)})",
            "high" if group.ratio.value > 1 else "accent",
        )
        for group in changed
        if group.ratio is not None
    ]
    most = max(rows, key=lambda row: abs(row.value - 1))
    alternative = say("growth.picture_alt", n=say.number(len(rows)), name=most.name, ratio=say.number(most.value, 1))
    return Picture(ratios(say("growth.picture"), alternative, rows, say("growth.usual")), "growth.counts")


def _changes(grown: tuple[Group, ...], shrunk: tuple[Group, ...], say: Words) -> Table:
    titles = (say("volume.now"), say("growth.usual"), say("growth.ratio"), say("growth.interval"), say("growth.rate"))
    rows = []
    for group in (*grown[: 2 * SHOWN], *shrunk[:SHOWN]):
        assert group.ratio is not None
        interval = f"{say.number(group.ratio.low, 1)} – {say.number(group.ratio.high, 1)}"
        written = [say.number(group.count), say.number(group.usual, 1), say.number(group.ratio.value, 1), interval]
        rate = "< 0.001" if group.rate < 0.001 else say.number(group.rate, 3)
        rows.append([Cell(group_name(group, say)), *(number(text) for text in (*written, rate))])
    columns = [Cell(say("growth.group")), *(number(title) for title in titles)]
    return table(say("growth.title"), columns, rows, "growth.counts")
