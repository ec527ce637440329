"""Settings in, the service out: as an application, and running until it is stopped."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware

from riskmodel.errors import SettingsError
from riskmodel.service import errors
from riskmodel.service.body import BodyLimit
from riskmodel.service.headers import SafeHeaders
from riskmodel.service.logs import configure_logging
from riskmodel.service.metrics import Metrics
from riskmodel.service.page.session import Sessions
from riskmodel.service.page.visit import Pages
from riskmodel.service.request_log import RequestLog
from riskmodel.service.routes import (
    audit,
    escalations,
    handoff_links,
    handoffs,
    health,
    incident_pages,
    incidents,
    model,
    moderations,
    predict,
    question_links,
    questions,
    report_pages,
    reports,
    review,
    review_actions,
    review_handoffs,
    review_questions,
    review_session,
)
from riskmodel.service.routes import metrics as metrics_route
from riskmodel.service.running import Running
from riskmodel.service.settings import PREFIX, Settings
from riskmodel.service.tracing import Tracing, start_tracing

API_VERSION = "1"
SHUTDOWN_SECONDS = 10  # for answers under way; a batch of the largest texts may be cut off
BACKLOG = 2_048  # connections that wait to be accepted, as uvicorn has it

log = structlog.get_logger()


def create_app(settings: Settings, on_failure: Callable[[], None] = lambda: None) -> FastAPI:
    """Build the service; its model is loaded once it runs, while it answers ``/health/live`` already.

    Args:
        settings: which model, on how many cores.
        on_failure: called when it cannot come up; ``app.state.running.failure`` then says why.
    """

    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        app.state.running = Running(settings, metrics, on_failure)
        app.state.running.start()
        yield
        await app.state.running.stop()
        if tracer is not None:
            await asyncio.to_thread(tracer.stop)

    tracer = start_tracing(settings)
    tracing = [] if tracer is None else [Middleware(Tracing, tracer)]
    # FastAPI, with the files of /docs out of a package: they would come from a CDN otherwise.
    app = FastAPIOffline(
        title="riskmodel",
        summary="Rates escalations of harm in English, Spanish and Portuguese, and says why.",
        version=API_VERSION,
        lifespan=run,
        middleware=[*tracing, Middleware(SafeHeaders), Middleware(RequestLog, metrics), Middleware(BodyLimit)],
        redirect_slashes=False,  # a redirect would repeat the path that was sent
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # spans record what exceptions quote
    )
    errors.register(app, metrics.errors)
    app.state.pages = Pages(Sessions(settings.session_secret))
    pages = (review_session, review, review_actions, report_pages, review_handoffs, review_questions, handoff_links)
    kept = (escalations, handoffs, question_links, questions, incidents, reports, audit)
    for module in (predict, moderations, *kept, model, metrics_route, health, *pages, incident_pages):
        app.include_router(module.router)
    return app


def serve(settings: Settings) -> None:
    """Run the service in this process until it is interrupted.

    Raises:
        SettingsError: if the address cannot be listened on.
        ArtifactError: if the model cannot be loaded.
        CasebookError: if the casebook cannot be opened.
    """
    configure_logging(settings.log_level)
    listener = _listen(settings.host, settings.port)
    app = create_app(settings, on_failure=lambda: setattr(server, "should_exit", True))
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="asyncio",  # by itself it takes uvloop where an extra has brought it: one loop, as measured
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
    failure = app.state.running.failure
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
