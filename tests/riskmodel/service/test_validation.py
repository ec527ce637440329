"""A part of a request that is refused is named, with what is expected there, and its value is not repeated."""

import io
from typing import Any
from uuid import UUID

import pytest
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from pydantic import BaseModel, ValidationError

from riskmodel.service.errors import problem_of
from riskmodel.service.validation import NOTHING_LIKE_IT

SECRET = "marisol"
TIME = "a time with a zone, RFC 3339, such as 2026-01-31T18:00:00Z"
QUERIES = [
    ("/escalations?limit=marisol", "limit", "text in the query", "a whole number"),
    ("/escalations?limit=0", "limit", "text in the query", "1 or more"),
    ("/escalations?limit=201", "limit", "text in the query", "200 or less"),
    ("/escalations?limit=" + "9" * 5_000, "limit", "text in the query", "a whole number"),
    ("/escalations?rating=marisol", "rating", "text in the query", "one of 'low', 'medium', 'high' or 'critical'"),
    ("/escalations?from=marisol", "from", "text in the query", TIME),
    ("/escalations?before=2026-01-01T10:00:00", "before", "text in the query", TIME),
    ("/escalations?market=marisol", "market", "text in the query", "at most 2 characters"),
    ("/escalations?team=marisol%00", "team", "text in the query", "text of the form ^[^\\x00]*$"),
    ("/escalations?marisols_note=1", "marisols_note", "text in the query", "only the fields in /docs"),
    ("/escalations?marisol+was+here=1", "(a name", "text in the query", "only the fields in /docs"),
    ("/escalations/" + "marisol" * 20, "id", "text in the path", "at most 128 characters"),
    ("/audit?before=marisol", "before", "text in the query", "a whole number"),
]


@pytest.mark.parametrize(("path", "field", "found", "expected"), QUERIES, ids=[query[0][:40] for query in QUERIES])
def test_a_part_that_is_refused_is_named_and_never_repeated(
    path: str, field: str, found: str, expected: str, service: TestClient, logs: io.StringIO
) -> None:
    response = service.get(path)

    assert response.status_code == 422
    problem = response.json()
    assert problem["type"] == "urn:riskmodel:problem:invalid-request"
    (fault,) = problem["errors"]
    assert fault["field"].startswith(field)
    assert (fault["found"], fault["expected"]) == (found, expected)
    assert problem["detail"] == f"{fault['field']}: found {found}, expected {expected}."
    told = response.text.replace("marisols_note", "") + logs.getvalue()
    assert SECRET not in told


def test_all_parts_that_are_refused_are_named_at_once(service: TestClient) -> None:
    problem = service.get("/escalations?limit=none&rating=none&from=none").json()

    assert [fault["field"] for fault in problem["errors"]] == ["rating", "from", "limit"]


def test_a_kind_of_refusal_that_nobody_foresaw_does_not_quote_what_was_sent() -> None:
    class Asked(BaseModel):
        id: UUID

    with pytest.raises(ValidationError) as caught:
        Asked.model_validate({"id": "marisol"})
    errors: list[Any] = [{**error, "loc": ("query", *error["loc"])} for error in caught.value.errors()]
    assert "`m`" in errors[0]["msg"]

    (fault,) = problem_of(RequestValidationError(errors)).errors

    assert (fault.field, fault.found, fault.expected) == ("id", "text in the query", NOTHING_LIKE_IT)


def test_a_part_that_is_missing_is_named() -> None:
    (fault,) = problem_of(
        RequestValidationError([{"type": "missing", "loc": ("header", "x-part"), "msg": "Field required", "input": {}}])
    ).errors

    assert (fault.field, fault.found, fault.expected) == ("x-part", "no such field in the header", "a value")
