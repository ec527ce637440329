"""Work of many threads in, the same work in the order of arrival out, few at a time.

Without it a busy thread takes SQLite's lock, or a connection, again and again while another waits until it fails.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from riskmodel.casebook.database import Database, Result, Work
from riskmodel.errors import CasebookUnavailableError

SQLITE_PLACES = 1  # it has one writer
POSTGRESQL_PLACES = 5  # of the 15 connections of a process; the rest is for readers and for what comes in
WAIT_SECONDS = 5.0


class InTurn:
    """A database whose writers of this process take turns; readers need not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._free = SQLITE_PLACES if database.is_sqlite else POSTGRESQL_PLACES
        self._waiting: deque[threading.Event] = deque()

    def read(self, work: Work[Result]) -> Result:
        """Do work as the database does."""
        return self._database.read(work)

    def write(self, work: Work[Result]) -> Result:
        """Do work as the database does, when those who came earlier are done.

        Raises:
            CasebookUnavailableError: if they take too long, or the database does not answer; nothing was done.
        """
        with self._turn():
            return self._database.write(work)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                mine.set()
            else:
                self._waiting.append(mine)
        if not mine.wait(WAIT_SECONDS) and not self._came_late(mine):
            raise CasebookUnavailableError(f"{self._database.name} does not answer: too many wait for it.")
        try:
            yield
        finally:
            self._hand_on()

    def _came_late(self, mine: threading.Event) -> bool:
        """Leave the line; return True if the turn came in that very moment."""
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
            return True

    def _hand_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
