"""Whatever is sent, the answer names the field, repeats nothing, and the next request is answered."""

import io
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient

SECRET = "Marisol"
USUAL_SECONDS = 1.0
JSON = {"Content-Type": "application/json"}
PLAIN = {"text": f"{SECRET} reports a fake shop", "source": "press"}


@dataclass(frozen=True)
class Bad:
    name: str
    content: bytes
    status: int
    field: str
    found: str
    expected: str
    content_type: str | None = "application/json"


def item(name: str, value: Any, field: str, found: str, expected: str) -> Bad:
    return Bad(name, json.dumps(value).encode(), 422, field, found, expected)


def secret_text(**fields: Any) -> dict[str, Any]:
    return PLAIN | fields


FIELDS = [
    item("empty", {"text": ""}, "text", "empty text", "1 to 20,000 characters"),
    item("blank", {"text": " \r\n\t\u2003 "}, "text", "blank text", "at least one visible character"),
    item("20,001 characters", {"text": SECRET.ljust(20_001, "é")}, "text", "20,001 characters", "at most 20,000"),
    item("20,001 emoji", {"text": "😀" * 20_001}, "text", "20,001 characters", "at most 20,000"),
    item("a NUL", {"text": f"{SECRET}\x00"}, "text", "a NUL", "without"),
    item("a lone surrogate", {"text": f"{SECRET}\ud83d"}, "text", "lone surrogate", "valid Unicode"),
    item("no text", {"source": "press"}, "text", "no such field", "a value"),
    item("text is null", {"text": None}, "text", "nothing", "text"),
    item("text is a number", {"text": 12}, "text", "a number", "text"),
    item("text is a boolean", {"text": True}, "text", "a boolean", "text"),
    item("text is a list", {"text": [SECRET]}, "text", "a list", "text"),
    item("text is an object", {"text": {SECRET: SECRET}}, "text", "an object", "text"),
    item("unknown source", secret_text(source=SECRET), "source", "text that is not in the list", "'press'"),
    item("source is a list", secret_text(source=[SECRET]), "source", "a list", "'press'"),
    item("unknown market", secret_text(market=SECRET), "market", "an unknown code", "ISO 3166-1"),
    item("market is a number", secret_text(market=76), "market", "a number", "text"),
    item("id with a space", secret_text(id=f"{SECRET} 1"), "id", "text of another form", "printable ASCII"),
    item("id is a number", secret_text(id=1), "id", "a number", "text"),
    item("id too long", secret_text(id=SECRET * 20), "id", "text of another form", "1 to 128"),
    item("received_at is no time", secret_text(received_at=SECRET), "received_at", "text", "RFC 3339"),
    item("received_at without a zone", secret_text(received_at="2026-01-01T10:00:00"), "received_at", "text", "RFC"),
    item("received_at is a number", secret_text(received_at=1_700_000_000), "received_at", "a number", "RFC 3339"),
    item("received_at is digits", secret_text(received_at="1700000000"), "received_at", "text", "RFC 3339"),
    item("received_at is too late", secret_text(received_at="9999-12-31T23:59:59Z"), "received_at", "time", "RFC 3339"),
    item(
        "received_at is too early",
        secret_text(received_at="0001-01-01T00:00:00+14:00"),
        "received_at",
        "time",
        "RFC 3339",
    ),
    item("unknown field", secret_text(note=SECRET), "note", "an unknown field with text", "text, source, market"),
    item("unknown field that is a sentence", {**PLAIN, f"{SECRET} was here": 1}, "(a name", "an unknown field", "text"),
    item("unknown field that is endless", {**PLAIN, "x" * 9_000: 1}, "x" * 32 + "…", "an unknown field", "text"),
    item("unknown field with a lone surrogate", {**PLAIN, "\udc00": 1}, "escalation", "lone surrogate", "Unicode"),
    item("a list", [PLAIN], "escalation", "a list", "an object"),
    item("text", SECRET, "escalation", "text", "an object"),
    item("a number", 1, "escalation", "a number", "an object"),
    item("null", None, "escalation", "nothing", "an object"),
]
DOCUMENTS = [
    Bad("not UTF-8", f'{{"text": "{SECRET} '.encode() + b'\xff"}', 400, "body", "not UTF-8", "JSON in UTF-8"),
    Bad("UTF-16", json.dumps(PLAIN).encode("utf-16"), 400, "body", "not UTF-8", "JSON in UTF-8"),
    Bad("Latin-1", '{"text": "niño Marisol"}'.encode("latin-1"), 400, "body", "not UTF-8", "JSON in UTF-8"),
    Bad("no body", b"", 400, "body", "an empty body", "a JSON document"),
    Bad("cut off", json.dumps(PLAIN)[:-3].encode(), 400, "body", "no JSON at line 1, column", "a JSON document"),
    Bad("two documents", json.dumps(PLAIN).encode() * 2, 400, "body", "no JSON at line 1", "a JSON document"),
    Bad("not a number", b'{"text": NaN}', 400, "body", "the constant NaN", "a JSON document"),
    Bad("infinity", b'{"text": "Marisol", "id": -Infinity}', 400, "body", "the constant -Infinity", "a JSON document"),
    Bad("an endless number", b'{"text": ' + b"9" * 5_000 + b"}", 400, "body", "a number that is too long", "JSON"),
    Bad("nested lists", b'{"text": ' + b"[" * 100_000, 400, "body", "nested too deeply", "fields of text"),
    Bad("nested objects", b'{"text":' * 50_000 + b"1" + b"}" * 50_000, 400, "body", "nested too deeply", "text"),
]
TYPES = [
    Bad("no content type", json.dumps(PLAIN).encode(), 415, "Content-Type", "no such header", "application/json", None),
    Bad("plain text", SECRET.encode(), 415, "Content-Type", "text/plain", "application/json", "text/plain"),
    Bad("a form", b"text=Marisol", 415, "Content-Type", "x-www-form", "json", "application/x-www-form-urlencoded"),
    Bad("no media type", json.dumps(PLAIN).encode(), 415, "Content-Type", "not a media type", "json", f"{SECRET} {{}}"),
    Bad("another JSON", json.dumps(PLAIN).encode(), 415, "Content-Type", "/ld+json", "json", "application/ld+json"),
]


def headers(bad: Bad) -> dict[str, str]:
    return {} if bad.content_type is None else {"Content-Type": bad.content_type}


def assert_names_the_field(problem: dict[str, Any], bad: Bad) -> None:
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["status"] == bad.status
    faults = [fault for fault in problem["errors"] if bad.field in fault["field"]]
    assert faults, problem
    assert bad.found in faults[0]["found"]
    assert bad.expected in faults[0]["expected"]


def assert_still_answers(service: TestClient) -> None:
    assert service.post("/predict", json={"text": "The parcel is late."}).status_code == 200


@pytest.mark.parametrize("bad", [*FIELDS, *DOCUMENTS, *TYPES], ids=lambda bad: bad.name)
def test_a_bad_escalation_is_refused_by_name_and_never_repeated(
    bad: Bad, service: TestClient, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    began = time.perf_counter()
    response = service.post("/predict", content=bad.content, headers=headers(bad))
    elapsed = time.perf_counter() - began

    assert response.status_code == bad.status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert_names_the_field(response.json(), bad)
    assert elapsed < USUAL_SECONDS
    assert_still_answers(service)
    printed = capfd.readouterr()
    assert SECRET.lower() not in (response.text + logs.getvalue() + printed.out + printed.err).lower()


@pytest.mark.parametrize("bad", FIELDS, ids=lambda bad: bad.name)
def test_a_bad_item_of_a_batch_fails_alone_and_in_its_place(
    bad: Bad, service: TestClient, logs: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    good = {"text": "The parcel is late."}
    body = json.dumps({"escalations": [good | {"id": "first"}, json.loads(bad.content), good | {"id": "last"}]})

    response = service.post("/predict/batch", content=body, headers=JSON)

    assert response.status_code == 200
    first, refused, last = response.json()["results"]
    assert (first["id"], last["id"]) == ("first", "last")
    assert set(refused) == {"error"}
    assert_names_the_field(refused["error"], bad)
    printed = capfd.readouterr()
    assert SECRET.lower() not in (response.text + logs.getvalue() + printed.out + printed.err).lower()


@pytest.mark.parametrize("bad", [*DOCUMENTS, *TYPES], ids=lambda bad: bad.name)
def test_a_batch_that_cannot_be_read_is_refused_as_a_whole(bad: Bad, service: TestClient) -> None:
    response = service.post("/predict/batch", content=bad.content, headers=headers(bad))

    assert response.status_code == bad.status
    assert_names_the_field(response.json(), bad)


ENVELOPES = [
    item("a list", [PLAIN], "body", "a list", "an object with the field escalations"),
    item("null", None, "body", "nothing", "an object with the field escalations"),
    item("no list", {}, "escalations", "no such field", "a list of escalations"),
    item("null in place of the list", {"escalations": None}, "escalations", "nothing", "a list of escalations"),
    item("an object in place of the list", {"escalations": PLAIN}, "escalations", "an object", "a list"),
    item("257 escalations", {"escalations": [PLAIN] * 257}, "escalations", "257 escalations", "at most 256"),
    item("another field", {"escalations": [], "note": SECRET}, "note", "an unknown field with text", "only escal"),
    item("a field that is a sentence", {"escalations": [], f"{SECRET} fell": 1}, "(a name", "with a number", "only"),
]


@pytest.mark.parametrize("bad", ENVELOPES, ids=lambda bad: bad.name)
def test_a_malformed_envelope_is_refused_by_name(bad: Bad, service: TestClient) -> None:
    response = service.post("/predict/batch", content=bad.content, headers=JSON)

    assert response.status_code == 422
    assert_names_the_field(response.json(), bad)
    assert SECRET not in response.text


def test_a_thousand_unknown_fields_get_a_short_answer(service: TestClient) -> None:
    response = service.post("/predict", json=PLAIN | {f"field_{at}": at for at in range(1_000)})

    assert response.status_code == 422
    assert len(response.json()["errors"]) == 20
