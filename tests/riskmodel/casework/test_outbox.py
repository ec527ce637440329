"""The outbox: a message lives and dies with its transaction, is sent by one at a time, and is never lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from riskmodel.casebook import AuditEvent, Casebook, open_casebook
from riskmodel.casebook.tables import MESSAGES
from riskmodel.casework import Message, NewMessage, Outbox, Schedule, UnknownMessageError, put, withdraw
from riskmodel.casework.delivery import Ended, Leased
from riskmodel.errors import CasebookUnavailableError
from tests.riskmodel.casebook.made import NOON, make_rated
from tests.riskmodel.casework.made import NoJitter, after, message

SCHEDULE = Schedule(attempts=4, first_seconds=10, longest_seconds=60)
DELIVERED, FAILED = Ended("delivered", 200), Ended("refused", 500)


def put_in(casebook: Casebook, *messages: NewMessage) -> list[int]:
    return casebook.database.write(lambda connection: [put(connection, one, NOON) for one in messages])


@pytest.fixture
def outbox(casebook: Casebook) -> Outbox:
    return Outbox(casebook.database, SCHEDULE, NoJitter(), lease_seconds=30)


def taken(outbox: Outbox, seconds: float = 0) -> Leased:
    found = outbox.take(after(seconds))
    assert found is not None
    return found


def only(outbox: Outbox, subject: int = 1) -> Message:
    (found,) = outbox.of("handoff", subject)
    return found


def again(number: int, seconds: float) -> tuple[int, AuditEvent]:
    return number, AuditEvent(after(seconds), "carla", "k", "lead", "send again", f"message {number}", None)


def test_a_message_of_a_transaction_that_fails_is_never_sent(casebook: Casebook, outbox: Outbox) -> None:
    def fail(connection: sa.Connection) -> None:
        put(connection, message(), NOON)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        casebook.database.write(fail)

    assert outbox.take(NOON) is None and outbox.of("handoff", 1) == []


def test_what_was_delivered_is_recorded_and_what_it_said_is_not_kept(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message())
    found = taken(outbox, 1)
    assert found.payload == {"type": "handoff.opened", "data": {"number": 1, "text": "olá"}}

    outbox.end(found, DELIVERED, after(2))

    sent = only(outbox)
    assert (sent.state, sent.ended_at, sent.tries) == ("sent", after(2), 1)
    (attempt,) = sent.attempts
    assert (attempt.at, attempt.ended_at, attempt.outcome, attempt.status) == (after(1), after(2), "delivered", 200)
    payload = casebook.database.read(lambda connection: connection.execute(sa.select(MESSAGES.c.payload)).scalar())
    assert payload is None and outbox.take(after(99)) is None


def test_what_fails_is_tried_again_later_and_later_under_the_same_id_then_given_up(
    casebook: Casebook, outbox: Outbox
) -> None:
    put_in(casebook, message())
    ids, delays, at = set(), [], 0.0
    for _ in range(SCHEDULE.attempts):
        found = taken(outbox, at)
        ids.add(found.id)
        assert outbox.take(after(at)) is None
        outbox.end(found, FAILED, after(at))
        waits = only(outbox)
        if waits.state == "waiting":
            assert waits.is_failing
            delays.append((waits.due_at - after(at)).total_seconds())
            at += delays[-1]

    dead = only(outbox)
    assert delays == [10, 30, 60] and len(ids) == 1
    assert (dead.state, dead.ended_at, len(dead.attempts)) == ("dead", after(at), 4)
    assert {(attempt.outcome, attempt.status) for attempt in dead.attempts} == {("refused", 500)}
    assert outbox.dead() == [dead] and outbox.counts() == {"waiting": 0, "dead": 1}
    assert outbox.take(after(9_999)) is None


def test_the_shipped_schedule_makes_twelve_attempts_within_about_a_day() -> None:
    schedule = Schedule()
    delays = [schedule.delay(tries) for tries in range(1, schedule.attempts)]

    assert schedule.attempts == 12 and delays[:4] == [5, 15, 45, 135]
    assert 22 * 3_600 < sum(delays) < 24 * 3_600
    assert schedule.delay(10**6) == schedule.longest_seconds


def test_a_receiver_that_asks_to_be_left_alone_is_but_not_for_ever(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message())
    outbox.end(taken(outbox), Ended("refused", 503, retry_after=40), NOON)
    assert only(outbox).due_at == after(40)
    outbox.end(taken(outbox, 40), Ended("refused", 503, retry_after=1e9), after(40))
    assert only(outbox).due_at == after(100)


def test_what_is_refused_for_good_is_a_dead_letter_at_once(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message())
    outbox.end(taken(outbox), Ended("refused for good", 410), NOON)
    assert only(outbox).state == "dead"


def test_a_person_sends_a_dead_letter_again_and_the_trail_says_who(casebook: Casebook, outbox: Outbox) -> None:
    (number,) = put_in(casebook, message())
    first = taken(outbox)
    outbox.end(first, Ended("refused for good", 410), NOON)

    assert outbox.send_again(*again(number, 5)).state == "waiting"

    second = taken(outbox, 5)
    outbox.end(second, DELIVERED, after(6))
    assert second.id == first.id and second.payload == first.payload
    assert [attempt.outcome for attempt in only(outbox).attempts] == ["refused for good", "delivered"]
    event = casebook.trail.page()[0].event
    assert (event.actor, event.action) == ("carla", "send again")


@pytest.mark.parametrize("state", ["unknown", "waiting", "sent"])
def test_only_a_dead_letter_is_sent_again(casebook: Casebook, outbox: Outbox, state: str) -> None:
    (number,), before = put_in(casebook, message()), casebook.trail.page()
    if state == "sent":
        outbox.end(taken(outbox), DELIVERED, NOON)
    with pytest.raises(UnknownMessageError, match="no dead letter"):
        outbox.send_again(*again(number + (state == "unknown"), 5))
    assert casebook.trail.page() == before


def test_a_lease_that_ran_out_lets_another_try_and_the_cut_off_attempt_stays_visible(
    casebook: Casebook, outbox: Outbox
) -> None:
    put_in(casebook, message())
    taken(outbox)
    assert outbox.take(after(29)) is None

    second = taken(outbox, 30)
    outbox.end(second, DELIVERED, after(31))

    assert [(attempt.outcome, attempt.ended_at) for attempt in only(outbox).attempts] == [
        (None, None),
        ("delivered", after(31)),
    ]


def test_who_lost_the_lease_does_not_disturb_the_other_unless_it_was_delivered(
    casebook: Casebook, outbox: Outbox
) -> None:
    put_in(casebook, message())
    first, second = taken(outbox), taken(outbox, 30)
    outbox.end(first, FAILED, after(31))
    assert (only(outbox).state, outbox.take(after(31))) == ("waiting", None)

    outbox.end(first, DELIVERED, after(32))
    outbox.end(second, FAILED, after(33))

    assert only(outbox).state == "sent"


def test_a_message_whose_last_attempt_was_cut_off_becomes_a_dead_letter(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message())
    for attempt in range(SCHEDULE.attempts):
        taken(outbox, 30 * attempt)

    assert outbox.take(after(1_000)) is None
    assert only(outbox).state == "dead" and len(only(outbox).attempts) == SCHEDULE.attempts


def test_what_is_withdrawn_is_not_sent(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message(1), message(2))
    assert casebook.database.write(lambda connection: withdraw(connection, "handoff", 1, NOON)) == 1

    assert only(outbox).state == "withdrawn"
    assert [found.payload["data"]["number"] for found in iter(lambda: outbox.take(NOON), None)] == [2]


def test_what_is_most_due_goes_first_and_a_busy_destination_does_not_hold_up_the_others(
    casebook: Casebook, outbox: Outbox
) -> None:
    put_in(casebook, *(message(at) for at in range(4)), message(9, destination="abuse_response"))
    order = [found.payload["data"]["number"] for found in iter(lambda: outbox.take(NOON), None)]
    assert order == [0, 1, 9]


def test_a_message_goes_with_the_escalation_that_it_tells_of(casebook: Casebook, outbox: Outbox) -> None:
    casebook.keep([make_rated("a")])
    put_in(casebook, message(escalation=casebook.get("a").number), message(2))
    taken(outbox)
    casebook.forget(ids=["a"])

    assert outbox.of("handoff", 1) == [] and only(outbox, 2).state == "waiting"


def test_many_that_take_at_once_never_take_the_same(url: str) -> None:
    books = [open_casebook(url) for _ in range(2)]
    put_in(books[0], *(message(at, destination=f"team_{at}") for at in range(40)))
    boxes = [Outbox(book.database, SCHEDULE) for book in books]

    def take_all(outbox: Outbox) -> list[int]:
        numbers: list[int] = []
        while True:
            with suppress(CasebookUnavailableError):  # a busy machine; a round has its next turn
                found = outbox.take(NOON)
                if found is None:
                    return numbers
                numbers.append(found.number)

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for found in pool.map(take_all, boxes * 2) for number in found]
    for book in books:
        book.close()

    assert len(numbers) == len(set(numbers)) == 40


def test_nothing_that_a_message_says_stands_in_a_repr(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message())
    shown = repr([message(), taken(outbox), outbox.of("handoff", 1)])
    assert "olá" not in shown
