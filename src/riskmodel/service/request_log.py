"""Every request in, one log line out: method, route, status and duration under a request id, never what was sent."""

import asyncio
import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskmodel.service.errors import STOPPING, NotReadyError, problem_of, response_to, slug_of
from riskmodel.service.metrics import Metrics

REQUEST_ID = "X-Request-ID"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

log = structlog.get_logger()


class RequestLog:
    """ASGI middleware: names each request, logs it, and answers where nothing within could."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request under its id, and log that."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = choose_id(Headers(scope=scope).get(REQUEST_ID))
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status: int | None = None

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        async def answer(error: Exception) -> None:
            if status is None:
                self.metrics.errors(slug_of(problem_of(error)))
                await response_to(error)(scope, receive, send_named)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_named)
            except asyncio.CancelledError:  # by the server, which stops and waits no longer
                await answer(NotReadyError(STOPPING))
            except Exception as error:  # the border of all routes
                log.error("request failed", exc_info=True)
                await answer(error)
            finally:
                seconds, route = time.perf_counter() - began, getattr(scope.get("route"), "path", None)
                self.metrics.request(route, scope["method"], status, seconds)
                log.info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round(seconds * 1000, 2),
                )


def choose_id(offered: str | None) -> str:
    """Return the client's request id where it is a short safe token, else a fresh one."""
    return offered if offered is not None and _SAFE_ID.fullmatch(offered) else uuid.uuid4().hex
