"""A request is a span with its steps below, holding numbers and names of ours and never a word of what was sent."""

import asyncio
import builtins
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from riskmodel.errors import SettingsError
from riskmodel.service import otel
from riskmodel.service.app import create_app
from riskmodel.service.headers import MODEL_VERSION
from riskmodel.service.otel import OtelTracer
from riskmodel.service.settings import Settings
from riskmodel.service.tracing import NO_TRACE, Trace, Tracing, current_trace, start_tracing

SECRET = "Marisol"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def rate(request: Request) -> Response:
    """Do what the service does with a request: on its loop, and on another thread."""
    await request.body()
    current_trace().note(escalations=3)
    began = time.time_ns()
    current_trace().add("queue", began - 1_000_000, began, characters=12)

    def work(trace: Trace) -> None:
        began = time.time_ns()
        time.sleep(0.002)
        trace.add("assess", began, time.time_ns(), characters=12)

    thread = threading.Thread(target=work, args=(current_trace(),))
    thread.start()
    thread.join()
    current_trace().add("keep", 1_000, 3_000, rows=2)
    return Response(SECRET, headers={MODEL_VERSION: "2026.1"})


async def fail(name: str) -> Response:
    raise RuntimeError(SECRET + name)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def http(exporter: InMemorySpanExporter) -> Iterator[TestClient]:
    tracer = OtelTracer(SimpleSpanProcessor(exporter))
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.add_api_route("/predict", rate, methods=["POST"])
    app.add_api_route("/cases/{name}", fail)
    app.add_api_route("/health/live", lambda: Response())
    app.add_middleware(Tracing, tracer=tracer)
    yield TestClient(app, raise_server_exceptions=False)
    tracer.stop()


def wait_until_ready(client: TestClient) -> None:
    deadline = time.monotonic() + 30
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline, "the service was not ready in time"
        time.sleep(0.02)


def spans(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {found.name: found for found in exporter.get_finished_spans()}


def test_a_request_is_a_span_with_route_status_version_and_numbers(
    http: TestClient, exporter: InMemorySpanExporter
) -> None:
    http.post("/predict?who=Marisol", json={"text": SECRET}, headers={"X-Marisol": SECRET})

    found = spans(exporter)["POST /predict"]
    assert found.kind is SpanKind.SERVER
    assert found.status.status_code is StatusCode.UNSET
    assert dict(found.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "riskmodel.model_version": "2026.1",
        "riskmodel.escalations": 3,
    }


def test_steps_are_its_children_whichever_thread_they_ran_on(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.post("/predict", json={})

    found = spans(exporter)
    request = found["POST /predict"]
    for name in ("queue", "assess", "keep"):
        assert found[name].parent is not None
        assert found[name].parent.span_id == request.context.span_id
        assert found[name].context.trace_id == request.context.trace_id
    assert dict(found["assess"].attributes or {}) == {"riskmodel.characters": 12}
    assert (found["keep"].start_time, found["keep"].end_time) == (1_000, 3_000)


def test_a_caller_that_traces_is_the_parent(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.post("/predict", json={}, headers={"traceparent": PARENT})

    request = spans(exporter)["POST /predict"]
    assert request.parent is not None
    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]


def test_a_caller_that_is_not_sampled_is_not_traced(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.post("/predict", json={}, headers={"traceparent": PARENT[:-2] + "00"})

    assert spans(exporter) == {}


def test_probes_are_not_traced(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.get("/health/live")

    assert spans(exporter) == {}


def test_the_service_traces_its_own_steps_and_no_text(
    tiny_model: Path, tmp_path: Path, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "export_over_http", lambda: SimpleSpanProcessor(exporter))
    database = f"sqlite:///{tmp_path / 'riskmodel.db'}"
    settings = Settings(model=str(tiny_model), threads=1, auth="off", database_url=database, tracing="on")

    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        client.post("/predict", json={"text": "Marisol lost a parcel", "id": "Marisol-7"})
        client.post("/predict", json={"text": "x", "Marisol": "Marisol"})

    rated = [found for found in exporter.get_finished_spans() if found.name != "POST /predict" and found.parent]
    assert [found.name for found in sorted(rated, key=lambda found: found.start_time or 0)] == [
        "queue",
        "assess",
        "keep",
    ]
    assert spans(exporter)["POST /predict"].attributes
    assert "marisol" not in "".join(found.to_json() for found in exporter.get_finished_spans()).lower()


def test_a_trace_ends_with_its_request(exporter: InMemorySpanExporter) -> None:
    seen: list[Trace] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current_trace())

    async def act() -> Trace:
        scope = {"type": "http", "path": "/predict", "method": "POST", "headers": []}
        await Tracing(app, OtelTracer(SimpleSpanProcessor(exporter)))(scope, nothing, nothing)
        return current_trace()

    async def nothing(*_: Any) -> Any:
        return {}

    assert asyncio.run(act()) is NO_TRACE
    assert seen[0] is not NO_TRACE


def test_a_collector_that_does_not_answer_does_not_keep_the_service_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    class Stuck(InMemorySpanExporter):
        def shutdown(self) -> None:
            released.wait(10)

    monkeypatch.setattr(otel, "STOP_SECONDS", 0.05)
    began = time.monotonic()

    OtelTracer(SimpleSpanProcessor(Stuck())).stop()

    assert time.monotonic() - began < 5
    released.set()


def test_a_fault_is_a_status_without_its_message(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.get("/cases/Marisol")

    found = spans(exporter)["GET /cases/{name}"]
    assert found.status.status_code is StatusCode.ERROR
    assert found.status.description is None
    assert found.events == ()


def test_nothing_of_what_was_sent_is_in_any_span(http: TestClient, exporter: InMemorySpanExporter) -> None:
    http.post("/predict?who=Marisol", json={"text": SECRET, SECRET: 1}, headers={"X-Request-ID": SECRET})
    http.post("/predict", json={}, headers={"baggage": f"who={SECRET}", "traceparent": SECRET, "user-agent": SECRET})
    http.get("/cases/Marisol")
    http.get("/Marisol")
    http.request("MARISOL", "/predict")

    exported = "".join(found.to_json() for found in exporter.get_finished_spans())
    assert {"POST /predict", "GET /cases/{name}", "GET", "HTTP /predict"} <= set(spans(exporter))
    assert "marisol" not in exported.lower()


def test_opentelemetrys_own_variables_name_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def name() -> Any:
        exporter = InMemorySpanExporter()
        tracer = OtelTracer(SimpleSpanProcessor(exporter))
        tracer.begin("GET", {}).end("/x", 200, None)
        return exporter.get_finished_spans()[0].resource.attributes["service.name"]

    assert name() == "riskmodel"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "triage")
    assert name() == "triage"


def test_without_tracing_every_step_is_nothing() -> None:
    assert start_tracing(Settings(tracing="off")) is None
    assert current_trace() is NO_TRACE
    NO_TRACE.note(escalations=1)
    NO_TRACE.add("queue", 0, 1)


def test_without_tracing_opentelemetry_is_not_imported() -> None:
    code = (
        "import sys; from riskmodel.service.settings import Settings; from riskmodel.service.tracing import "
        "start_tracing; assert start_tracing(Settings()) is None; "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_tracing_the_service_imports_no_more_than_the_web_framework_does() -> None:
    code = (
        "import sys; from riskmodel.service.app import create_app; from riskmodel.service.settings import Settings; "
        "create_app(Settings(auth='off')); "
        "sys.exit(any(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tracing_without_opentelemetry_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "riskmodel.service.otel")
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(SettingsError, match=r"RISKMODEL_TRACING is on.*pip install 'riskmodel\[otel\]'"):
        start_tracing(Settings(tracing="on"))
