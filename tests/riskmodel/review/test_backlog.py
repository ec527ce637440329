"""What was kept before there was a queue enters it: each once, as it would have then."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from riskmodel.casebook import Casebook, Rated, keeping, open_casebook
from riskmodel.casebook.database import Database, create_database_engine, create_file
from riskmodel.casebook.keeping import keep as keep_only
from riskmodel.casebook.migrating import configuration
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS
from riskmodel.records import Assessment
from riskmodel.review import Desk, Filters, QueueItem, backlog
from riskmodel.review.backlog import enter_backlog
from tests.riskmodel.casebook.made import NOON, make_assessment, make_rated
from tests.riskmodel.review.made import answer, keep, waiting

LATER = NOON + timedelta(days=40)
BEFORE_THE_DESK = "0001"  # the last revision of the casebook without reviews


def keep_without_queue(database: Database, *rated: Rated, at: datetime = NOON) -> None:
    """Keep escalations as the service did before there was a desk."""
    database.write(lambda connection: keep_only(connection, rated, at))


def open_items(desk: Desk) -> tuple[QueueItem, ...]:
    return desk.queue.page(Filters(), None, 1_000, LATER).items


def ids(desk: Desk) -> list[str]:
    return [item.id for item in open_items(desk)]


def test_what_asks_for_a_person_enters_once_and_nothing_else(casebook: Casebook, desk: Desk) -> None:
    keep_without_queue(casebook.database, waiting("late", hours=9), make_rated("accepted"), waiting("soon", hours=2))

    first, second = (enter_backlog(casebook.database, None, LATER) for _ in range(2))

    assert (first, second) == (2, 0)
    assert ids(desk) == ["soon", "late"]


def test_a_case_enters_as_it_would_have_when_it_was_kept(casebook: Casebook, desk: Desk) -> None:
    case = {"harm": "high", "language": "es", "market": "MX", "source": "press"}
    keep(casebook, waiting("then", **case))
    keep_without_queue(casebook.database, waiting("now", **case))

    enter_backlog(casebook.database, None, LATER)

    now, then = (asdict(item) for item in sorted(open_items(desk), key=lambda item: item.id))
    differing = {name for name in then if then[name] != now[name]}
    assert differing == {"number", "escalation", "id", "queued_at"}
    assert now["queued_at"] == LATER


def test_a_case_that_has_a_review_already_is_left_alone(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("open"), waiting("decided"))
    item = next(item for item in open_items(desk) if item.id == "decided")
    desk.verdicts.decide(answer(desk.claims.take(item.number, "ana", NOON)), NOON)

    assert enter_backlog(casebook.database, None, LATER) == 0
    assert ids(desk) == ["open"]


def test_the_newest_decision_counts(casebook: Casebook, desk: Desk) -> None:
    keep_without_queue(casebook.database, waiting("no-longer"), make_rated("by-now"))
    for newer in (make_assessment("no-longer"), waiting("by-now").assessment):
        casebook.database.write(lambda connection, newer=newer: assess(connection, newer))

    enter_backlog(casebook.database, None, LATER)

    assert ids(desk) == ["by-now"]


def assess(connection: sa.Connection, newer: Assessment) -> None:
    """Append another assessment of an escalation."""
    last = sa.select(ASSESSMENTS).join(ESCALATIONS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    row = dict(connection.execute(last.where(ESCALATIONS.c.id == newer.id)).one()._mapping)
    del row["number"]
    values = {"document": newer.model_dump_json(by_alias=True), "route": newer.decision.route}
    connection.execute(sa.insert(ASSESSMENTS).values(**row | values))


def test_a_day_bounds_what_enters(casebook: Casebook, desk: Desk) -> None:
    keep_without_queue(casebook.database, waiting("old"), at=NOON - timedelta(seconds=1))
    keep_without_queue(casebook.database, waiting("new"), at=NOON)

    assert enter_backlog(casebook.database, NOON, LATER) == 1
    assert ids(desk) == ["new"]


def test_what_was_accepted_enters_only_if_asked_for_and_stands_for_itself(casebook: Casebook, desk: Desk) -> None:
    keep_without_queue(casebook.database, waiting("asked"), make_rated("accepted"))

    assert enter_backlog(casebook.database, None, LATER, accepted=True) == 2
    assert {(item.id, item.purpose, item.weight) for item in open_items(desk)} == {
        ("asked", "review", 1.0),
        ("accepted", "audit", 1.0),
    }


def test_many_enter_in_chunks_and_each_once_though_several_work_at_it(
    casebook: Casebook, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_WITHOUT_REVIEW", backlog._WITHOUT_REVIEW.limit(4))
    keep_without_queue(casebook.database, *(waiting(f"a-{number:02}", hours=number) for number in range(30)))

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: enter_backlog(casebook.database, None, LATER), range(3)))

    assert sum(counts) == 30
    assert ids(desk) == [f"a-{number:02}" for number in range(30)]


def test_a_casebook_from_before_the_desk_is_migrated_and_its_cases_enter(url: str) -> None:
    engine = create_database_engine(url)
    database = Database(engine)
    if database.is_sqlite:
        create_file(engine)
    database.write(make_old_tables)
    database.write(lambda connection: keep_in_old_tables(connection, waiting("asked"), make_rated("accepted")))
    database.close()

    with closing(open_casebook(url)) as casebook:  # migrates
        entered = enter_backlog(casebook.database, None, LATER)
        found = casebook.database.read(
            lambda connection: connection.execute(sa.text("SELECT purpose, state FROM reviews")).all()
        )

    assert entered == 1
    assert [tuple(row) for row in found] == [("review", "waiting")]


def keep_in_old_tables(connection: sa.Connection, *rated: Rated) -> None:
    """Keep escalations with the columns that there were before the desk."""
    known = {column["name"] for column in sa.inspect(connection).get_columns(ESCALATIONS.name)}
    for one in rated:
        row = {name: value for name, value in keeping._escalation_row(one, NOON).items() if name in known}
        number = connection.execute(sa.insert(ESCALATIONS).values(**row).returning(ESCALATIONS.c.number)).scalar_one()
        connection.execute(sa.insert(ASSESSMENTS).values(**keeping._assessment_row(one, number)))


def make_old_tables(connection: sa.Connection) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE_THE_DESK)
