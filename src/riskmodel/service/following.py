"""A model address in; the version it stands for loaded, and swapped for a newer one while requests run."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Literal, Protocol

import structlog

from riskmodel.errors import ArtifactError, FieldProblem, RiskmodelError
from riskmodel.service.errors import NotReadyError, VersionError
from riskmodel.service.loading import LoadedModel
from riskmodel.service.sources import ModelSource

RETRY_REFUSED_SECONDS = 60.0  # a version that failed its checks is tried again, since a download can fail too

State = Literal["loading", "ready", "failed", "stopped"]
Load = Callable[..., LoadedModel]

log = structlog.get_logger()


class Listener(Protocol):
    """Who is told of versions."""

    def model_loaded(self, version: str) -> None:
        """A version answers from now on."""

    def model_refused(self) -> None:
        """A version failed its checks."""


class Models:
    """The versions that are loaded. The current one answers; a request keeps the one it began with.

    Args:
        open_source: gives the source of versions; called on the loading thread.
        load: makes a version's folder a model, as ``loading.load`` does; called on the loading thread.
        keep: how many versions stay loaded, the current one included.
        seconds: between two looks for a newer one; 0 never looks.
        listener: told of every version that answers or is refused.
        on_failure: called if the first version cannot be loaded; ``failure`` then says why.
    """

    def __init__(
        self,
        open_source: Callable[[], ModelSource],
        load: Load,
        *,
        keep: int,
        seconds: float,
        listener: Listener,
        on_failure: Callable[[], None],
    ) -> None:
        self._open_source = open_source
        self._load = load
        self._keep = keep
        self._seconds = seconds
        self._listener = listener
        self._on_failure = on_failure
        self._loaded: tuple[LoadedModel, ...] = ()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="riskmodel-models", daemon=True)
        self.state: State = "loading"
        self.failure: RiskmodelError | None = None
        self.refusal: str | None = None

    def start(self) -> None:
        """Begin to load the first version; return at once."""
        self._thread.start()

    async def stop(self) -> None:
        """Answer no more; wait for a load under way."""
        self.state = "stopped"
        self._ended.set()
        await asyncio.to_thread(self._thread.join)

    def current(self, pinned: str | None = None) -> LoadedModel:
        """Return the version that answers, or the one asked for.

        Raises:
            NotReadyError: if there is none yet, or none any more.
            VersionError: if the one asked for is not loaded.
        """
        if self.state != "ready":
            raise NotReadyError(FieldProblem("model", self.state, "ready"))
        if pinned is None:
            return self._loaded[0]
        for loaded in self._loaded:
            if loaded.version == pinned:
                return loaded
        versions = " or ".join(loaded.version for loaded in self._loaded)
        raise VersionError(FieldProblem("X-Model-Version", "a version that is not loaded", versions))

    @property
    def versions(self) -> list[str]:
        """Return the versions that are loaded, the current one first."""
        return [loaded.version for loaded in self._loaded]

    def _run(self) -> None:
        try:
            source = self._open_source()
            token = source.newest()
            self._answer_with(self._load(source.fetch(token)))
        except RiskmodelError as error:
            self._fail(error)
            return
        except Exception as error:  # the border of the thread; serve() raises it in the main one
            log.error("model not loaded", exc_info=True)
            self._fail(ArtifactError(f"The model cannot be loaded: {type(error).__name__}."))
            return
        if self._seconds:
            self._follow(source, token)

    def _follow(self, source: ModelSource, token: str) -> None:
        refused, refused_at = "", 0.0
        while not self._ended.wait(self._seconds):
            try:
                newest = source.newest()
            except Exception:  # an address that does not answer now changes nothing
                log.warning("cannot look for a newer model", exc_info=True)
                continue
            if newest == token or (newest == refused and time.monotonic() - refused_at < RETRY_REFUSED_SECONDS):
                continue
            try:
                self._answer_with(self._load(source.fetch(newest), probe=True))
                token, refused, self.refusal = newest, "", None
            except Exception as error:  # noqa: BLE001  whatever is wrong with it, the old one stays
                refused, refused_at = newest, time.monotonic()
                self.refusal = str(error) if isinstance(error, RiskmodelError) else type(error).__name__
                log.error("model refused", why=self.refusal, stays=self._loaded[0].version)
                self._listener.model_refused()
                source.discard(newest)

    def _answer_with(self, loaded: LoadedModel) -> None:
        if self.state == "stopped":
            return
        others = [other for other in self._loaded if other.version != loaded.version]
        self._loaded = (loaded, *others)[: self._keep]
        self.state = "ready"
        log.info("model answers", version=loaded.version, loaded=self.versions)
        self._listener.model_loaded(loaded.version)

    def _fail(self, error: RiskmodelError) -> None:
        if self.state == "loading":
            self.failure, self.state = error, "failed"
            self._on_failure()
