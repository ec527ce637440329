"""The courier: whatever happens to an attempt is recorded, told and logged, without a word of what was sent."""

import json
from typing import Any

import pytest
import structlog

from riskmodel.casebook import Casebook
from riskmodel.casework import Courier, Outbox, Schedule, Webhooks
from riskmodel.casework.delivery import Ended, Leased
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.made import NoJitter, Told, contacts, message
from tests.riskmodel.casework.receiver import receiving, status
from tests.riskmodel.casework.test_outbox import put_in


def courier(outbox: Outbox, told: Told, webhook: Any) -> Courier:
    return Courier(outbox, {"webhook": webhook}, told, lambda: NOON)


@pytest.fixture
def outbox(casebook: Casebook) -> Outbox:
    return Outbox(casebook.database, Schedule(attempts=2), NoJitter())


def test_all_that_is_due_is_sent_and_told(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, *(message(at) for at in range(5)))
    told = Told()
    with receiving(status(200)) as receiver, structlog.testing.capture_logs() as lines:
        assert courier(outbox, told, Webhooks(contacts(receiver.url))).send_due() == 5

    assert [json.loads(one.body)["data"]["number"] for one in receiver.received] == [0, 1, 2, 3, 4]
    assert told.attempts == [("webhook", "delivered")] * 5
    assert {outbox.of("handoff", at)[0].state for at in range(5)} == {"sent"}
    assert lines[0]["outcome"] == "delivered" and lines[0]["status"] == 200 and "olá" not in repr(lines)


def test_a_fault_of_a_channel_is_an_attempt_that_failed_and_stops_no_other(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message(1), message(2))

    def broken(found: Leased) -> Ended:
        if found.payload["data"]["number"] == 1:
            raise ValueError("olá")
        return Ended("delivered", 200)

    told = Told()
    assert courier(outbox, told, broken).send_due() == 2

    assert [outbox.of("handoff", at)[0].state for at in (1, 2)] == ["waiting", "sent"]
    assert told.attempts == [("webhook", "fault"), ("webhook", "delivered")]


def test_an_outside_address_is_not_logged(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message(destination="someone@example.org"))
    with structlog.testing.capture_logs() as lines:
        courier(outbox, Told(), lambda _: Ended("no address")).send_due()

    assert lines[0]["destination"] == "an address" and "someone" not in repr(lines)


def test_stopped_it_begins_no_other_attempt(casebook: Casebook, outbox: Outbox) -> None:
    put_in(casebook, message(1), message(2))
    told = Told()

    def stop_then_deliver(_: Leased) -> Ended:
        sender.stop()
        return Ended("delivered", 200)

    sender = courier(outbox, told, stop_then_deliver)
    assert sender.send_due() == 1
    assert outbox.counts() == {"waiting": 1, "dead": 0}
