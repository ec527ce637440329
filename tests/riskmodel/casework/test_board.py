"""The board counts what is due where, and foretells only what it has seen enough of."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casebook.tables import HANDOFFS
from riskmodel.casework import Boards, Deadlines, Place
from riskmodel.casework.board import OUTSIDE, Counts
from riskmodel.policy import Policy
from riskmodel.review import Desk, Filters
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.asking import asked, asking, desk_file, event, keep_case
from tests.riskmodel.casework.test_questions import NEVER_TWICE
from tests.riskmodel.review.made import answer as verdict


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def places(casebook: Casebook, policy: Policy, now: datetime = NOON) -> dict[str, Place]:
    return {place.name: place for place in Boards(casebook.database, policy).now(now).places}


def hand_off(casebook: Casebook, escalation: int, team: str, opened_at: datetime, **changes: object) -> None:
    """Put a hand-off there as it stands in the table."""

    def work(connection: sa.Connection) -> None:
        assessment = connection.execute(
            sa.text("SELECT number FROM assessments WHERE escalation = :number"), {"number": escalation}
        ).scalar_one()
        given = {
            "escalation": escalation,
            "assessment": assessment,
            "team": team,
            "rating": "high",
            "category": "violence",
            "language": "pt",
            "opened_at": opened_at,
            "act_by": opened_at + timedelta(hours=4),
            "state": "open",
            "version": 1,
            "document": "{}",
        }
        connection.execute(sa.insert(HANDOFFS).values(**(given | changes)))

    casebook.database.write(work)


def test_what_is_open_is_counted_by_when_it_is_due(casebook: Casebook, policy: Policy) -> None:
    for id_, hours in (("late", -1.0), ("now", 0.0), ("soon", 0.5), ("today", 3.0), ("tomorrow", 30.0)):
        number = keep_case(casebook, id_, hours=hours)
    hand_off(casebook, number, "crisis_response", at(-3.5))
    questions = asking(casebook)
    questions.ask(asked(number, hours=2), event(at=at(-1)))
    questions.ask(asked(number, "fraud_operations", hours=9), event(at=at(-1)))

    found = places(casebook, policy)

    assert found["desk"].work == Counts(5, 1, 2, 2, NOON)
    assert found["crisis_response"].work == Counts(1, 1, 1, 0, at(-3.5))
    assert found["fraud_operations"].questions == Counts(1, 0, 0, 0, at(-1))
    assert found[OUTSIDE].questions == Counts(1, 0, 1, 0, at(-1))
    assert set(found) == {"desk", OUTSIDE, *policy.teams}
    assert list(found)[:3] == ["desk", "crisis_response", "fraud_operations"]


def test_samples_that_nobody_waits_for_are_not_counted(casebook: Casebook, policy: Policy) -> None:
    keep_case(casebook, hours=-1)
    casebook.database.write(lambda connection: connection.execute(sa.text("UPDATE reviews SET purpose = 'golden'")))

    assert places(casebook, policy)["desk"].work == Counts()


def test_reminders_of_the_last_day_are_counted_and_the_newest_shown(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=10)
    for hours in (5, 8, 10):
        Deadlines(casebook.database, policy, desk_file()).remind(at(hours))

    board = Boards(casebook.database, policy).now(at(11))

    assert [(place.reminded, place.raised) for place in board.places if place.name == "desk"] == [(3, 1)]
    assert [(one.escalation, one.rank) for one in board.reminders] == [
        (number, "lead"),
        (number, "team"),
        (number, "team"),
    ]
    assert Boards(casebook.database, policy).now(at(36)).reminders == ()


def test_nothing_is_foretold_of_a_place_that_did_too_little(casebook: Casebook, policy: Policy) -> None:
    keep_case(casebook)

    assert [place.forecast for place in places(casebook, policy).values()] == [None] * (len(policy.teams) + 1)


@pytest.mark.parametrize(("backlog", "is_late"), [(2, False), (40, True)])
def test_what_a_team_cannot_do_in_time_at_its_pace_is_foretold(
    casebook: Casebook, policy: Policy, backlog: int, is_late: bool
) -> None:
    number = keep_case(casebook)
    # One an hour came, and each took half an hour; now some wait, each due within four hours of when it came.
    for hour in range(60):
        then = at(hour - 60.5)
        done = {"state": "mitigated", "ended_at": then + timedelta(minutes=30)}
        hand_off(casebook, number, "abuse_response", then, **done)
    for _ in range(backlog):
        others = keep_case(casebook, f"case-{_}-{backlog}")
        hand_off(casebook, others, "abuse_response", at(-0.1))

    found = places(casebook, policy)["abuse_response"].forecast

    assert found is not None
    assert found.hours_each == pytest.approx(0.5)
    assert (found.low > 0, found.high > 0) == (is_late, is_late)
    if is_late:  # eight are done in four hours
        assert found.low <= backlog - 8 <= found.high


def test_the_desk_is_foretold_from_verdicts(casebook: Casebook, policy: Policy) -> None:
    desk = Desk(casebook.database, policy, NEVER_TWICE)
    for number in range(30):
        keep_case(casebook, f"case-{number}", hours=100)
    for minute, item in enumerate(desk.queue.page(Filters(), None, 30, NOON).items):
        desk.verdicts.decide(verdict(item, "ana"), NOON + timedelta(minutes=10 * (minute + 1)))

    found = places(casebook, policy, at(5.1))["desk"].forecast

    assert found is not None
    assert found.hours_each == pytest.approx(1 / 6)
    assert (found.low, found.likely, found.high) == (0, 0, 0)
