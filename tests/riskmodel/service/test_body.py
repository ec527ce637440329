"""A body is refused before it is in memory, whether its length was declared or not."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.middleware import Middleware

from riskmodel.records import MAX_TEXT_CHARACTERS
from riskmodel.service import errors
from riskmodel.service.body import MAX_BODY_BYTES, BodyLimit, parse, read_json
from riskmodel.service.envelope import MAX_BATCH_ESCALATIONS
from riskmodel.service.errors import BodyTooLargeError
from riskmodel.service.metrics import Metrics

LIMIT = 1_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def door() -> Iterator[TestClient]:
    app = FastAPI(middleware=[Middleware(BodyLimit, limit=LIMIT)])
    errors.register(app, Metrics().errors)

    @app.post("/echo")
    async def echo(value: Any = Depends(read_json)) -> Any:  # noqa: B008
        return value

    with TestClient(app) as client:
        yield client


def test_a_body_at_the_limit_is_read(door: TestClient) -> None:
    body = b'"' + b"a" * (LIMIT - 2) + b'"'

    assert door.post("/echo", content=body, headers=JSON).json() == "a" * (LIMIT - 2)


def test_a_declared_length_above_the_limit_is_refused(door: TestClient) -> None:
    response = door.post("/echo", content=b'"' + b"a" * LIMIT + b'"', headers=JSON)

    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"] == [
        {"field": "body", "found": "more than 1,000 bytes", "expected": "at most 1,000 bytes"}
    ]


def test_a_stream_is_refused_as_soon_as_it_passes_the_limit() -> None:
    pulled = 0

    async def receive() -> dict[str, Any]:
        nonlocal pulled
        pulled += 1
        return {"type": "http.request", "body": b"a" * 100, "more_body": True}

    async def read_all(scope: Any, receive: Any, send: Any) -> None:
        while True:
            await receive()

    scope = {"type": "http", "headers": []}
    with pytest.raises(BodyTooLargeError):
        asyncio.run(BodyLimit(read_all, limit=LIMIT)(scope, receive, None))  # type: ignore[arg-type]

    assert pulled == 11


def test_a_declared_length_is_refused_before_a_byte_is_read() -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def read_one(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    scope = {"type": "http", "headers": [(b"content-length", b"50000000")]}
    with pytest.raises(BodyTooLargeError):
        asyncio.run(BodyLimit(read_one, limit=LIMIT)(scope, receive, None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;v=1"]
)
def test_json_is_read_whatever_the_parameters_of_its_type(content_type: str, door: TestClient) -> None:
    assert door.post("/echo", content=b"[1]", headers={"Content-Type": content_type}).json() == [1]


def test_the_largest_batch_fits_with_every_letter_escaped() -> None:
    escaped = len("\\u00e9") * MAX_TEXT_CHARACTERS
    fields = 300

    assert MAX_BATCH_ESCALATIONS * (escaped + fields) <= MAX_BODY_BYTES


def test_a_lone_surrogate_survives_parsing() -> None:
    assert parse(b'{"text": "a\\ud800"}') == {"text": "a\ud800"}
