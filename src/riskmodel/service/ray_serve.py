"""Settings in, the service as an application of Ray Serve out: replicas behind its balancer. The only door to Serve.

    serve run riskmodel.service.ray_serve:build model=models:/riskmodel@champion database_url=postgresql://...

Every replica is the whole service: keys, casebook, pages, and the model, verified when it is loaded and followed.
"""

import asyncio
import os
from typing import Any

from fastapi import FastAPI

from riskmodel.errors import ArtifactError, SettingsError
from riskmodel.service.app import create_app
from riskmodel.service.errors import NotReadyError
from riskmodel.service.logs import configure_logging
from riskmodel.service.running import Running
from riskmodel.service.settings import PREFIX, Settings, read_settings

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
try:
    from ray import serve
except ImportError:
    raise SettingsError("Ray Serve is not installed: pip install 'riskmodel[ray]'.") from None

NAME = "riskmodel"
LOOK_SECONDS = 0.05  # between two looks whether a new replica is ready
START_SECONDS = 60.0  # until it must be; a model of a registry is fetched first
STOP_SECONDS = 20.0  # for the answers of a replica that is to end, which it may take as long as a request may


def build(arguments: dict[str, Any]) -> serve.Application:
    """Return the application, as ``serve run`` and ``serve deploy`` want it.

    Args:
        arguments: settings by their names, which come before the environment of whoever calls this; ``replicas`` is
            how many there are, a core each, unless Serve's own configuration says otherwise.

    Raises:
        SettingsError: naming what was refused; keys cannot be off, since Serve listens where it is told to.
    """
    options = dict(arguments)
    replicas = str(options.pop("replicas", 1))
    if not replicas.isdecimal() or int(replicas) < 1:
        raise SettingsError("replicas: found another value, expected a whole number from 1.")
    settings = read_settings(**{"threads": 1, **options})
    if settings.auth == "off":
        raise SettingsError(f"{PREFIX}AUTH is off: behind Ray Serve keys stay on.")
    deployment: Any = serve.deployment(
        Replica,
        name=NAME,
        num_replicas=int(replicas),
        ray_actor_options={"num_cpus": settings.threads or 1},
        max_ongoing_requests=settings.queue_escalations,  # what is too much is for the service to say, with Retry-After
        health_check_timeout_s=START_SECONDS,
        graceful_shutdown_timeout_s=STOP_SECONDS,
    )
    application: serve.Application = deployment.bind(settings)
    return application


@serve.ingress()
class Replica:
    """The service in a process of Ray's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._service: FastAPI | None = None

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the service, whose model and casebook come up once it runs."""
        configure_logging(self._settings.log_level)
        self._service = create_app(self._settings)
        return self._service

    async def check_health(self) -> None:
        """Wait until this replica can answer, so that none is replaced by one that cannot.

        Raises:
            RiskmodelError: why it cannot come up, or that it cannot answer any more.
        """
        assert self._service is not None
        running: Running = self._service.state.running
        ends = asyncio.get_running_loop().time() + START_SECONDS
        while True:
            if running.failure is not None:
                raise running.failure
            try:
                running.check_ready()
                return
            except NotReadyError as error:
                if asyncio.get_running_loop().time() > ends:
                    raise ArtifactError(f"The replica is not ready: {error}") from None
            await asyncio.sleep(LOOK_SECONDS)
