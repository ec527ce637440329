"""Named work in, done again and again beside the service out; what fails is logged and counted, and has its next turn.

Several processes make the same rounds: work takes what it does in one transaction, so that no two do it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

STOP_SECONDS = 35.0  # for what is under way; longer than any attempt to send a message

log = structlog.get_logger()


class Listener(Protocol):
    """Who is told of rounds."""

    def round_made(self, name: str, *, failed: bool) -> None:
        """A round ended."""


@dataclass(frozen=True)
class Round:
    """Something that is done every so often.

    Attributes:
        name: for logs and metrics.
        seconds: from the end of one turn to the beginning of the next, so that it never overlaps itself.
        work: does it; called on a thread of its own.
        copies: threads that do it side by side.
        stop: asks work that is under way to end soon.
    """

    name: str
    seconds: float
    work: Callable[[], Any]
    copies: int = 1
    stop: Callable[[], None] = lambda: None


class Rounds:
    """Makes rounds until stopped.

    Args:
        rounds: what is done.
        listener: told of each turn.
    """

    def __init__(self, rounds: Sequence[Round], listener: Listener) -> None:
        self._rounds = rounds
        self._listener = listener
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(one,), name=f"riskmodel-{one.name}-{copy}", daemon=True)
            for one in rounds
            for copy in range(one.copies)
        ]

    def start(self) -> None:
        """Begin; return at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin no other turn, and wait for those under way; one that takes too long is left behind, with a warning."""
        self._ended.set()
        for one in self._rounds:
            one.stop()
        give_up = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            if thread.ident is None:  # never begun, as where another process makes the rounds
                continue
            thread.join(max(0.0, give_up - time.monotonic()))
            if thread.is_alive():
                log.warning("round did not end", thread=thread.name)

    def _run(self, one: Round) -> None:
        while True:
            failed = False
            try:
                one.work()
            except Exception:  # the border of the thread; the next turn may succeed
                failed = True
                log.error("round failed", round=one.name, exc_info=True)
            self._listener.round_made(one.name, failed=failed)
            if self._ended.wait(one.seconds):
                return
