"""Settings in, the service out: as an application, and running until it is stopped."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware

from riskmodel.errors import SettingsError
from riskmodel.service import errors, loading
from riskmodel.service.body import BodyLimit
from riskmodel.service.logs import configure_logging
from riskmodel.service.request_log import RequestLog
from riskmodel.service.routes import health, model, predict
from riskmodel.service.settings import PREFIX, Settings
from riskmodel.service.worker import Worker

API_VERSION = "1"
SHUTDOWN_SECONDS = 10  # for answers under way; a batch of the largest texts may be cut off
BACKLOG = 2_048  # connections that wait to be accepted, as uvicorn has it

log = structlog.get_logger()


def create_app(settings: Settings, on_failure: Callable[[], None] = lambda: None) -> FastAPI:
    """Build the service; its model is loaded once it runs, while it answers ``/health/live`` already.

    Args:
        settings: which model, on how many cores.
        on_failure: called when the model cannot be loaded; ``app.state.worker.failure`` then says why.
    """

    @contextlib.asynccontextmanager
    async def run_worker(app: FastAPI) -> AsyncIterator[None]:
        app.state.worker = Worker(partial(loading.load, settings), on_failure)
        app.state.worker.start()
        yield
        await app.state.worker.stop()

    # FastAPI, with the files of /docs out of a package: they would come from a CDN otherwise.
    app = FastAPIOffline(
        title="riskmodel",
        summary="Rates escalations of harm in English, Spanish and Portuguese, and says why.",
        version=API_VERSION,
        lifespan=run_worker,
        middleware=[Middleware(RequestLog), Middleware(BodyLimit)],
        redirect_slashes=False,  # a redirect would repeat the path that was sent
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # spans record what exceptions quote
    )
    errors.register(app)
    for router in (predict.router, model.router, health.router):
        app.include_router(router)
    return app


def serve(settings: Settings) -> None:
    """Run the service in this process until it is interrupted.

    Raises:
        SettingsError: if the address cannot be listened on.
        ArtifactError: if the model cannot be loaded.
    """
    configure_logging(settings.log_level)
    listener = _listen(settings.host, settings.port)
    app = create_app(settings, on_failure=lambda: setattr(server, "should_exit", True))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
    host, port = listener.getsockname()[:2]
    log.info("listening", host=host, port=port)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    failure = app.state.worker.failure
    if failure is not None:
        raise failure


def _listen(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's delay off (40 ms an answer) only where the socket names its protocol.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: a host that is no name at all
        listener.close()
        raise SettingsError(
            f"{PREFIX}HOST and {PREFIX}PORT: cannot listen on {host}, port {port} ({error}), "
            "expected an address of this machine and a port that is free."
        ) from None
    return listener
