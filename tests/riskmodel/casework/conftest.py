"""A casebook a test, on SQLite and on a real PostgreSQL, whose one database is emptied before each test."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.policy import Policy, load_policy
from tests.riskmodel.casebook.conftest import (  # noqa: F401  fixtures
    fresh_database,
    postgresql,
    postgresql_url,
    sqlite_url,
    url,
)
from tests.riskmodel.casebook.made import Clock


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="session")
def kept_url(postgresql: Any) -> str:  # noqa: F811  the fixture
    """Return the URL of a PostgreSQL database that all tests share."""
    return fresh_database(postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def casebook(request: pytest.FixtureRequest) -> Iterator[Casebook]:
    is_sqlite = request.param == "sqlite"
    opened = open_casebook(str(request.getfixturevalue("sqlite_url" if is_sqlite else "kept_url")), Clock())
    opened.database.write(empty)
    yield opened
    opened.close()


def empty(connection: sa.Connection) -> None:
    """Delete all but the audit trail, which lets nobody."""
    for table in ("messages", "links", "escalations", "incidents", "campaigns", "positions"):
        connection.execute(sa.text(f"DELETE FROM {table}"))
