"""A desk of reports a test, on SQLite and on a real PostgreSQL, as the other tests of casework have it."""

import pytest

from riskmodel.casebook import Casebook
from tests.riskmodel.casework.conftest import casebook, kept_url  # noqa: F401  fixtures
from tests.riskmodel.casework.incidents.made import Reports


@pytest.fixture
def reports(casebook: Casebook) -> Reports:  # noqa: F811  the fixture
    return Reports(casebook)
