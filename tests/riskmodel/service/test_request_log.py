"""Every request is one line under an id, without anything of what was sent."""

import asyncio
import io
import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware
from starlette.types import Message, Receive, Scope, Send

from riskmodel.service.metrics import Metrics
from riskmodel.service.request_log import RequestLog


def lines(logs: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.getvalue().splitlines()]


def test_a_request_is_one_line(service: TestClient, logs: io.StringIO) -> None:
    escalation = {"text": "Marisol lost a parcel", "id": "case-77"}

    service.post("/predict?who=Marisol", json=escalation, headers={"X-Request-ID": "abc-1"})

    (line,) = lines(logs)
    assert set(line) == {"event", "level", "timestamp", "request_id", "method", "route", "status", "duration_ms"}
    assert (line["request_id"], line["method"], line["route"], line["status"]) == ("abc-1", "POST", "/predict", 200)
    assert 0 < line["duration_ms"] < 10_000
    assert "Marisol" not in logs.getvalue()
    assert "case-77" not in logs.getvalue()


def test_an_unknown_path_has_no_route(service: TestClient, logs: io.StringIO) -> None:
    service.get("/Marisol")

    assert lines(logs)[0]["route"] is None
    assert "Marisol" not in logs.getvalue()


@pytest.mark.parametrize("offered", ["abc", "A.b_c-9", "x" * 64])
def test_a_safe_request_id_is_kept(offered: str, service: TestClient) -> None:
    assert service.get("/health/live", headers={"X-Request-ID": offered}).headers["X-Request-ID"] == offered


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "Marisol was here", 'a"b', "a\tb"])
def test_an_unsafe_request_id_is_replaced(offered: str, service: TestClient, logs: io.StringIO) -> None:
    given = service.get("/health/live", headers={"X-Request-ID": offered}).headers["X-Request-ID"]

    assert given != offered
    assert len(given) == 32
    assert lines(logs)[0]["request_id"] == given


def test_a_fault_is_answered_and_logged_by_class_and_place_only(
    service: TestClient, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    app = FastAPI(middleware=[Middleware(RequestLog, Metrics())])

    @app.get("/fault")
    async def fault() -> None:
        raise ValueError("Marisol was here")

    response = TestClient(app).get("/fault")

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    failed, request = lines(logs)
    assert (failed["error"], failed["level"]) == ("ValueError", "error")
    assert failed["raised_at"][-1].startswith("test_request_log.py:")
    assert failed["request_id"] == request["request_id"] == response.headers["X-Request-ID"]
    assert request["status"] == 500
    printed = capfd.readouterr()
    assert "Marisol" not in response.text + logs.getvalue() + printed.out + printed.err


@pytest.mark.usefixtures("service")
def test_what_the_server_gives_up_because_it_stops_is_told_to_come_back(logs: io.StringIO) -> None:
    sent: list[Message] = []

    async def never_ready(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def act() -> None:
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": []}
        request = asyncio.create_task(RequestLog(never_ready, Metrics())(scope, receive, send))
        await asyncio.sleep(0.01)
        request.cancel()  # as uvicorn does when its time to stop is over
        await request

    asyncio.run(act())

    start, body = sent
    assert start["status"] == 503
    assert int(dict(start["headers"])[b"retry-after"]) >= 1
    assert json.loads(body["body"])["errors"][0]["field"] == "service"
    assert [line["status"] for line in lines(logs)] == [503]
