"""Jobs in, outcomes out: a thread a core, each assessing one escalation at a time; requests take turns.

Escalations are not run through the encoder together: int8 activations are scaled by what they run with, so that an
answer would depend on its neighbours (docs/decisions/0005). What a batch would win, the lanes win by using all cores.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from riskmodel.errors import RiskmodelError
from riskmodel.model import Assessed
from riskmodel.records import Escalation
from riskmodel.service.errors import AssessmentError
from riskmodel.service.loading import LoadedModel
from riskmodel.service.tracing import NO_TRACE, Trace

# A text of more than this takes a lane for half a second; one lane is kept free of them, where there are two.
LONG_CHARACTERS = 4_000
STOP_SECONDS = 30.0

log = structlog.get_logger()


@dataclass(eq=False)
class Job:
    """One escalation for one model version; ``finish`` is called, from any thread, with what came of it."""

    loaded: LoadedModel
    escalation: Escalation
    now: datetime
    request_id: str | None
    finish: Callable[["Job", Assessed | RiskmodelError, float], None]
    trace: Trace = NO_TRACE
    abandoned: bool = False
    queued_ns: int = field(default_factory=time.time_ns)
    assessed_ns: int = 0

    @property
    def is_long(self) -> bool:
        """Whether the text takes its lane for long."""
        return len(self.escalation.text) > LONG_CHARACTERS


class Lanes:
    """A few threads that work off jobs, and are replaced if they die.

    Args:
        count: how many; as many as there are cores to use.
        on_death: called, on the thread that ends, when one died of something other than an escalation's fault.
    """

    def __init__(self, count: int, on_death: Callable[[], None] = lambda: None) -> None:
        self._count = count
        self._on_death = on_death
        self._changed = threading.Condition()
        self._requests: deque[deque[Job]] = deque()
        self._threads: dict[threading.Thread, Job | None] = {}
        self._since: dict[threading.Thread, float] = {}
        self._stopped = False

    def start(self) -> None:
        """Start every thread that is missing."""
        with self._changed:
            while not self._stopped and len(self._threads) < self._count:
                thread = threading.Thread(target=self._run, name="riskmodel-lane", daemon=True)
                self._threads[thread] = None
                thread.start()

    def stop(self) -> list[Job]:
        """Let what runs finish, end the threads, and return the jobs that were not begun."""
        with self._changed:
            self._stopped = True
            left = [job for request in self._requests for job in request]
            self._requests.clear()
            threads = list(self._threads)
            self._changed.notify_all()
        for thread in threads:
            thread.join(STOP_SECONDS)
        return left

    def put(self, jobs: Iterable[Job]) -> None:
        """Queue the jobs of one request; it takes turns with the other requests."""
        with self._changed:
            self._requests.append(deque(jobs))
            self._changed.notify(len(self._requests[-1]))

    @property
    def waiting(self) -> int:
        """Return how many jobs no thread has begun."""
        with self._changed:
            return sum(map(len, self._requests))

    @property
    def alive(self) -> int:
        """Return how many threads live."""
        with self._changed:
            return sum(thread.is_alive() for thread in self._threads)

    @property
    def longest_running(self) -> float:
        """Return for how many seconds the oldest job that is being assessed has been."""
        begun = list(self._since.values())
        return time.monotonic() - min(begun) if begun else 0.0

    def _run(self) -> None:
        thread = threading.current_thread()
        try:
            while (taken := self._take(thread)) is not None:
                self._assess(thread, *taken)
        except BaseException:
            log.critical("lane died", exc_info=True)
        finally:
            self._bury(thread)

    def _bury(self, thread: threading.Thread) -> None:
        with self._changed:
            job = self._threads.pop(thread, None)
            self._since.pop(thread, None)
            died = not self._stopped
            self.start()  # before anyone can see that one is missing
        if died:
            self._on_death()
        if job is not None:
            job.finish(job, AssessmentError(), 0.0)

    def _take(self, thread: threading.Thread) -> tuple[Job, bool] | None:
        """Return the next job, and whether others run beside it; None when it is time to end."""
        with self._changed:
            while True:
                if self._stopped:
                    return None
                job = self._next()
                if job is not None:
                    break
                self._changed.wait()
            crowded = any(self._requests) or any(self._threads.values())
            self._threads[thread] = job
            self._since[thread] = time.monotonic()
            return job, crowded

    def _next(self) -> Job | None:
        """Remove the next job of the request whose turn it is; long texts wait while as many run as may."""
        long_running = sum(job is not None and job.is_long for job in self._threads.values())
        may_be_long = long_running < max(1, self._count - 1)
        for at, request in enumerate(self._requests):
            while request and request[0].abandoned:
                request.popleft()
            if request and (may_be_long or not request[0].is_long):
                job = request.popleft()
                del self._requests[at]
                if request:
                    self._requests.append(request)
                return job
        self._requests = deque(request for request in self._requests if request)
        return None

    def _assess(self, thread: threading.Thread, job: Job, crowded: bool) -> None:
        began = time.perf_counter()
        outcome: Assessed | AssessmentError
        try:
            (outcome,) = job.loaded.model.assessed([job.escalation], job.now, crowded=crowded)
        except Exception:  # the border of the thread: what went wrong with one must not end it
            log.error("not assessed", request_id=job.request_id, exc_info=True)
            outcome = AssessmentError()
        with self._changed:
            self._threads[thread] = None
            self._since.pop(thread, None)
            if self._requests:  # a long text may have waited for this one
                self._changed.notify()
        job.finish(job, outcome, time.perf_counter() - began)
