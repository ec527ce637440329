"""Escalations in, assessments out, computed on the one thread that owns the model; the event loop never waits."""

import asyncio
import contextvars
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Literal

import structlog

from riskmodel.errors import ArtifactError, FieldProblem, RiskmodelError
from riskmodel.model import RiskModel
from riskmodel.records import Assessment, Escalation
from riskmodel.service.errors import AssessmentError, NotReadyError
from riskmodel.service.loading import LoadedModel

# A batch is worked off in parts of at most this much (or one escalation): memory stays bounded (the states of 20,000
# tokens have 31 MB), other requests get their turn in between, and one whose client has gone stops there.
PART_CHARACTERS = 20_000
PART_ESCALATIONS = 32

State = Literal["loading", "ready", "failed", "stopped"]
Outcome = Assessment | AssessmentError

log = structlog.get_logger()


class Worker:
    """Owns one thread and the model on it.

    Args:
        load: makes the model; called on the thread.
        on_failure: called on the thread if the model cannot be made; ``failure`` then says why.
    """

    def __init__(self, load: Callable[[], LoadedModel], on_failure: Callable[[], None]) -> None:
        self._load = load
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="riskmodel-worker")
        self._loaded: LoadedModel | None = None
        self.state: State = "loading"
        self.failure: RiskmodelError | None = None

    def start(self) -> None:
        """Begin to load the model; return at once."""
        self._thread.submit(self._take_model)

    async def stop(self) -> None:
        """Finish what runs, refuse what waits, end the thread."""
        self.state = "stopped"
        await asyncio.to_thread(self._thread.shutdown)

    @property
    def loaded(self) -> LoadedModel:
        """Return the model.

        Raises:
            NotReadyError: if there is none yet, or none any more.
        """
        if self.state != "ready" or self._loaded is None:
            raise NotReadyError(FieldProblem("model", self.state, "ready"))
        return self._loaded

    async def assess(self, escalations: Sequence[Escalation]) -> list[Outcome]:
        """Assess escalations in order; one that fails has an error in its place. What waits can be cancelled.

        Raises:
            NotReadyError: if there is no model.
        """
        now = datetime.now(UTC).replace(microsecond=0)
        run = asyncio.get_running_loop().run_in_executor
        outcomes: list[Outcome] = []
        for part in parts(escalations):
            _ = self.loaded  # a thread that has ended takes no work
            outcomes += await run(self._thread, contextvars.copy_context().run, self._assess, part, now)
        return outcomes

    async def assess_one(self, escalation: Escalation) -> Assessment:
        """Assess one escalation.

        Raises:
            AssessmentError: if it fails.
            NotReadyError: if there is no model.
        """
        (outcome,) = await self.assess([escalation])
        if isinstance(outcome, AssessmentError):
            raise outcome
        return outcome

    def _take_model(self) -> None:
        try:
            self._loaded = self._load()
        except RiskmodelError as error:
            self.failure = error
        except Exception as error:  # the border of the thread; serve() raises it in the main one
            log.error("model not loaded", exc_info=True)
            self.failure = ArtifactError(f"The model cannot be loaded: {type(error).__name__}.")
        if self.state != "loading":
            return
        self.state = "ready" if self.failure is None else "failed"
        if self.failure is not None:
            self._on_failure()

    def _assess(self, escalations: Sequence[Escalation], now: datetime) -> list[Outcome]:
        return assess_each(self.loaded.model, escalations, now)


def assess_each(model: RiskModel, escalations: Sequence[Escalation], now: datetime) -> list[Outcome]:
    """Assess all at once; if that fails, one by one, so that the one at fault fails alone."""
    try:
        return [*model.assess(escalations, now)]
    except Exception:  # the border of the thread: what went wrong with one must not end it
        if len(escalations) == 1:
            log.error("not assessed", exc_info=True)
            return [AssessmentError()]
    return [outcome for escalation in escalations for outcome in assess_each(model, [escalation], now)]


def parts(escalations: Sequence[Escalation]) -> Iterator[list[Escalation]]:
    """Yield the escalations in parts of bounded size, in order."""
    part: list[Escalation] = []
    characters = 0
    for escalation in escalations:
        characters += len(escalation.text)
        if part and (characters > PART_CHARACTERS or len(part) == PART_ESCALATIONS):
            yield part
            part, characters = [], len(escalation.text)
        part.append(escalation)
    if part:
        yield part
