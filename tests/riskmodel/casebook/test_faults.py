"""A database that does not answer: clear and quick errors, nothing half done, and it goes on when the fault is gone."""

import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook, Filters, Found, open_casebook
from riskmodel.casebook.database import LOCK_SECONDS
from riskmodel.casebook.opening import open_database
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.errors import CasebookError, CasebookUnavailableError
from tests.riskmodel.casebook.made import NOON, TEXT, make_rated


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold what a writer needs, from another connection."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        file.execute("BEGIN IMMEDIATE")
        yield
        file.close()
        return
    with psycopg.connect(url) as server:
        server.execute("LOCK TABLE escalations IN SHARE MODE")
        yield


def test_a_locked_database_is_unavailable_within_seconds_while_readers_read_and_works_again_after(url: str) -> None:
    casebook = open_casebook(url)
    casebook.keep([make_rated("before")])

    with locked(url):
        start = time.monotonic()
        with pytest.raises(CasebookUnavailableError, match="locked by another program"):
            casebook.keep([make_rated("during")])
        waited = time.monotonic() - start
        found = casebook.find([make_rated("before").sent, make_rated("during").sent])
    after = casebook.keep([make_rated("during")])
    casebook.close()

    assert LOCK_SECONDS - 0.2 < waited < LOCK_SECONDS + 1.5
    assert isinstance(found[0], Found)
    assert found[1] is None
    assert isinstance(after[0], Found)


def test_a_lock_that_goes_in_time_is_waited_for(url: str) -> None:
    casebook = open_casebook(url)
    holds, release = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(url):
            holds.set()
            release.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    holds.wait(10)
    threading.Timer(0.3, release.set).start()
    kept = casebook.keep([make_rated("a-1")])
    holder.join()
    casebook.close()

    assert isinstance(kept[0], Found)


def test_a_full_disk_is_unavailable_and_works_again_when_there_is_room(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    casebook = Casebook(database)
    pages = database.read(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    room = {"pages": pages + 8}

    def limit(connection: sqlite3.Connection, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {room['pages']}")

    sa.event.listen(database.engine, "checkout", limit)
    kept = []
    with pytest.raises(CasebookUnavailableError, match="the disk is full"):
        for number in range(1000):
            casebook.keep([make_rated(f"a-{number}")])
            kept.append(f"a-{number}")
    assert sorted(case.id for case in casebook.page(Filters(), limit=200).cases) == sorted(kept)

    room["pages"] = 100_000
    after = casebook.keep([make_rated("after")])
    casebook.close()

    assert isinstance(after[0], Found)


def test_the_disk_itself_being_full_is_unavailable_too_and_loses_nothing(tmp_path: Path) -> None:
    """A file may not grow beyond a limit of the process, which is what a full disk looks like to SQLite."""
    import resource

    casebook = open_casebook(f"sqlite:///{tmp_path / 'casebook.db'}")
    casebook.keep([make_rated("before")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "casebook.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, limits[1]))
    kept = ["before"]
    try:
        with pytest.raises(CasebookUnavailableError, match="full"):
            for number in range(1000):
                casebook.keep([make_rated(f"a-{number}")])
                kept.append(f"a-{number}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    casebook.keep([make_rated("after")])
    ids = {case.id for case in casebook.page(Filters(), limit=200).cases}
    casebook.close()

    assert ids == {*kept, "after"}


@pytest.mark.slow
def test_a_server_that_was_started_again_between_two_calls_is_not_noticed(postgresql: Any, postgresql_url: str) -> None:
    casebook = open_casebook(postgresql_url)
    casebook.keep([make_rated("before")])
    postgresql.stop()
    postgresql.ensure_postgres_running()

    kept = casebook.keep([make_rated("after")])
    found = casebook.find([make_rated("before").sent])
    casebook.close()

    assert isinstance(kept[0], Found)
    assert isinstance(found[0], Found)


@pytest.mark.slow
def test_a_server_that_stands_still_is_unavailable_at_once_and_works_again_when_it_is_up(
    postgresql: Any, postgresql_url: str
) -> None:
    casebook = open_casebook(postgresql_url)
    casebook.keep([make_rated("before")])
    postgresql.stop()
    start = time.monotonic()
    try:
        for call in (lambda: casebook.keep([make_rated("during")]), lambda: casebook.find([make_rated("x").sent])):
            with pytest.raises(CasebookUnavailableError, match="does not answer"):
                call()
    finally:
        waited = time.monotonic() - start
        postgresql.ensure_postgres_running()
    kept = casebook.keep([make_rated("after")])
    casebook.close()

    assert waited < LOCK_SECONDS
    assert isinstance(kept[0], Found)


def test_an_answer_whose_acknowledgement_was_lost_is_not_kept_twice(postgresql_url: str) -> None:
    """The connection dies after the commit, before the client hears of it; the transaction runs again."""
    database = open_database(postgresql_url)
    casebook = Casebook(database)
    runs = []

    def lose(connection: Any) -> None:
        if not runs:
            runs.append("lost")
            connection.connection.dbapi_connection.commit()
            with psycopg.connect(postgresql_url, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    sa.event.listen(database.engine, "commit", lose)
    rated = make_rated("made-up", own_id=False)
    kept = casebook.keep([rated])
    cases = casebook.page(Filters()).cases
    casebook.close()

    assert runs == ["lost"]
    assert kept == [Found(rated.document, "v1")]
    assert [case.id for case in cases] == ["made-up"]


def test_a_statement_that_takes_too_long_is_given_up(postgresql_url: str) -> None:
    database = open_database(postgresql_url)

    def dawdle(connection: sa.Connection) -> None:
        connection.execute(sa.text("SET LOCAL statement_timeout = 50"))
        connection.execute(sa.text("SELECT pg_sleep(5)"))

    with pytest.raises(CasebookUnavailableError, match="does not answer in time"):
        database.read(dawdle)
    database.close()


def breaks(connection: sa.Connection) -> None:
    """Insert a row that the database refuses, and whose values its message repeats."""
    row = {"client": "desk", "id": "a-1", "digest": b"", "received_at": NOON, "kept_at": NOON, "text": TEXT}
    connection.execute(sa.insert(ESCALATIONS), row | {"client": None})


def has_no_zone(connection: sa.Connection) -> None:
    moment = NOON.replace(tzinfo=None)
    row = {"client": "desk", "id": "a-1", "digest": b"", "received_at": moment, "kept_at": moment, "text": TEXT}
    connection.execute(sa.insert(ESCALATIONS), row)


@pytest.mark.parametrize("work", [breaks, has_no_zone])
def test_no_error_repeats_what_was_to_be_kept(url: str, work: Callable[[sa.Connection], None]) -> None:
    database = open_database(url)

    with pytest.raises(CasebookError) as caught:
        database.write(work)
    database.close()

    assert not isinstance(caught.value, CasebookUnavailableError)
    assert "amanhã" not in "".join(traceback.format_exception(caught.value))


def test_what_fails_in_the_middle_leaves_nothing_of_its_transaction(casebook: Casebook) -> None:
    broken = replace(make_rated("b"), document=None)  # type: ignore[arg-type]

    with pytest.raises(CasebookError):
        casebook.keep([make_rated("a"), broken])

    assert casebook.page(Filters()).cases == ()
