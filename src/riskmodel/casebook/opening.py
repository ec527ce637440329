"""A URL in, a database at the newest revision out, also when several processes open a fresh one at once."""

import random
import time
from dataclasses import dataclass

import sqlalchemy as sa

from riskmodel.casebook.database import NO_BEGIN, Database, create_database_engine, create_file
from riskmodel.casebook.faults import is_lock, translate
from riskmodel.casebook.tables import REVISION
from riskmodel.errors import CasebookError

OPEN_SECONDS = 30.0  # while other processes make or migrate the tables
ADVISORY_LOCK = 7_246_317_590_281  # any number that no other program takes; held while migrating


@dataclass(frozen=True)
class Migrated:
    """A database's name in messages, and the revision of its tables before and after; None where there were none."""

    name: str
    before: str | None
    after: str


def open_database(url: str) -> Database:
    """Open a database, making or migrating its tables.

    Raises:
        CasebookUnavailableError: if it does not answer now.
        CasebookError: if it cannot be used; says what to do.
    """
    return _open(url)[0]


def migrate_database(url: str) -> Migrated:
    """Make or migrate the tables, as whoever opens the database would, and say what that changed.

    Raises:
        CasebookUnavailableError: if it does not answer now.
        CasebookError: if it cannot be used; says what to do.
    """
    database, before = _open(url)
    database.close()
    return Migrated(database.name, before, REVISION)


def _open(url: str) -> tuple[Database, str | None]:
    """Return a database that is ready, and the revision that its tables had."""
    database = Database(create_database_engine(url))
    try:
        if database.is_sqlite:
            create_file(database.engine)
        return database, _prepare(database)
    except BaseException:
        database.close()
        raise


def _prepare(database: Database) -> str | None:
    """Do what each process does at its start, one at a time where something must change; return the revision before."""
    give_up = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            if database.is_sqlite:
                _write_ahead(database)
            before = database.read(_revision)
            if before != REVISION:
                database.write(_migrate)
            return before
        except CasebookError as error:
            if not is_lock(error) or time.monotonic() > give_up:
                raise
            time.sleep(random.uniform(0.01, 0.1))  # SQLite's own waiting does not cover the change to WAL


def _write_ahead(database: Database) -> None:
    """Let readers read while one process writes; a property of the file, set once."""
    try:
        with database.engine.connect().execution_options(begin=NO_BEGIN) as connection:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
                if mode != "wal":
                    raise CasebookError(f"{database.name} lies where SQLite cannot share memory. Use a local disk.")
    except sa.exc.SQLAlchemyError as error:
        raise translate(error, database.name) from None


def _revision(connection: sa.Connection) -> str | None:
    """Return the revision of the tables; None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(connection: sa.Connection) -> None:
    from riskmodel.casebook.migrating import upgrade  # noqa: PLC0415  alembic is needed once in a casebook's life

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{OPEN_SECONDS:.0f}s'"))
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    upgrade(connection, _revision(connection))
