"""Requests in, traces of them out where tracing is on; numbers and names of ours only, never what was sent.

Nothing here imports OpenTelemetry: ``riskmodel.service.otel`` does, once tracing is on. Where it is off, the middleware
is not installed and ``current_trace()`` is a trace that keeps nothing.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from riskmodel.errors import SettingsError
from riskmodel.service.headers import MODEL_VERSION
from riskmodel.service.settings import PREFIX, Settings

if TYPE_CHECKING:
    from riskmodel.service.otel import OtelTracer

Step = Literal["queue", "assess", "keep"]

UNTRACED = ("/health", "/metrics")  # asked every few seconds, by machines


class Trace(Protocol):
    """What is told of one request. Numbers become attributes; a trace may be handed to other threads."""

    def note(self, **numbers: float) -> None:
        """Tell something of the whole request."""

    def add(self, name: Step, began: int, ended: int, **numbers: float) -> None:
        """Tell of a step that is over; both times in nanoseconds since 1970, as ``time.time_ns`` gives them."""


class NoTrace:
    """The trace of a request that is not traced."""

    def note(self, **numbers: float) -> None:
        """Keep nothing."""

    def add(self, name: Step, began: int, ended: int, **numbers: float) -> None:
        """Keep nothing."""


NO_TRACE = NoTrace()
_current: ContextVar[Trace] = ContextVar("riskmodel_trace", default=NO_TRACE)


def current_trace() -> Trace:
    """Return the trace of the request under way; to be taken along to threads, which have none of their own."""
    return _current.get()


class Tracing:
    """ASGI middleware, outside the one that answers where nothing else could: a span a request."""

    def __init__(self, app: ASGIApp, tracer: "OtelTracer") -> None:
        self.app = app
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell its route's template, its status and the version that answered."""
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED):
            await self.app(scope, receive, send)
            return
        status: int | None = None
        version: str | None = None

        async def send_seen(message: Message) -> None:
            nonlocal status, version
            if message["type"] == "http.response.start":
                status, version = message["status"], Headers(raw=message["headers"]).get(MODEL_VERSION)
            await send(message)

        trace = self.tracer.begin(scope["method"], Headers(scope=scope))
        token = _current.set(trace)
        try:
            await self.app(scope, receive, send_seen)
        finally:
            _current.reset(token)
            trace.end(getattr(scope.get("route"), "path", None), status, version)


def start_tracing(settings: Settings) -> "OtelTracer | None":
    """Return what traces requests and sends them where OpenTelemetry's own variables say; None where tracing is off.

    Raises:
        SettingsError: if tracing is on and OpenTelemetry is not installed.
    """
    if settings.tracing == "off":
        return None
    try:
        from riskmodel.service.otel import OtelTracer, export_over_http  # noqa: PLC0415  optional, and slow to import
    except ImportError:
        raise SettingsError(
            f"{PREFIX}TRACING is on, which needs OpenTelemetry: pip install 'riskmodel[otel]'."
        ) from None
    return OtelTracer(export_over_http())
