"""Items from any thread in, their results out: what has gathered meanwhile is worked off together on one thread."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog

from riskmodel.errors import CasebookUnavailableError
from riskmodel.service.errors import NotReadyError

Item = TypeVar("Item")
Result = TypeVar("Result")

STOP_SECONDS = 10.0
# When busy: a transaction of one row costs three times a row's share of one of four, in time of the cores.
LINGER_SECONDS, ENOUGH = 0.05, 8

log = structlog.get_logger()


class Grouped(Generic[Item, Result]):
    """One thread that does a piece of work for all items that wait, as one transaction for many rows.

    Where the work fails for several, it is done for each by itself, so that the one at fault fails alone; unless the
    database does not answer, which is nobody's fault: then all that wait are told so.

    Args:
        work: items in, as many results out, in order.
        most: how many items are taken at once.
        name: of the thread.
        is_busy: whether more will come soon, so that it pays to wait a little for a group; nothing waits otherwise.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Sequence[Result]],
        most: int,
        name: str,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._work = work
        self._most = most
        self._name = name
        self._is_busy = is_busy
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=f"riskmodel-{self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work off what waits, then end the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    @property
    def alive(self) -> bool:
        """Return whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def submit(self, item: Item, future: "asyncio.Future[Result]") -> None:
        """Queue an item, from any thread; its result is set on the future's own loop."""
        with self._changed:
            self._waiting.append((item, future))
            self._changed.notify()

    def _run(self) -> None:
        group: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while group := self._take():
                results = self._results([item for item, _ in group])
                if isinstance(results[-1], CasebookUnavailableError):  # who came meanwhile would wait as long again
                    with self._changed:
                        group += self._waiting
                        self._waiting.clear()
                    results += [results[-1]] * (len(group) - len(results))
                settle(zip([future for _, future in group], results, strict=True))
        except BaseException:
            log.critical("thread died", thread=self._name, exc_info=True)
        finally:
            if not self._stopped:
                self.start()
            settle((future, NotReadyError()) for _, future in group)

    def _take(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if not self._stopped and self._is_busy():
                self._changed.wait_for(lambda: self._stopped or len(self._waiting) >= ENOUGH, LINGER_SECONDS)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _results(self, items: list[Item]) -> list[Result | Exception]:
        try:
            return list(self._work(items))
        except CasebookUnavailableError as error:
            return [error] * len(items)
        except Exception as error:  # the border of the thread
            if len(items) == 1:
                log.error("failed", thread=self._name, exc_info=True)
                return [error]
        return [result for item in items for result in self._results([item])]


def settle(results: Iterable[tuple["asyncio.Future[Result]", Result | Exception]]) -> None:
    """Set results or errors on futures of one loop, from any thread, waking the loop once."""
    pairs = list(results)
    if pairs:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            pairs[0][0].get_loop().call_soon_threadsafe(_set, pairs)


def _set(pairs: list[tuple["asyncio.Future[Result]", Result | Exception]]) -> None:
    for future, result in pairs:
        if future.done():  # cancelled: its client has gone
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
