"""What is told of requests in, OpenTelemetry's spans out. The only door to OpenTelemetry, imported if tracing is on.

OpenTelemetry's own variables are honoured: ``OTEL_EXPORTER_OTLP_*`` (where spans go), ``OTEL_SERVICE_NAME``,
``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_TRACES_SAMPLER``, ``OTEL_BSP_*``, ``OTEL_PROPAGATORS``, ``OTEL_SDK_DISABLED``.
"""

import threading
from collections.abc import Mapping
from http import HTTPStatus

from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context

from riskmodel.service.tracing import Step

NAMESPACE = "riskmodel"
STOP_SECONDS = 3.0  # spans may be lost, an orderly end of the service must not
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER_METHOD, OTHER_VERB = "_OTHER", "HTTP"  # as OpenTelemetry's conventions call what a client made up
_UNNAMED = "unknown_service"  # what the library calls a service that no variable names


class OtelTrace:
    """One request's span, under which its steps are; faults are told as a status, since messages may quote a text."""

    def __init__(self, tracer: Tracer, span: Span, verb: str) -> None:
        self._tracer = tracer
        self._span = span
        self._verb = verb
        self._context = set_span_in_context(span)

    def note(self, **numbers: float) -> None:
        """Tell something of the whole request."""
        self._span.set_attributes(_named(numbers))

    def add(self, name: Step, began: int, ended: int, **numbers: float) -> None:
        """Tell of a step that is over; both times in nanoseconds since 1970."""
        self._tracer.start_span(name, self._context, attributes=_named(numbers), start_time=began).end(ended)

    def end(self, route: str | None, status: int | None, version: str | None) -> None:
        """End the request's span; None for a path that no route has, an answer that was not sent, no version."""
        if route is not None:
            self._span.update_name(f"{self._verb} {route}")
            self._span.set_attribute("http.route", route)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if version is not None:
            self._span.set_attribute(f"{NAMESPACE}.model_version", version)
        if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class OtelTracer:
    """Begins the trace of each request, as part of its caller's where the request names one.

    Args:
        processor: what is done with spans that ended.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        # Not the global provider, so that several applications in one process do not share one.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer(NAMESPACE)

    def begin(self, method: str, headers: Mapping[str, str]) -> OtelTrace:
        """Begin the trace of a request."""
        method, verb = (method, method) if method in METHODS else (OTHER_METHOD, OTHER_VERB)
        span = self._tracer.start_span(
            verb, propagate.extract(headers), SpanKind.SERVER, {"http.request.method": method}
        )
        return OtelTrace(self._tracer, span, verb)

    def stop(self) -> None:
        """Send what has not been sent; blocks, though never long for a collector that does not answer."""
        ending = threading.Thread(target=self._provider.shutdown, name="riskmodel-tracing", daemon=True)
        ending.start()
        ending.join(STOP_SECONDS)


def export_over_http() -> SpanProcessor:
    """Return what gathers spans and sends them by OTLP over HTTP, on a thread of its own."""
    return BatchSpanProcessor(OTLPSpanExporter())


def _named(numbers: Mapping[str, float]) -> dict[str, float]:
    return {f"{NAMESPACE}.{name}": number for name, number in numbers.items()}


def _resource() -> Resource:
    found = Resource.create()
    named = not str(found.attributes[SERVICE_NAME]).startswith(_UNNAMED)
    return found if named else found.merge(Resource({SERVICE_NAME: NAMESPACE}))
