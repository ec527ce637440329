"""Reminders come when they are due, each once, and what is late is raised to the lead."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.casework import Contacts, Deadlines, NewAnswer
from riskmodel.casework.deadlines import wake
from riskmodel.casework.due import REVIEW
from riskmodel.policy import Policy
from riskmodel.review import Desk, Filters
from tests.riskmodel.casebook.made import NOON, TEXT
from tests.riskmodel.casework.asking import OUTSIDE, asked, asking, desk_file, event, keep_case, sent
from tests.riskmodel.casework.test_questions import NEVER_TWICE, token_in
from tests.riskmodel.review.made import answer as verdict


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def deadlines(casebook: Casebook, policy: Policy, contacts: Contacts | None = None) -> Deadlines:
    return Deadlines(casebook.database, policy, contacts or desk_file())


def told(casebook: Casebook, policy: Policy, escalation: int) -> list[tuple[float, str, str]]:
    """Return the reminders about an escalation, the oldest first."""
    found = deadlines(casebook, policy).of(escalation)
    return [(one.share, one.rank, one.destination) for one in reversed(found)]


def test_a_review_is_reminded_of_as_its_time_runs_out_and_raised_to_the_lead_when_it_is_over(
    casebook: Casebook, policy: Policy
) -> None:
    number = keep_case(casebook, hours=10)
    desk = deadlines(casebook, policy)

    counts = {hours: desk.remind(at(hours)) for hours in (0, 4.9, 5, 5.1, 7.9, 8, 9.9, 10, 10.1, 15, 99)}

    assert [hours for hours, count in counts.items() if count] == [5, 8, 10, 15]
    assert told(casebook, policy, number) == [
        (0.5, "team", "desk"),
        (0.8, "team", "desk"),
        (1.0, "lead", "desk"),
        (1.5, "lead", "desk"),
    ]
    messages = sent(casebook, at(100))
    assert [(message.kind, message.destination) for message in messages] == [
        ("reminder", "desk"),
        ("reminder", "desk"),
        ("reminder", "desk"),
        ("reminder", "lead@example.org"),
        ("reminder", "desk"),
        ("reminder", "lead@example.org"),
    ]
    assert "case-1, rated high: 5 h 00 min left" in messages[0].payload["text"]
    assert "late by 0 min" in messages[3].payload["text"]
    assert "as its lead" in messages[3].payload["text"]
    assert not any(TEXT in str(message.payload) for message in messages)
    raised = [entry.event for entry in casebook.trail.page() if entry.event.action == "raise to lead"]
    assert f"of escalation {number}" in raised[0].subject


def test_whatever_processes_make_the_rounds_and_however_often_each_reminder_is_made_once(
    casebook: Casebook, policy: Policy
) -> None:
    for number in range(12):
        keep_case(casebook, f"case-{number}", hours=10)

    with ThreadPoolExecutor(4) as pool:
        for hours in (5.0, 8.0):
            made = list(pool.map(lambda _, now=hours: deadlines(casebook, policy).remind(at(now)), range(4)))
            assert sum(made) == 12
    assert deadlines(casebook, policy).remind(at(8)) == 0


@pytest.mark.parametrize("years", [-1_900, 7_900])
def test_a_deadline_in_another_age_stops_no_other_reminder(casebook: Casebook, policy: Policy, years: int) -> None:
    """A client says when an escalation came in; a moment of half as much again must not leave the calendar."""
    keep_case(casebook, "strange", hours=years * 8_766)
    number = keep_case(casebook, "ordinary", hours=10)
    began = time.monotonic()

    deadlines(casebook, policy).remind(at(5))

    assert told(casebook, policy, number) == [(0.5, "team", "desk")]
    assert time.monotonic() - began < 5


def test_after_a_long_stop_only_the_last_reminder_is_made(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=10)

    assert deadlines(casebook, policy).remind(at(11)) == 1

    assert told(casebook, policy, number) == [(1.0, "lead", "desk")]


def test_what_one_place_is_told_at_once_is_one_message(casebook: Casebook, policy: Policy) -> None:
    for number in range(60):
        keep_case(casebook, f"case-{number}", hours=10)

    assert deadlines(casebook, policy).remind(at(5)) == 60

    (message,) = sent(casebook, at(6))
    assert message.payload["subject"] == "60 due: the review desk"
    assert "and 10 more" in message.payload["text"]
    assert message.payload["text"].count("- review") == 50


def test_what_was_decided_in_time_is_never_reminded_of(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=10)
    deadlines(casebook, policy).remind(at(1))
    desk = Desk(casebook.database, policy, NEVER_TWICE)
    (item,) = desk.queue.page(Filters(), None, 10, NOON).items
    given = desk.verdicts.decide(verdict(item), at(2))

    assert deadlines(casebook, policy).remind(at(9)) == 0
    desk.verdicts.undo(given.number, "ana", at(9))

    assert deadlines(casebook, policy).remind(at(9)) == 1
    assert told(casebook, policy, number) == [(0.8, "team", "desk")]


def test_a_deadline_that_moves_is_reminded_of_anew(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=10)
    deadlines(casebook, policy).remind(at(5))

    def sooner(connection: sa.Connection) -> None:
        connection.execute(sa.text("UPDATE reviews SET act_by = queued_at"))
        wake(connection, REVIEW, list(connection.execute(sa.text("SELECT number FROM reviews")).scalars()), at(6))

    casebook.database.write(sooner)
    deadlines(casebook, policy).remind(at(6))

    assert told(casebook, policy, number) == [(0.5, "team", "desk"), (1.5, "lead", "desk")]


def test_the_time_of_a_team_that_does_not_work_at_night_runs_by_day(casebook: Casebook, policy: Policy) -> None:
    # NOON is a Sunday. 24 hours of a team that works in New York from 08:00 to 20:00 end on Tuesday evening there.
    due = policy.act_by("medium", NOON, "legal_operations")
    categories = [{"name": "intellectual_property", "probability": 0.9, "dsa": None}]
    number = keep_case(
        casebook, market="MX", rating="medium", act_by=due, team="legal_operations", categories=categories
    )
    desk = deadlines(casebook, policy)

    assert [desk.remind(at(hours)) for hours in (0, 24, 36.9, 37.1)] == [0, 0, 0, 1]
    assert told(casebook, policy, number) == [(0.5, "team", "desk")]


def test_a_question_is_asked_again_by_a_link_of_its_own_and_the_desks_lead_is_told_when_it_is_late(
    casebook: Casebook, policy: Policy
) -> None:
    questions = asking(casebook)
    questions.ask(asked(keep_case(casebook, hours=999), hours=10), event())
    (first,) = sent(casebook)

    for hours in (5, 8, 10):
        deadlines(casebook, policy).remind(at(hours))

    *reminded, late_desk, late_lead = sent(casebook, at(11))
    assert [message.destination for message in reminded] == [OUTSIDE, OUTSIDE, OUTSIDE]
    assert (late_desk.destination, late_lead.destination) == ("desk", "lead@example.org")
    tokens = {token_in(message.payload) for message in [first, *reminded]}
    assert len(tokens) == 4
    assert reminded[0].payload["subject"].startswith("Lembrete: pergunta")
    assert "pergunta" not in late_lead.payload["text"]
    assert "question" in late_lead.payload["text"]
    for token in tokens:
        questions.answer(token, NewAnswer("email", f"Yes, by {token}.", OUTSIDE), at(12))
    assert deadlines(casebook, policy).remind(at(99)) == 0


def test_who_cannot_be_reached_is_reminded_on_the_pages(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=10)

    assert deadlines(casebook, policy, Contacts()).remind(at(10)) == 1

    (kept,) = deadlines(casebook, policy).of(number)
    assert (kept.rank, kept.batch) == ("lead", None)
    assert sent(casebook, at(11)) == []


def test_a_new_process_goes_on_where_the_last_one_stopped(policy: Policy, sqlite_url: str) -> None:
    first = open_casebook(sqlite_url, lambda: NOON)
    number = keep_case(first, hours=10)
    deadlines(first, policy).remind(at(5))
    first.close()

    second = open_casebook(sqlite_url, lambda: NOON)
    assert [deadlines(second, policy).remind(at(hours)) for hours in (5, 8)] == [0, 1]
    assert told(second, policy, number) == [(0.5, "team", "desk"), (0.8, "team", "desk")]
    second.close()
