"""Whatever is sent, the service keeps to its own document, never fails, and never repeats a text it refuses."""

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from riskmodel.records import Escalation
from riskmodel.service.app import create_app
from riskmodel.service.settings import Settings
from tests.riskmodel.casebook.conftest import fresh_database, postgresql  # noqa: F401  a fixture
from tests.riskmodel.service.served import PARCEL
from tests.service import settings_for

DECLARED = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
]
ADDRESS = "127.0.0.1"
EXAMPLES = 25
SLOWNESS = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[str]:
    """Serve on a free port, on a thread, until the block ends."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, host=ADDRESS, port=0, ws="none", http="httptools", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        address = f"http://{ADDRESS}:{server.servers[0].sockets[0].getsockname()[1]}"
        while httpx2.get(f"{address}/health/ready").status_code != 200:
            assert thread.is_alive()
        yield address
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of a service that listens, and of which something is kept already."""
    others = {}
    if request.param == "postgresql":
        others["database_url"] = fresh_database(request.getfixturevalue("postgresql"))
    with listening(settings_for(tiny_model, tmp_path_factory.mktemp("fuzzed"), **others)) as address:
        httpx2.post(f"{address}/predict", json=PARCEL | {"id": "kept"}).raise_for_status()
        yield address


API = schemathesis.openapi.from_dict(create_app(Settings(auth="off")).openapi())
OPERATIONS = {operation.label: operation for found in API.get_all_operations() if (operation := found.ok())}
VALID, INVALID = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
UNBREAKABLE = {(label, INVALID) for label in ("GET /health/live", "GET /health/ready", "GET /metrics")}
# An item of a batch is refused in its place; of a parameter that is sent twice the last counts.
LENIENT = {"POST /predict/batch", "GET /escalations"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "mode"),
    [(label, mode) for label in OPERATIONS for mode in (VALID, INVALID) if (label, mode) not in UNBREAKABLE],
)
def test_the_service_keeps_to_its_document(label: str, mode: schemathesis.GenerationMode, address: str) -> None:
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=SLOWNESS)
    def keeps_to_it(case: schemathesis.Case) -> None:
        refused = [] if label in LENIENT else [checks.negative_data_rejection]
        case.call_and_validate(base_url=address, checks=[*DECLARED, *refused])

    keeps_to_it()


@pytest.mark.slow
@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ud800", "\uffff", "%", "'; DROP TABLE escalations; --", "٣"])
def test_no_value_in_a_path_or_a_query_is_a_fault(value: str, address: str) -> None:
    written = "".join(f"%{byte:02X}" for byte in value.encode("utf-8", "surrogatepass"))
    filters = ("rating", "language", "category", "source", "market", "team", "route", "model_version", "client")
    paths = [f"/escalations?{name}={written}" for name in (*filters, "from", "before", "cursor", "limit", "colour")]
    paths += [f"/escalations/{written}", f"/escalations/kept?client={written}", f"/audit?before={written}"]

    answers = {path: httpx2.get(address + path).status_code for path in paths}
    answers["deleted"] = httpx2.delete(f"{address}/escalations/{written}").status_code

    assert {path: status for path, status in answers.items() if status not in (200, 404, 422)} == {}
    assert httpx2.get(f"{address}/escalations/kept").status_code == 200


SECRET = "Marisol was here"
FIELDS = st.sampled_from([*Escalation.model_fields, "escalations", "input", "model", "type"])
# Every text holds the secret, except words that the fields take.
TEXTS = st.sampled_from(["press", "BR", "text", "image_url", "2026-03-02T09:00:00Z"]) | st.text(max_size=20).map(
    lambda more: f"{SECRET} {more}"
)
NAMES = FIELDS | st.text(max_size=9).map(lambda more: f"{more} {SECRET}")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)
# What nearly has the right form gets further than what is anything at all.
ESCALATIONS = st.fixed_dictionaries(
    {"text": TEXTS | VALUES},
    optional=dict.fromkeys(("source", "market", "id", "received_at"), TEXTS | VALUES) | {SECRET: VALUES},
)
BODIES = {
    "/predict": VALUES | ESCALATIONS,
    "/predict/batch": VALUES | st.fixed_dictionaries({"escalations": st.lists(VALUES | ESCALATIONS, max_size=4)}),
    "/v1/moderations": VALUES
    | st.fixed_dictionaries({"input": VALUES}, optional={"model": VALUES, SECRET: VALUES})
    | st.fixed_dictionaries(
        {"input": st.lists(st.fixed_dictionaries({"type": TEXTS, "text": TEXTS | VALUES}, optional={SECRET: VALUES}))}
    ),
}


@pytest.mark.parametrize("path", BODIES)
def test_any_json_is_answered_or_refused_and_never_repeated(
    path: str, service: TestClient, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    @given(body=BODIES[path])
    @settings(max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=SLOWNESS)
    def is_answered_or_refused(body: Any) -> None:
        response = service.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})

        assert response.status_code in (200, 400, 409, 422), response.text
        answers = response.json().get("results", [response.json()])
        refused = [answer for answer in answers if response.status_code != 200 or "error" in answer]
        assert SECRET not in json.dumps(refused, ensure_ascii=False)

    is_answered_or_refused()
    printed = capfd.readouterr()
    assert SECRET not in logs.getvalue() + printed.out + printed.err + service.get("/metrics").text


def test_any_bytes_are_refused(service: TestClient) -> None:
    @given(body=st.binary(max_size=200) | st.binary(max_size=50).map(lambda more: b'{"text": "' + more))
    @settings(max_examples=150, derandomize=True, deadline=None, database=None)
    def are_refused(body: bytes) -> None:
        response = service.post("/predict", content=body, headers={"Content-Type": "application/json"})

        assert response.status_code in (400, 422)

    are_refused()
