"""What is asked for in, the queries of all figures out; each reads a few rows of what was counted before."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from riskmodel.casebook import GOLDEN_CLIENT
from riskmodel.reports.insight.bases import HOUR, SIDES
from riskmodel.reports.insight.periods import Periods
from riskmodel.reports.insight.records import Row

PERCENTILES = (50, 75, 90, 99)
QUOTED_NOTHING = "''"
MOST_URGENT = "CASE rating WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END"
MOST_LISTED = 25  # late cases that are named
KINDS = {"category": "seen", "market": "seen", "source": "sent", "language": "sent", "rating": "seen"}
Fold = Callable[[Iterable[Row]], Iterable[Row]]


@dataclass(frozen=True)
class Measure:
    """A figure before it is read.

    Attributes:
        text: the query, which reads from ``tables``.
        fold: what becomes of its rows.
        link: the casebook's filter that shows the cases.
    """

    name: str
    columns: tuple[str, ...]
    text: str
    tables: tuple[str, ...]
    fold: Fold | None = None
    link: str | None = None

    @property
    def side(self) -> str:
        """Return on which side its tables lie."""
        return next((side for side, tables in SIDES.items() if set(self.tables) <= set(tables)), "")


def volumes(spans: Periods, zone: ZoneInfo) -> list[Measure]:
    """Return how many came in: by day and by hour of the week, and by what they are; now and in the period before.

    Args:
        spans: the periods; hours are counted from where the one before begins.
        zone: whose days and hours count.
    """
    begin = spans.of(1)[0]
    first = int((spans.begin - begin).total_seconds()) // HOUR
    hours = "SELECT hour, rating, sum(n) FROM hours{} GROUP BY hour, rating ORDER BY hour, rating"
    return [
        Measure(
            "volume.days", ("day", "rating", "n"), hours.format(""), ("hours",), lambda rows: _days(rows, begin, zone)
        ),
        Measure(
            "volume.week",
            ("weekday", "hour", "n"),
            hours.format(f" WHERE hour >= {first}"),
            ("hours",),
            lambda rows: _week(rows, begin, zone),
        ),
        *(_volume(kind, table) for kind, table in KINDS.items()),
        Measure(
            "versions",
            ("model", "policy", "first", "last", "n"),
            "SELECT model_version, policy_version, min(hour), max(hour), sum(n) FROM hours "
            "GROUP BY model_version, policy_version ORDER BY min(hour), model_version, policy_version",
            ("hours",),
            lambda rows: [
                (model, policy, _moment(first, begin), _moment(last, begin), n)
                for model, policy, first, last, n in rows
            ],
        ),
    ]


def _volume(kind: str, table: str) -> Measure:
    columns = (*dict.fromkeys((kind, "rating")), "route", "period")
    names = ", ".join(columns)
    text = f"SELECT {names}, sum(n) FROM {table} WHERE period <= 1 GROUP BY {names} ORDER BY {names}"
    return Measure(f"volume.{kind}", (*columns, "n"), text, (table,))


def basis() -> Measure:
    """Return how many cases all other figures rest on; what was forgotten since shows here."""
    text = "SELECT period, sum(n) FROM seen GROUP BY period ORDER BY period"
    return Measure("basis", ("period", "n"), text, ("seen",))


def since(read: Callable[[Any], datetime]) -> Measure:
    """Return the day of the first case of all: a period that begins before it cannot be compared with."""
    return Measure(
        "volume.since",
        ("first",),
        f"SELECT min(kept_at) FROM escalations WHERE client <> '{GOLDEN_CLIENT}'",
        (),
        lambda rows: [(read(first).isoformat(),) for (first,) in rows if first is not None],
    )


def growth() -> Measure:
    """Return the counts of every group in the period and in those before."""
    parts = [
        f"SELECT '{kind}' AS kind, {kind} AS name, '' AS market, period, sum(n) AS n FROM {table} "
        f"GROUP BY {kind}, period"
        for kind, table in KINDS.items()
    ]
    parts.append(
        "SELECT 'category and market', category, market, period, sum(n) FROM seen WHERE market <> '' "
        "GROUP BY category, market, period"
    )
    return Measure(
        "growth.counts",
        ("kind", "name", "market", "period", "n"),
        " UNION ALL\n".join(parts) + "\nORDER BY 1, 2, 3, 4",
        ("seen", "sent"),
    )


def deadlines() -> list[Measure]:
    """Return how deadlines were kept by people, how long they took, and what is late and still open."""
    return [
        Measure(
            "deadlines.kept",
            ("rating", "team", "state", "period", "n"),
            "SELECT rating, team, state, period, sum(n) FROM waits "
            "GROUP BY rating, team, state, period ORDER BY rating, team, state, period",
            ("waits",),
        ),
        percentiles("deadlines.minutes", "waits", "state <> 'not due'"),
    ]


def percentiles(name: str, table: str, where: str) -> Measure:
    """Return the minutes within which shares of cases were done, of all, by rating and by team; counted over all.

    Where so many are not done yet, there is none.
    """
    timed = " UNION ALL\n  ".join(
        f"SELECT '{kind}' AS kind, {column or QUOTED_NOTHING} AS name, period, minutes, sum(n) AS n FROM {table} "
        f"WHERE {where} GROUP BY {', '.join([*([column] if column else []), 'period', 'minutes'])}"
        for kind, column in (("all", ""), ("rating", "rating"), ("team", "team"))
    )
    at = ",\n  ".join(
        f"min(CASE WHEN minutes >= 0 AND reached * 100 >= total * {percent} THEN minutes END)"
        for percent in PERCENTILES
    )
    order = "ORDER BY CASE WHEN minutes < 0 THEN 1 ELSE 0 END, minutes"
    text = (
        f"SELECT kind, name, period, max(total),\n  {at}\n"
        f"FROM (SELECT kind, name, period, minutes, sum(n) OVER (PARTITION BY kind, name, period {order}) AS reached,\n"
        "  sum(n) OVER (PARTITION BY kind, name, period) AS total\n"
        f"FROM (\n  {timed}) timed) ranked\n"
        "GROUP BY kind, name, period ORDER BY kind, name, period"
    )
    columns = ("kind", "name", "period", "n", *(f"p{percent}" for percent in PERCENTILES))
    return Measure(name, columns, text, (table,))


def late(now: str, read: Callable[[Any], datetime]) -> Measure:
    """Return the cases of the period that are late and still open, the most urgent and longest overdue first.

    Only their numbers are kept: what else is shown of them is looked up, so that what is forgotten is gone.

    Args:
        now: the moment, as a literal.
        read: makes a moment of what the database gives.
    """
    return Measure(
        "deadlines.open",
        ("case", "rating", "team", "category", "act_by"),
        "SELECT number, rating, team, category, act_by FROM worked\n"
        f"WHERE period = 0 AND route = 'review' AND decided_at IS NULL AND act_by <= {now}\n"
        f"ORDER BY {MOST_URGENT}, act_by, number LIMIT {MOST_LISTED}",
        ("worked",),
        lambda rows: [(*said, read(act_by).isoformat()) for *said, act_by in rows],
    )


def handoffs(now: str, read: Callable[[Any], datetime]) -> list[Measure]:
    """Return what became of what was handed over, what was done, how long it took, and what is late.

    Args:
        now: the moment, as a literal.
        read: makes a moment of what the database gives.
    """
    state = (
        "CASE WHEN ended IS NOT NULL THEN ended WHEN mitigated_at <= act_by THEN 'in time' "
        "WHEN mitigated_at IS NOT NULL THEN 'late' ELSE 'open' END"
    )
    due = f"CASE WHEN act_by <= {now} THEN 1 ELSE 0 END"
    return [
        Measure(
            "handoffs.states",
            ("team", "rating", "state", "due", "period", "n"),
            f"SELECT team, rating, {state}, {due}, period, count(*) FROM handed "
            "GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
            ("handed",),
        ),
        Measure(
            "handoffs.actions",
            ("action", "period", "n"),
            "SELECT actions, period, count(*) FROM handed WHERE mitigated_at IS NOT NULL GROUP BY actions, period",
            ("handed",),
            _actions,
        ),
        percentiles("handoffs.acknowledged", "acknowledging", "minutes IS NOT NULL"),
        percentiles("handoffs.mitigated", "mitigating", "minutes IS NOT NULL"),
        Measure(
            "handoffs.open",
            ("handoff", "rating", "team", "category", "act_by"),
            "SELECT number, rating, team, category, act_by FROM handed\n"
            f"WHERE period = 0 AND ended IS NULL AND mitigated_at IS NULL AND act_by <= {now}\n"
            f"ORDER BY {MOST_URGENT}, act_by, number LIMIT {MOST_LISTED}",
            ("handed",),
            lambda rows: [(*said, read(act_by).isoformat()) for *said, act_by in rows],
        ),
    ]


def transparency(until: int, minutes: str) -> list[Measure]:
    """Return what came in by source and category, and how long it took until something was done about it.

    Args:
        until: the highest number of an event of a hand-off that counts.
        minutes: from arrival to the first act, as the database counts them.
    """
    return [
        Measure(
            "transparency.notices",
            ("category", "source", "route", "n"),
            "SELECT category, source, route, n FROM notices ORDER BY category, source, route",
            ("notices",),
        ),
        Measure(
            "transparency.acted",
            ("category", "source", "minutes", "n"),
            f"SELECT category, source, {minutes}, count(*) FROM (SELECT d.category, d.source, d.received_at,\n"
            "    min(v.at) AS acted_at FROM handoff_events v\n"
            "  JOIN handoffs h ON h.number = v.handoff JOIN disclosed d ON d.number = h.escalation\n"
            f"  WHERE v.kind = 'mitigated' AND v.number <= {until} AND v.actions <> '[\"no action\"]'\n"
            "  GROUP BY d.number, d.category, d.source, d.received_at) acted\n"
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            ("disclosed",),
        ),
    ]


def changes() -> Measure:
    """Return what people made of the model's ratings: cases whose verdict counts, by what they are."""
    columns = ("category", "language", "model", "people", "purpose", "period", "n")
    names = ", ".join(columns[:-1])
    return Measure(
        "changes.ratings", columns, f"SELECT {names}, sum(n) FROM judged GROUP BY {names} ORDER BY {names}", ("judged",)
    )


def audits(until: int) -> Measure:
    """Return what was drawn by chance from the accepted, and what people said of it; empty where it is not settled."""
    return Measure(
        "audits.drawn",
        ("language", "model", "people", "weight", "period", "n"),
        "SELECT c.language, r.rating, coalesce(o.people, ''), r.weight, c.period, count(*) FROM reviews r\n"
        "JOIN recent c ON c.number = r.escalation LEFT JOIN opinions o ON o.escalation = r.escalation\n"
        f"WHERE r.purpose = 'audit' AND r.number <= {until}\n"
        "GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
        ("recent", "opinions"),
    )


def _days(rows: Iterable[Row], begin: datetime, zone: ZoneInfo) -> list[Row]:
    """Sum hours to days of the zone."""
    counts: Counter[tuple[str, str]] = Counter()
    for hour, rating, n in rows:
        counts[_local(hour, begin, zone).date().isoformat(), rating] += n
    return [(day, rating, n) for (day, rating), n in sorted(counts.items())]


def _week(rows: Iterable[Row], begin: datetime, zone: ZoneInfo) -> list[Row]:
    """Sum hours to hours of the week, Monday being 0."""
    counts: Counter[tuple[int, int]] = Counter()
    for hour, _, n in rows:
        local = _local(hour, begin, zone)
        counts[local.weekday(), local.hour] += n
    return [(weekday, hour, n) for (weekday, hour), n in sorted(counts.items())]


def _local(hour: int, begin: datetime, zone: ZoneInfo) -> datetime:
    return (begin + timedelta(seconds=HOUR * int(hour))).astimezone(zone)


def _moment(hour: Any, begin: datetime) -> str:
    return (begin + timedelta(seconds=HOUR * int(hour))).isoformat()


def _actions(rows: Iterable[Row]) -> list[Row]:
    """Count each action by itself; a team may have taken several."""
    counts: Counter[tuple[str, int]] = Counter()
    for actions, period, n in rows:
        for action in json.loads(actions or "[]"):
            counts[action, period] += n
    return [(action, period, n) for (action, period), n in sorted(counts.items())]
