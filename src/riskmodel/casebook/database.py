"""A URL in; a database out that is at the newest revision, never waits for long, and raises only riskmodel's errors."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from riskmodel.casebook.faults import may_work_again, translate
from riskmodel.errors import CasebookError, CasebookUnavailableError

LOCK_SECONDS = 2.0  # how long a statement waits for what another transaction holds
STATEMENT_SECONDS = 5.0  # how long PostgreSQL may work on one statement
CONNECT_SECONDS = 3  # the least that libpq takes is 2
POOL_SIZE, POOL_OVERFLOW = 5, 10
SQLITE_CACHE_KIB = 8 * 1024  # a connection
ATTEMPTS = 4  # at a transaction that others ended
BEGIN, BEGIN_WRITE, NO_BEGIN = "BEGIN", "BEGIN IMMEDIATE", ""

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]


@dataclass(frozen=True)
class Database:
    """An engine, and how to work with it: in transactions that are tried again where that is safe."""

    engine: sa.Engine

    @property
    def name(self) -> str:
        """Return what messages call it; no password, no option of the URL."""
        return name_of(self.engine.url)

    @property
    def is_sqlite(self) -> bool:
        """Return whether it is a file of ours instead of a server."""
        return self.engine.dialect.name == "sqlite"

    def read(self, work: Work[Result]) -> Result:
        """Do work in a transaction that sees one state and blocks nobody.

        Raises:
            CasebookUnavailableError: if the database does not answer now.
        """
        return self._transact(work, self._reading)

    def write(self, work: Work[Result]) -> Result:
        """Do work in one transaction; it may run twice, if the connection is lost or others end it.

        Raises:
            CasebookUnavailableError: if the database does not answer now; nothing was acknowledged then.
        """
        return self._transact(work, self._writing)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @cached_property
    def _reading(self) -> sa.Engine:
        return self.engine.execution_options(begin=BEGIN)

    @cached_property
    def _writing(self) -> sa.Engine:
        return self.engine.execution_options(begin=BEGIN_WRITE)

    def _transact(self, work: Work[Result], engine: sa.Engine) -> Result:
        lost = 0
        for attempt in range(ATTEMPTS):
            try:
                with engine.begin() as connection:
                    return work(connection)
            except sa.exc.SQLAlchemyError as error:
                if isinstance(error, sa.exc.DBAPIError) and attempt + 1 < ATTEMPTS:
                    lost += error.connection_invalidated
                    # A server that was started again left dead connections; the first error emptied the pool.
                    if may_work_again(error) or (error.connection_invalidated and lost == 1):
                        continue
                raise translate(error, self.name) from None
        raise CasebookUnavailableError(f"{self.name} has too many programs that wait for one another.")


def create_database_engine(url: str) -> sa.Engine:
    """Return an engine for ``sqlite:///FILE`` or ``postgresql://...``; nothing is opened yet.

    Raises:
        CasebookError: if the URL is of another kind.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    kind = parsed.get_backend_name() if parsed is not None else ""
    if parsed is None or kind not in ("sqlite", "postgresql", "postgres"):
        raise CasebookError("The casebook's URL: found another kind, expected sqlite:///FILE or postgresql://...")
    if kind != "sqlite":
        return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    if parsed.database in (None, "", ":memory:"):
        raise CasebookError("The casebook's URL: found SQLite in memory, expected a file, such as sqlite:///FILE.")
    return _sqlite_engine(parsed.set(drivername="sqlite+pysqlite"))


def create_file(engine: sa.Engine) -> None:
    """Make a database file that only this user may read, where there is none.

    Raises:
        CasebookError: if that cannot be; says what to do.
    """
    path = Path(str(engine.url.database))
    try:
        if path.is_dir():
            raise CasebookError(f"The casebook {path} is a folder. Name a file in the database's URL.")
        if not path.exists():  # a file that exists is left alone: closing it here would end SQLite's locks on it
            path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        pass  # another process was first
    except FileNotFoundError:
        folder = path.absolute().parent
        raise CasebookError(f"The casebook {path} has no folder. Create {folder}, or name another file.") from None
    except OSError as error:
        raise CasebookError(
            f"The casebook {path} cannot be created: {error.strerror}. Give this user the right, or name another file."
        ) from None


def name_of(url: sa.URL) -> str:
    """Return what messages call a database."""
    if url.get_backend_name() == "sqlite":
        return f"The casebook {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"The casebook {url.database or 'of the user'} on {host if isinstance(host, str) else ', '.join(host)}"


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},  # transactions begin below
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=LOCK_SECONDS,
    )

    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # what was answered survives a power cut
        connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")

    def begin(connection: sa.Connection) -> None:
        statement = connection.get_execution_options().get("begin", BEGIN_WRITE)
        if statement:
            connection.exec_driver_sql(statement)

    sa.event.listen(engine, "connect", configure)
    sa.event.listen(engine, "begin", begin)
    return engine


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": int(STATEMENT_SECONDS * 1000),  # a server that went without a word
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "application_name": "riskmodel",
        },
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=LOCK_SECONDS,
        isolation_level="READ COMMITTED",
    )

    def configure(connection: Any, _: object) -> None:
        settings = {
            "lock_timeout": int(LOCK_SECONDS * 1000),
            "statement_timeout": int(STATEMENT_SECONDS * 1000),
            "idle_in_transaction_session_timeout": int(STATEMENT_SECONDS * 1000),
        }
        for setting, value in settings.items():
            connection.execute(f"SET {setting} = {value}")
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET synchronous_commit = on")
        connection.commit()

    sa.event.listen(engine, "connect", configure)
    return engine
