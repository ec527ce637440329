"""A desk of reports a test, on SQLite and on a real PostgreSQL, as the other tests of casework have it."""

from collections.abc import Iterator

import pytest

from riskmodel.casebook import Casebook, open_casebook
from tests.riskmodel.casebook.made import Clock
from tests.riskmodel.casework.conftest import casebook, kept_url  # noqa: F401  fixtures
from tests.riskmodel.casework.incidents.made import Reports


@pytest.fixture
def reports(casebook: Casebook) -> Reports:  # noqa: F811  the fixture
    return Reports(casebook)


@pytest.fixture
def many(sqlite_url: str) -> Iterator[Reports]:
    """Return reports for tests that add many, whose queries are the same on both."""
    opened = open_casebook(sqlite_url, Clock())
    yield Reports(opened)
    opened.close()
