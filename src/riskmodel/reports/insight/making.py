"""What is asked for and a casebook in, a report out; and a kept report in, what has changed since out."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import REVISION
from riskmodel.errors import CasebookUnavailableError
from riskmodel.policy import Policy
from riskmodel.reports.insight import measures
from riskmodel.reports.insight.bases import DISCLOSED, MINUTE, STANDARD, Bases, bases
from riskmodel.reports.insight.measures import Measure
from riskmodel.reports.insight.periods import Periods, periods
from riskmodel.reports.insight.records import Asked, AsOf, Comparison, Difference, Figure, Report, Row
from riskmodel.reports.insight.sql import Dialect

NUMBERED = (
    "escalations",
    "assessments",
    "reviews",
    "verdicts",
    "handoffs",
    "handoff_events",
    "audit",
)  # tables that are appended to
STATEMENT_SECONDS = 120
ROUNDS = 3  # of reading, while others forget
WORK_MEMORY = "64MB"


def make(
    database: Database,
    asked: Asked,
    made_by: str,
    policy: Policy,
    now: datetime,
    sides: Sequence[str] = STANDARD,
) -> Report:
    """Make a report of what is kept at this moment; it is not kept itself.

    Args:
        database: of the casebook.
        asked: what it is about.
        made_by: who wants it.
        policy: whose version it names.
        now: the moment.
        sides: of what is counted; see :mod:`~riskmodel.reports.insight.bases`.

    Raises:
        CasebookUnavailableError: if the database does not answer now.
    """
    begun = time.perf_counter()
    as_of = AsOf(now, database.read(_numbers))
    figures = figures_of(database, asked, as_of, sides)
    versions = {"riskmodel": version("riskmodel"), "tables": REVISION, "policy": policy.version}
    id_ = f"r{now:%Y%m%d}-{token_hex(4)}"
    return Report(id_, asked, as_of, made_by, versions, figures, round(time.perf_counter() - begun, 3))


def make_again(database: Database, report: Report, policy: Policy) -> Comparison:
    """Make the figures of a kept report once more, as of what it rested on, and compare."""
    sides = (*STANDARD, *([DISCLOSED] if "transparency.notices" in report.figures else []))
    again = figures_of(database, report.asked, report.as_of, sides)
    before, after = _basis(report.figures["basis"]), _basis(again["basis"])
    lost, came = sum((before - after).values()), sum((after - before).values())
    now = {"riskmodel": version("riskmodel"), "tables": REVISION, "policy": policy.version}
    changed = {name: (report.versions[name], now[name]) for name in now if report.versions.get(name) != now[name]}
    return Comparison(report, tuple(_differences(report.figures, again)), lost, came, changed)


def figures_of(database: Database, asked: Asked, as_of: AsOf, sides: Sequence[str]) -> dict[str, Figure]:
    """Return the figures of some sides, as of the numbers of each table.

    All sides are read at the same time, each in a transaction of its own. As rows are only appended, all see the
    same, unless something is forgotten in between: then they are read again.

    Raises:
        CasebookUnavailableError: if the database does not answer now, or things are forgotten all the time.
    """
    for _ in range(ROUNDS):
        with ThreadPoolExecutor(len(sides)) as pool:
            reads = [pool.submit(database.read, partial(_side, side, asked, as_of)) for side in sides]
            read = [one.result() for one in reads]
        if len({forgotten for forgotten, _ in read}) == 1:
            found = {figure.name: figure for _, figures in read for figure in figures}
            return {name: found[name] for name in sorted(found)}
    raise CasebookUnavailableError(f"{database.name} has escalations forgotten all the time. Try again.")


def prepare(connection: sa.Connection) -> None:
    """Have the transaction see one state throughout, and take the time it needs."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {setting} = '{STATEMENT_SECONDS}s'")
        connection.exec_driver_sql(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
        connection.exec_driver_sql("SET LOCAL jit = off")  # it compiles for longer than these queries run


def _numbers(connection: sa.Connection) -> dict[str, int]:
    found = {}
    for table in NUMBERED:
        found[table] = int(connection.exec_driver_sql(f"SELECT max(number) FROM {table}").scalar() or 0)
    return found


def _side(side: str, asked: Asked, as_of: AsOf, connection: sa.Connection) -> tuple[int, list[Figure]]:
    """Return the last time that anything was forgotten, and the figures of a side."""
    prepare(connection)
    dialect = Dialect(connection.dialect.name == "sqlite")
    forgotten = f"SELECT max(number) FROM audit WHERE number > {as_of.numbers['audit']} AND action = 'forget'"
    last = int(connection.exec_driver_sql(forgotten).scalar() or 0)
    spans = periods(asked)
    made = bases(asked, spans, as_of, dialect)
    made.make(connection, side)
    wanted = [measure for measure in all_measures(asked, spans, as_of, dialect) if measure.side == side]
    figures = [_figure(connection, measure, made) for measure in wanted]
    made.drop(connection, side)
    return last, figures


def all_measures(asked: Asked, spans: Periods, as_of: AsOf, dialect: Dialect) -> list[Measure]:
    """Return the queries of all figures of a report."""
    return [
        measures.basis(),
        *measures.volumes(spans, ZoneInfo(asked.zone)),
        measures.since(dialect.read_moment),
        measures.growth(),
        *measures.deadlines(),
        measures.late(dialect.moment(as_of.moment), dialect.read_moment),
        measures.changes(),
        measures.audits(as_of.numbers["reviews"]),
        *measures.transparency(
            as_of.numbers.get("handoff_events", 0), dialect.whole("acted_at", "received_at", MINUTE)
        ),
        *measures.handoffs(dialect.moment(as_of.moment), dialect.read_moment),
    ]


def _figure(connection: sa.Connection, measure: Measure, made: Bases) -> Figure:
    rows: Iterable[Row] = connection.exec_driver_sql(measure.text)
    plain: Iterable[Row] = (tuple(_plain(value) for value in row) for row in rows)
    folded = plain if measure.fold is None else measure.fold(plain)
    return Figure(measure.name, measure.columns, tuple(folded), made.query(measure.text, *measure.tables), measure.link)


def _plain(value: Any) -> Any:
    """Return a sum as the whole number that it is; PostgreSQL gives them as decimals."""
    return int(value) if isinstance(value, Decimal) else value


def _basis(figure: Figure) -> Counter[int]:
    return Counter({row["period"]: row["n"] for row in figure.dicts()})


def _differences(before: Mapping[str, Figure], after: Mapping[str, Figure]) -> Iterator[Difference]:
    """Return what came out otherwise of the figures that there were; others are not missed."""
    for name, figure in before.items():
        old, new = set(figure.rows), set(after[name].rows) if name in after else set()
        if old != new:
            yield Difference(name, tuple(sorted(old - new, key=repr)), tuple(sorted(new - old, key=repr)))
