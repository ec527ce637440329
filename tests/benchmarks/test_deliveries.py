"""No delivery is lost though receivers fail half of the time and processes are killed."""

from pathlib import Path

import pytest

from benchmarks.deliveries import Amount, measure_deliveries

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of connections that the test's own receivers cut
def test_every_hand_off_arrives_and_none_is_said_to_be_sent_that_did_not(tiny_model: Path) -> None:
    found = measure_deliveries(tiny_model, Amount(handoffs=12, kills=2, seed=3, most_seconds=2.0))

    assert (found["decided_and_acknowledged"] >= 12, found["acknowledged_without_a_hand_off"]) == (True, 0)
    assert found["messages_by_state"] == {"sent": found["messages"]} and found["messages"] >= 16
    assert (found["lost"], found["said_to_be_sent_but_not_received"], found["received_that_nobody_sent"]) == (0, 0, 0)
    assert sum(found["killed"].values()) >= 2 and found["attempts"]["refused"] > 0
