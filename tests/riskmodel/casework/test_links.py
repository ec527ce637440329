"""Links: each opens one thing, until it runs out or is taken back; the casebook cannot tell what it is."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casebook.tables import LINKS
from riskmodel.casework.links import UnknownLinkError, end_links, follow_link, make_link
from tests.riskmodel.casebook.made import NOON, make_rated

EVENING = NOON + timedelta(hours=6)


def make(casebook: Casebook, subject: int = 7, escalation: int | None = None) -> str:
    return casebook.database.write(
        lambda connection: make_link(connection, "handoff", subject, escalation, EVENING, NOON)
    )


def opens(casebook: Casebook, token: str, purpose: str = "handoff", hours: float = 0) -> int | None:
    at = NOON + timedelta(hours=hours)
    try:
        return casebook.database.read(lambda connection: follow_link(connection, purpose, token, at))
    except UnknownLinkError:
        return None


def test_a_link_opens_what_it_was_made_for_until_it_runs_out_whatever_its_case(casebook: Casebook) -> None:
    token = make(casebook)

    assert opens(casebook, token) == opens(casebook, token.upper()) == 7
    assert opens(casebook, token, hours=5.9) == 7 and opens(casebook, token, hours=6) is None
    assert opens(casebook, token, "question") is None


@pytest.mark.parametrize("token", ["", "a" * 32, "a" * 31, "á" * 32, "a" * 10_000, "\x00", "' OR 1=1 --"])
def test_what_is_no_token_opens_nothing(casebook: Casebook, token: str) -> None:
    make(casebook)
    assert opens(casebook, token) is None


def test_no_two_links_are_alike_and_no_token_is_kept(casebook: Casebook) -> None:
    tokens = {make(casebook) for _ in range(20)}
    rows = casebook.database.read(lambda connection: connection.execute(sa.select(LINKS)).all())

    assert len(tokens) == 20
    assert not any(token in repr(rows) or token.encode() in row.hash for token in tokens for row in rows)


def test_links_that_are_taken_back_open_nothing(casebook: Casebook) -> None:
    first, other = make(casebook), make(casebook, 8)
    assert casebook.database.write(lambda connection: end_links(connection, "handoff", 7)) == 1
    assert opens(casebook, first) is None and opens(casebook, other) == 8


def test_a_link_goes_with_its_escalation(casebook: Casebook) -> None:
    casebook.keep([make_rated("a")])
    token = make(casebook, escalation=casebook.get("a").number)
    casebook.forget(ids=["a"])
    assert opens(casebook, token) is None
