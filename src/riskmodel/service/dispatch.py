"""Escalations as sent in, answers out: found in the casebook, or assessed on a lane and kept before anyone sees them.

find (one query for all that wait) → lanes (a core each) → keep (one transaction for all that are ready) → answer
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import ceil

from riskmodel.casebook import Casebook, Conflict, Found, Rated, Sent, packed
from riskmodel.errors import FieldProblem, RiskmodelError
from riskmodel.model import Assessed, new_id
from riskmodel.service.errors import (
    STOPPING,
    AssessmentError,
    BusyError,
    ConflictError,
    DeadlineError,
    NotReadyError,
    is_worth_a_retry,
)
from riskmodel.service.following import Models
from riskmodel.service.grouping import Grouped, settle
from riskmodel.service.lanes import Job, Lanes
from riskmodel.service.loading import LoadedModel
from riskmodel.service.metrics import Metrics
from riskmodel.service.tracing import current_trace

MOST_AT_ONCE = 64  # escalations in one transaction or query
STUCK_SECONDS = 60.0  # the longest legal text takes four
PACE_MEMORY = 0.95  # of the moving average of seconds a character
OVERHEAD_CHARACTERS = 100  # what an escalation costs beside its text, in characters
FIRST_PACE = 5e-5  # seconds a character on one core, until measured
WAITING_SHARE = 0.5  # of the deadline that may be spent waiting; the rest is for longer texts than reckoned with


@dataclass(frozen=True)
class Answer:
    """What a client gets: the assessment as JSON, the version that gave it, whether it was kept from an earlier try."""

    document: str
    model_version: str
    repeated: bool


Outcome = Answer | RiskmodelError


class Dispatcher:
    """Owns the lanes and the two threads that speak with the casebook; used from the event loop only.

    Args:
        models: gives the version that answers.
        casebook: where everything is kept.
        metrics: what is counted.
        threads: lanes; 0 for one a core.
        most_waiting: escalations under way from which on no request is let in.
        deadline_seconds: how long a request may take.
    """

    def __init__(
        self,
        models: Models,
        casebook: Casebook,
        metrics: Metrics,
        *,
        threads: int,
        most_waiting: int,
        deadline_seconds: float,
    ) -> None:
        self._models = models
        self._casebook = casebook
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._deadline_seconds = deadline_seconds
        self._lane_count = threads or os.cpu_count() or 1
        self._lanes = Lanes(self._lane_count, on_death=metrics.worker_restarted)
        metrics.queue(lambda: self._lanes.waiting, lambda: self._under_way)
        self._finder: Grouped[Sent, Found | Conflict | None] = Grouped(casebook.find, MOST_AT_ONCE, "finder")
        self._keeper: Grouped[Rated, Found | Conflict] = Grouped(
            self._keep, MOST_AT_ONCE, "keeper", is_busy=lambda: self._lanes.waiting > self._lane_count
        )
        self._under_way = 0
        self._characters = 0
        self._pace = FIRST_PACE

    def start(self) -> None:
        """Start all threads."""
        self._finder.start()
        self._keeper.start()
        self._lanes.start()

    def stop(self) -> None:
        """Finish what runs, refuse what waits, end all threads; blocks."""
        for job in self._lanes.stop():
            job.finish(job, NotReadyError(STOPPING), 0.0)
        self._keeper.stop()
        self._finder.stop()

    def check_ready(self) -> None:
        """Check that escalations are assessed.

        Raises:
            NotReadyError: if the model is not loaded, or a thread is dead or stuck.
        """
        self._models.current()
        if self._lanes.alive < self._lane_count or not (self._finder.alive and self._keeper.alive):
            raise NotReadyError(FieldProblem("worker", "a thread that has ended", "every thread alive"))
        if self._lanes.longest_running > STUCK_SECONDS:
            raise NotReadyError(FieldProblem("worker", "a thread that is stuck", "an answer within a minute"))

    def check_room(self) -> None:
        """Check that one more would be answered in time.

        A batch gets in where there is room for one: single requests would keep it out for as long as they keep the
        queue half full. Its escalations take turns with the others, so nobody waits for all of it.

        Raises:
            BusyError: if not, with the seconds after which it is worth another try.
        """
        wait = self._characters * self._pace / self._lane_count
        if self._under_way >= self._most_waiting or wait > self._deadline_seconds * WAITING_SHARE:
            raise BusyError(max(1, ceil(wait)))

    async def rate(self, sent: Sequence[Sent], pinned: str | None = None) -> list[Outcome]:
        """Answer escalations in order; one that fails, or is not ready by the deadline, has its error in its place.

        Args:
            sent: the escalations of one request.
            pinned: the model version that must answer; the current one if None.

        Raises:
            BusyError, VersionError: for all of them.
            DeadlineError, NotReadyError, CasebookUnavailableError: if none was answered.
        """
        current_trace().note(escalations=len(sent))
        loaded = self._models.current(pinned)
        self.check_ready()
        self.check_room()
        now = datetime.now(UTC).replace(microsecond=0)
        kept: list[asyncio.Future[Found | Conflict]] = []
        try:
            async with asyncio.timeout(self._deadline_seconds):
                known = await self._find(sent)
                new = [one for one, found in zip(sent, known, strict=True) if found is None]
                if new:  # others were let in while the casebook was asked
                    self.check_room()
                jobs = [self._job(one, loaded, now) for one in new]
                kept = [future for _, future in jobs]
                self._lanes.put([job for job, _ in jobs])
                await asyncio.wait(kept) if kept else None
        except TimeoutError:
            if not kept:  # the casebook was still being asked
                raise self._late() from None
        finally:
            for future in kept:
                future.cancel()  # of a client that has gone, or too late; the others are done
        fresh = iter(kept)
        return _unless_none_answered(
            [_outcome(found, repeated=True) if found else self._result(next(fresh)) for found in known]
        )

    async def _find(self, sent: Sequence[Sent]) -> list[Found | Conflict | None]:
        """Return what is kept already; nothing of what carries neither an id nor a key can be."""
        futures = {
            at: asyncio.get_running_loop().create_future()
            for at, one in enumerate(sent)
            if one.escalation.id is not None or one.idempotency_key is not None
        }
        for at, future in futures.items():
            self._finder.submit(sent[at], future)
        found = await asyncio.gather(*futures.values())
        by_position = dict(zip(futures, found, strict=True))
        return [by_position.get(at) for at in range(len(sent))]

    def _job(self, sent: Sent, loaded: LoadedModel, now: datetime) -> tuple[Job, "asyncio.Future[Found | Conflict]"]:
        """Return work for a lane, and what will be kept of it."""
        future: asyncio.Future[Found | Conflict] = asyncio.get_running_loop().create_future()
        escalation = sent.escalation
        if escalation.id is None:
            escalation = escalation.model_copy(update={"id": new_id()})
        job = Job(loaded, escalation, now, sent.request_id, partial(self._finish, sent, future), current_trace())
        weight = len(escalation.text) + OVERHEAD_CHARACTERS
        self._under_way += 1
        self._characters += weight

        def release(done: "asyncio.Future[Found | Conflict]") -> None:
            job.abandoned = done.cancelled()
            if job.assessed_ns and not job.abandoned:
                job.trace.add("keep", job.assessed_ns, time.time_ns())
            self._under_way -= 1
            self._characters -= weight

        future.add_done_callback(release)
        return job, future

    def _finish(
        self,
        sent: Sent,
        future: "asyncio.Future[Found | Conflict]",
        job: Job,
        outcome: Assessed | RiskmodelError,
        seconds: float,
    ) -> None:
        """Send what a lane made on to the keeper; called on the lane's thread."""
        if isinstance(outcome, RiskmodelError):
            settle([(future, outcome)])
            return
        pace = seconds / (len(job.escalation.text) + OVERHEAD_CHARACTERS)
        self._pace = PACE_MEMORY * self._pace + (1 - PACE_MEMORY) * pace
        assessment = outcome.assessment
        self._metrics.assessed(assessment, seconds)
        job.assessed_ns = time.time_ns()
        begun_ns = job.assessed_ns - int(seconds * 1e9)
        job.trace.add("queue", job.queued_ns, begun_ns)
        job.trace.add("assess", begun_ns, job.assessed_ns, characters=len(job.escalation.text))
        if job.abandoned:  # nobody was answered, so nothing is kept
            return
        document = assessment.model_dump_json(by_alias=True)
        received_at = job.escalation.received_at or job.now
        rated = Rated(sent, assessment, document, received_at, assessed_at=job.now, vector=packed(outcome.vector))
        self._keeper.submit(rated, future)

    def _keep(self, rated: list[Rated]) -> list[Found | Conflict]:
        """Keep escalations in one transaction; called on the keeper's thread."""
        began = time.perf_counter()
        kept = self._casebook.keep(rated)
        self._metrics.committed(len(rated), time.perf_counter() - began)
        return kept

    def _result(self, kept: "asyncio.Future[Found | Conflict]") -> Outcome:
        """Return what became of an escalation; one that was given up at the deadline was late."""
        if kept.cancelled():
            return self._late()
        error = kept.exception()
        if error is None:
            return _outcome(kept.result(), repeated=False)
        return error if isinstance(error, RiskmodelError) else AssessmentError()

    def _late(self) -> DeadlineError:
        return DeadlineError(FieldProblem("request", "no answer in time", f"{self._deadline_seconds:g} s"))


def _unless_none_answered(outcomes: list[Outcome]) -> list[Outcome]:
    """Return the outcomes of a request; where there is no answer among them, raise the first that is worth a retry."""
    if not any(isinstance(outcome, Answer) for outcome in outcomes):
        for outcome in outcomes:
            if isinstance(outcome, RiskmodelError) and is_worth_a_retry(outcome):
                raise outcome
    return outcomes


def _outcome(found: Found | Conflict, *, repeated: bool) -> Outcome:
    if isinstance(found, Conflict):
        return ConflictError(FieldProblem(found.field, "one that another escalation was sent under", "a fresh one"))
    return Answer(found.document, found.model_version, repeated)
