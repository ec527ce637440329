"""A casebook a test, on SQLite and on a real PostgreSQL, with two weeks of work in it."""

from collections.abc import Iterator

import pytest

from riskmodel.casebook import Casebook
from riskmodel.policy import Policy, load_policy
from tests.riskmodel.casebook.conftest import (  # noqa: F401  fixtures
    postgresql,
    postgresql_url,
    sqlite_url,
    url,
)
from tests.riskmodel.reports.insight.made import Weeks


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def weeks(url: str) -> Iterator[Weeks]:  # noqa: F811  the fixture
    made = Weeks(url)
    yield made
    made.casebook.close()


@pytest.fixture
def sqlite_weeks(sqlite_url: str) -> Iterator[Weeks]:  # noqa: F811  the fixture
    made = Weeks(sqlite_url)
    yield made
    made.casebook.close()


@pytest.fixture
def casebook(weeks: Weeks) -> Casebook:
    return weeks.casebook
