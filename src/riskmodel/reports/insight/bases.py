"""What is asked for in, the tables that all figures are read from out: each case once, then counted.

The tables last as long as the transaction. Every figure's query stands on its own all the same: the selects here go
before it as common table expressions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT
from riskmodel.reports.insight.periods import BEFORE, Periods
from riskmodel.reports.insight.records import Asked, AsOf
from riskmodel.reports.insight.sql import Count, Dialect, Select

HOUR, MINUTE = 3_600, 60  # seconds
UNDECIDED = -1  # minutes of what nobody decided yet
# Which tables each is made from, in the order in which they are made: what came in, what people decided, what teams
# did. No side reads from another, so that all are made at the same time.
SIDES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "arrived": {"cases": (), "seen": ("cases",), "sent": ("cases",), "hours": ("cases",)},
    "decided": {
        "recent": (),
        "opinions": ("recent",),
        "worked": ("recent", "opinions"),
        "waits": ("worked",),
        "judged": ("worked",),
    },
    "mitigated": {"handed": (), "acknowledging": ("handed",), "mitigating": ("handed",)},
    "disclosed": {"disclosed": (), "notices": ("disclosed",)},
}
STANDARD = ("arrived", "decided", "mitigated")  # what every report reads
DISCLOSED = "disclosed"  # what a transparency report counts beside it
_OF = {table: parts for side in SIDES.values() for table, parts in side.items()}
_CASES = "number kept_at source market language rating category route model_version policy_version period"
_DISCLOSED = "number received_at source category route period"
_RECENT = "number assessment received_at language rating category team route act_by period"


@dataclass(frozen=True)
class Bases:
    """The selects of the tables, by name."""

    dialect: Dialect
    selects: Mapping[str, Select | Count]

    def query(self, text: str, *tables: str) -> str:
        """Return a query that reads from tables, with all that they are made from before it."""
        needed = set(_with_all(tables))
        parts = [f"{name} AS (\n{self.selects[name].text}\n)" for name in _OF if name in needed]
        return f"WITH {', '.join(parts)}\n{text}" if parts else text

    def make(self, connection: sa.Connection, side: str) -> None:
        """Make the tables of a side, within the transaction that is open."""
        for name in SIDES[side]:
            for statement in self.dialect.make(name, self.selects[name]):
                connection.exec_driver_sql(statement)

    def drop(self, connection: sa.Connection, side: str) -> None:
        """Remove the tables where they would outlive the transaction."""
        if self.dialect.is_sqlite:
            for name in SIDES[side]:
                connection.exec_driver_sql(f"DROP TABLE temp.{name}")


def _with_all(tables: tuple[str, ...]) -> Iterator[str]:
    for name in tables:
        yield name
        yield from _with_all(_OF[name])


def bases(asked: Asked, spans: Periods, as_of: AsOf, dialect: Dialect) -> Bases:
    """Return the selects for what is asked for, as of the numbers of each table."""
    hour = dialect.whole("kept_at", dialect.moment(spans.of(1)[0]), HOUR)
    return Bases(
        dialect,
        {
            "cases": _cases(asked, spans, as_of, dialect, _CASES, BEFORE),
            # Two counts instead of one, which would have nearly as many rows as there are cases.
            "seen": _count("category market rating route period", "cases"),
            "sent": _count("source rating language route period", "cases"),
            # Hours since the period before began; they become days of the zone afterwards.
            "hours": Count({"hour": hour, **_named("rating model_version policy_version")}, "cases", "period <= 1"),
            "recent": _cases(asked, spans, as_of, dialect, _RECENT, 1),
            "opinions": _opinions(as_of),
            "worked": Select(_WORKED),
            "waits": _waits(as_of, dialect),
            "judged": _count(
                "category people model language purpose period",
                "worked",
                "people IS NOT NULL AND model IS NOT NULL",
            ),
            "disclosed": _cases(asked, spans, as_of, dialect, _DISCLOSED, 0),
            "notices": _count("category source route", "disclosed"),
            "handed": _handed(asked, spans, as_of, dialect),
            "acknowledging": _spans("acknowledged_at", as_of, dialect),
            "mitigating": _spans("mitigated_at", as_of, dialect),
        },
    )


def _count(columns: str, table: str, where: str = "true") -> Count:
    return Count(_named(columns), table, where)


def _named(columns: str) -> dict[str, str]:
    return {name: name for name in columns.split()}


def _cases(asked: Asked, spans: Periods, as_of: AsOf, dialect: Dialect, columns: str, before: int) -> Select:
    """Return each escalation that was kept in the period or those before, with its newest assessment.

    Args:
        asked: what is asked for.
        spans: its periods.
        as_of: the numbers that bound what counts.
        dialect: of the database.
        columns: which are wanted.
        before: how many of the periods before; they are counted backwards in the column ``period``.
    """
    number, wanted = as_of.numbers, columns.split()
    begins = [dialect.moment(spans.of(back)[0]) for back in range(before + 1)]
    period = " ".join(f"WHEN e.kept_at >= {begin} THEN {back}" for back, begin in enumerate(begins[:-1]))
    of = {name: f"e.{name}" for name in ("number", "kept_at", "received_at")}
    of |= {name: f"coalesce(e.{name}, '') AS {name}" for name in ("source", "market")}
    when = f"CASE {period} ELSE {before} END" if before else "0"
    of |= {"assessment": "a.number AS assessment", "period": f"{when} AS period"}
    selected = [of.get(name, f"a.{name}") for name in wanted]
    only = [f"  AND e.market = {dialect.text(asked.market)}"] if asked.market is not None else []
    only += [f"  AND a.language = {dialect.text(asked.language)}"] if asked.language is not None else []
    lines = [
        f"SELECT {', '.join(selected[:-1])},",
        f"  {selected[-1]}",
        "FROM escalations e",
        f"JOIN assessments a ON a.escalation = e.number AND a.number <= {number['assessments']}",
        f"WHERE e.kept_at >= {begins[-1]} AND e.kept_at < {dialect.moment(spans.end)}",
        f"  AND e.number <= {number['escalations']} AND e.client <> {dialect.text(GOLDEN_CLIENT)}",
        *only,
        "  AND NOT EXISTS (SELECT 1 FROM assessments later WHERE later.escalation = a.escalation",
        f"    AND later.number > a.number AND later.number <= {number['assessments']})",
    ]
    return Select("\n".join(lines), tuple(wanted))


def _opinions(as_of: AsOf) -> Select:
    """Return what people said of each escalation: when first, and the verdict that counts (see review/opinions.py)."""
    until = as_of.numbers["verdicts"]
    newest = {
        name: f"max(CASE WHEN v.purpose = '{name}' THEN v.number END)"
        for name in ("review", "audit", "second", "third")
    }
    lines = [
        "SELECT o.escalation, o.decided_at, one.purpose, one.assessment,",
        "  CASE WHEN three.number IS NOT NULL THEN three.rating",
        "    WHEN two.rating <> one.rating THEN NULL ELSE one.rating END AS people",
        "FROM (SELECT v.escalation, min(v.decided_at) AS decided_at,",
        f"    coalesce({newest['review']},",
        f"      {newest['audit']}) AS opinion_one,",
        f"    {newest['second']} AS opinion_two,",
        f"    {newest['third']} AS opinion_three",
        "  FROM verdicts v WHERE v.escalation >= (SELECT min(number) FROM recent)",
        f"    AND v.number <= {until} AND v.kind <> 'retracted' AND v.purpose <> 'golden'",
        "    AND NOT EXISTS (SELECT 1 FROM verdicts back",
        f"      WHERE back.retracts = v.number AND back.number <= {until})",
        "  GROUP BY v.escalation) o",
        "LEFT JOIN verdicts one ON one.number = o.opinion_one",
        "LEFT JOIN verdicts two ON two.number = o.opinion_two",
        "LEFT JOIN verdicts three ON three.number = o.opinion_three",
    ]
    return Select("\n".join(lines), ("escalation", "decided_at", "purpose", "assessment", "people"))


# Cases that a person was asked about, by the model or by chance; ``model`` is the rating that the person saw.
_WORKED = """SELECT r.number, r.period, r.route, r.rating, r.team, r.category, r.language, r.received_at, r.act_by,
  o.decided_at, o.purpose, o.people, CASE WHEN o.assessment = r.assessment THEN r.rating
    ELSE (SELECT said.rating FROM assessments said WHERE said.number = o.assessment) END AS model
FROM recent r LEFT JOIN opinions o ON o.escalation = r.number
WHERE r.route = 'review' OR o.escalation IS NOT NULL"""


def _waits(as_of: AsOf, dialect: Dialect) -> Count:
    """Return how long people took for what was sent to them: minutes from arrival, and how the deadline was kept."""
    state = (
        f"CASE WHEN act_by > {dialect.moment(as_of.moment)} THEN 'not due' WHEN decided_at <= act_by THEN 'in time' "
        "WHEN decided_at IS NOT NULL THEN 'late' ELSE 'open' END"
    )
    minutes = f"coalesce({dialect.whole('decided_at', 'received_at', MINUTE)}, {UNDECIDED})"
    values = {"minutes": minutes, "team": "team", "rating": "rating", "state": state, "period": "period"}
    return Count(values, "worked", "route = 'review'")


def _handed(asked: Asked, spans: Periods, as_of: AsOf, dialect: Dialect) -> Select:
    """Return each hand-off that was opened in the period or the one before, and what became of it."""
    events = as_of.numbers.get("handoff_events", 0)
    only = [f"  AND h.market = {dialect.text(asked.market)}"] if asked.market is not None else []
    only += [f"  AND h.language = {dialect.text(asked.language)}"] if asked.language is not None else []
    lines = [
        "SELECT h.number, h.team, h.rating, h.category, h.opened_at, h.act_by,",
        f"  CASE WHEN h.opened_at >= {dialect.moment(spans.begin)} THEN 0 ELSE 1 END AS period,",
        "  min(CASE WHEN v.kind IN ('acknowledged', 'mitigated') THEN v.at END) AS acknowledged_at,",
        "  min(CASE WHEN v.kind = 'mitigated' THEN v.at END) AS mitigated_at,",
        "  max(CASE WHEN v.kind IN ('refused', 'withdrawn') THEN v.kind END) AS ended,",
        "  max(CASE WHEN v.kind = 'mitigated' THEN v.actions END) AS actions",
        f"FROM handoffs h LEFT JOIN handoff_events v ON v.handoff = h.number AND v.number <= {events}",
        f"WHERE h.opened_at >= {dialect.moment(spans.of(1)[0])} AND h.opened_at < {dialect.moment(spans.end)}",
        f"  AND h.number <= {as_of.numbers.get('handoffs', 0)}",
        *only,
        "GROUP BY h.number, h.team, h.rating, h.category, h.opened_at, h.act_by",
    ]
    return Select("\n".join(lines))


def _spans(until: str, as_of: AsOf, dialect: Dialect) -> Count:
    """Return how long teams took for what is due, in minutes from when they were given it."""
    minutes = f"coalesce({dialect.whole(until, 'opened_at', MINUTE)}, {UNDECIDED})"
    due = f"ended IS NULL AND act_by <= {dialect.moment(as_of.moment)}"
    return Count({"minutes": minutes, **_named("team rating period")}, "handed", due)
