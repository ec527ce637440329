"""A desk a test, on SQLite and on a real PostgreSQL, with the fixtures of the casebook's tests."""

import random
from collections.abc import Iterator

import pytest

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.policy import Policy, load_policy
from riskmodel.review import Desk, Entering, ReviewSettings
from tests.riskmodel.casebook.conftest import (  # noqa: F401  fixtures
    postgresql,
    postgresql_url,
    sqlite_url,
    url,
)
from tests.riskmodel.casebook.made import NOON

SETTINGS = ReviewSettings(audit_share=0.5, second_opinion_share=0.0)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def casebook(url: str) -> Iterator[Casebook]:  # noqa: F811  the fixture
    opened = open_casebook(url, lambda: NOON, Entering(SETTINGS, random.Random(1)))
    yield opened
    opened.close()


@pytest.fixture
def desk(casebook: Casebook, policy: Policy) -> Desk:
    return Desk(casebook.database, policy, SETTINGS, random.Random(2))


@pytest.fixture
def second_desk(casebook: Casebook, policy: Policy) -> Desk:
    """Return a desk that asks for a second opinion on every case."""
    return Desk(casebook.database, policy, ReviewSettings(second_opinion_share=1.0), random.Random(3))
