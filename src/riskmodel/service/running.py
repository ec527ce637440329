"""Settings in; the parts of a running service out, each started in its order and stopped in the other."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from fastapi import Request
from threadpoolctl import threadpool_limits

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.casework import Again, Automatic, Boards, Contacts, Deadlines, Handoffs, Outbox, Questions
from riskmodel.casework.incidents import Editing, Incidents, KeptSpaces
from riskmodel.errors import CasebookUnavailableError, FieldProblem, RiskmodelError
from riskmodel.policy import load_policy
from riskmodel.review import Desk, Entering, ReviewSettings
from riskmodel.service import loading
from riskmodel.service.dispatch import Dispatcher
from riskmodel.service.errors import NotReadyError
from riskmodel.service.following import Models
from riskmodel.service.metrics import Metrics
from riskmodel.service.rounds import Rounds
from riskmodel.service.security import Door
from riskmodel.service.settings import Settings, read_contacts
from riskmodel.service.sources import open_source
from riskmodel.service.work import make_outbox, make_rounds

OPEN_AGAIN_SECONDS = 1.0  # between two tries to reach a database that does not answer yet
ONE_SECRET = "the same RISKMODEL_SESSION_SECRET for all processes of the database"
SPACE_SECONDS = 2.0  # between two looks for a model version whose vectors others must learn to compare

Made = TypeVar("Made")

log = structlog.get_logger()


@dataclass(frozen=True)
class Parts:
    """What needs the casebook."""

    casebook: Casebook
    dispatcher: Dispatcher
    door: Door
    desk: Desk
    contacts: Contacts
    handoffs: Handoffs
    questions: Questions
    again: Again
    deadlines: Deadlines
    boards: Boards
    incidents: Incidents
    editing: Editing
    outbox: Outbox
    rounds: Rounds


class Running:
    """What requests are answered with. Model and casebook come up side by side, while ``/health/live`` answers.

    Args:
        settings: of the service.
        metrics: what is counted.
        on_failure: called if the model or the casebook cannot be had at all; ``failure`` then says why.
    """

    def __init__(self, settings: Settings, metrics: Metrics, on_failure: Callable[[], None]) -> None:
        self._settings = settings
        self._on_failure = on_failure
        self._review = ReviewSettings()
        self._parts: Parts | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._casebook_failure: RiskmodelError | None = None
        self.metrics = metrics
        self.models = Models(
            partial(open_source, settings.model),
            partial(loading.load, threads=settings.threads),
            keep=settings.keep_versions,
            seconds=settings.follow_seconds,
            listener=self.metrics,
            on_failure=on_failure,
        )

    @property
    def failure(self) -> RiskmodelError | None:
        """Return why the service cannot come up, if it cannot."""
        return self.models.failure or self._casebook_failure

    @property
    def parts(self) -> Parts:
        """Return what needs the casebook.

        Raises:
            NotReadyError: until it is open.
        """
        if self._parts is None:
            raise NotReadyError(FieldProblem("casebook", "not open yet", "open"))
        return self._parts

    def start(self) -> None:
        """Begin to load the model and to open the casebook; return at once."""
        # The lanes share the cores already. Threads of numpy's own for products this small take half the throughput.
        threadpool_limits(limits=1, user_api="blas")
        self.models.start()
        self._tasks.append(asyncio.create_task(self._open()))

    async def stop(self) -> None:
        """Finish what runs, refuse what waits, close the casebook."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.models.stop()
        if self._parts is not None:
            await asyncio.to_thread(self._parts.dispatcher.stop)
            await asyncio.to_thread(self._parts.rounds.stop)
            await asyncio.to_thread(self._parts.casebook.close)

    def check_ready(self) -> None:
        """Check that escalations are assessed and kept.

        Raises:
            NotReadyError: naming what is not ready.
        """
        self.models.current()
        self.parts.dispatcher.check_ready()

    def _open_casebook(self, automatic: Automatic) -> Casebook:
        """Open the casebook, and say at the start what is unusual about who gets in."""
        url = self._settings.database_url
        casebook = open_casebook(url, enter=Entering(self._review), told=automatic.kept)
        try:
            if self._settings.auth == "off":
                log.warning("keys are off: whoever reaches this address may do everything", host=self._settings.host)
            elif not casebook.keys.any_active(datetime.now(UTC)):
                log.warning("no keys yet, so nobody gets in", advice="riskmodel keys create NAME --role client")
            if not (casebook.database.is_sqlite or self._settings.session_secret):
                log.warning("sessions of the review pages hold in this process alone", advice=ONE_SECRET)
        except BaseException:
            casebook.close()
            raise
        return casebook

    async def _open(self) -> None:
        """Open the casebook and start what needs it; where its database does not answer yet, try until it does."""
        policy = load_policy()
        while True:
            try:
                contacts = await asyncio.to_thread(read_contacts, self._settings)
                automatic = Automatic(policy, contacts)
                opening = partial(self._open_casebook, automatic)
                casebook = await _in_thread(opening, undo=Casebook.close)
                break
            except CasebookUnavailableError as error:
                log.warning("casebook not open yet", why=str(error))
                await asyncio.sleep(OPEN_AGAIN_SECONDS)
            except RiskmodelError as error:
                self._casebook_failure = error
                self._on_failure()
                return
        settings = self._settings
        dispatcher = Dispatcher(
            self.models,
            casebook,
            self.metrics,
            threads=settings.threads,
            most_waiting=settings.queue_escalations,
            deadline_seconds=settings.deadline_seconds,
        )
        dispatcher.start()
        door = Door(casebook.keys if settings.auth == "on" else None, settings.rate_limit)
        desk = Desk(casebook.database, policy, self._review, told=automatic.decided)
        handoffs = Handoffs(casebook.database, policy, contacts)
        outbox = make_outbox(casebook, contacts)
        rounds = make_rounds(casebook, outbox, contacts, self.metrics)
        self._parts = Parts(
            casebook,
            dispatcher,
            door,
            desk,
            contacts,
            handoffs,
            Questions(casebook.database, policy, contacts),
            Again(casebook.database, policy),
            Deadlines(casebook.database, policy, contacts),
            Boards(casebook.database, policy),
            Incidents(casebook.database),
            Editing(casebook.database),
            outbox,
            rounds,
        )
        if settings.rounds == "on":
            rounds.start()
        self._tasks.append(asyncio.create_task(door.record_uses()))
        self._tasks.append(asyncio.create_task(self._keep_spaces(KeptSpaces(casebook.database))))

    async def _keep_spaces(self, spaces: KeptSpaces) -> None:
        """Keep what whichever process joins reports needs to compare the vectors of the version that answers."""
        while True:
            with suppress(NotReadyError, CasebookUnavailableError):
                model = self.models.current().model
                await asyncio.to_thread(spaces.keep, model.version, model.precedents.vectors)
            await asyncio.sleep(SPACE_SECONDS)


async def _in_thread(make: Callable[[], Made], undo: Callable[[Made], None]) -> Made:
    """Return what a thread makes; where nobody waits for it any more, it is undone as soon as it is made."""
    making = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        with suppress(RiskmodelError):
            await asyncio.to_thread(undo, await making)
        raise


def running(request: Request) -> Running:
    """Return what the service runs on."""
    found: Running = request.app.state.running
    return found
