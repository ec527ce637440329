"""An outbox and its channels in, what is due sent; whatever an attempt comes to is recorded."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import structlog

from riskmodel.casework.delivery import Channel, Deliver, Ended, Leased
from riskmodel.casework.outbox import Outbox

log = structlog.get_logger()


class Listener(Protocol):
    """Who is told of attempts."""

    def attempted(self, channel: Channel, outcome: str) -> None:
        """An attempt ended."""


def _now() -> datetime:
    return datetime.now(UTC)


class Courier:
    """Sends what is due; several threads and processes may do so at once.

    Args:
        outbox: what is to be sent.
        channels: how.
        listener: told of every attempt.
        clock: says when.
    """

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[Channel, Deliver],
        listener: Listener,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._listener = listener
        self._clock = clock
        self._stopped = threading.Event()

    def send_due(self) -> int:
        """Make an attempt at everything that is due, until nothing is; return how many."""
        count = 0
        while not self._stopped.is_set() and (message := self._outbox.take(self._clock())) is not None:
            ended = self._attempt(message)
            self._outbox.end(message, ended, self._clock())
            self._listener.attempted(message.channel, ended.outcome)
            said = log.info if ended.outcome == "delivered" else log.warning
            said(
                "message",
                message=message.number,
                kind=message.kind,
                channel=message.channel,
                destination=message.destination if "@" not in message.destination else "an address",
                attempt=message.tries,
                outcome=ended.outcome,
                status=ended.status,
            )
            count += 1
        return count

    def stop(self) -> None:
        """Begin no other attempt."""
        self._stopped.set()

    def _attempt(self, message: Leased) -> Ended:
        try:
            return self._channels[message.channel](message)
        except Exception:  # a fault of ours must not stop the others; the message is tried again, then given up
            log.error("message not sent", message=message.number, exc_info=True)
            return Ended("fault")
