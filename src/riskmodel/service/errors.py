"""Errors in, problem documents (RFC 9457) out; no document repeats a value that a client sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from riskmodel.errors import EscalationError, FieldProblem, RiskmodelError
from riskmodel.records import Record

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2  # a model loads in about that time
MAX_FIELD_CHARACTERS = 32
MAX_FAULTS = 20  # a body with a thousand unknown fields needs no longer answer
UNNAMED_FIELD = "(a name that is not repeated here)"
# The names of unknown fields come from the client and could hold anything, a report's text too.
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class RequestError(RiskmodelError):
    """A request was refused or cannot be answered; ``problems`` names what was wrong with which part of it."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class UnreadableBodyError(RequestError):
    """The body is not a JSON document in UTF-8."""


class BodyTooLargeError(RequestError):
    """The body is larger than any legal request."""


class MediaTypeError(RequestError):
    """The Content-Type is missing or another than JSON."""


class EnvelopeError(RequestError):
    """A batch is not an object with a list of escalations."""


class NotReadyError(RequestError):
    """The model is not loaded yet, could not be loaded, or the service is stopping."""


class AssessmentError(RequestError):
    """A valid escalation could not be assessed: a fault of the service."""


class ClientGoneError(RequestError):
    """The client went away before its answer was ready."""


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, the last part of its type, and what it says."""

    status: int
    slug: str
    title: str
    detail: str


UNEXPECTED = Kind(500, "unexpected", "Something went wrong here", "The fault is logged under this request's id.")
CLIENT_GONE = Kind(499, "client-gone", "The client went away", "Nobody waits for this answer.")
KINDS: dict[type[Exception], Kind] = {
    UnreadableBodyError: Kind(400, "unreadable-body", "The body cannot be read", "Send a JSON document in UTF-8."),
    BodyTooLargeError: Kind(413, "body-too-large", "The body is too large", "Send fewer escalations at once."),
    MediaTypeError: Kind(415, "media-type", "The body is of another type", "Send application/json."),
    EscalationError: Kind(422, "invalid-escalation", "The escalation was refused", "A field was refused."),
    EnvelopeError: Kind(422, "invalid-batch", "The batch was refused", "Send an object with the field escalations."),
    RequestValidationError: Kind(422, "invalid-request", "The request was refused", "A part was refused."),
    ClientGoneError: CLIENT_GONE,
    ClientDisconnect: CLIENT_GONE,
    AssessmentError: Kind(500, "not-assessed", "The escalation could not be assessed", UNEXPECTED.detail),
    NotReadyError: Kind(503, "not-ready", "The service is not ready", "Try again shortly."),
}


class Fault(Record):
    """One part of a request that was refused."""

    field: Annotated[str, Field(description="its name; for an unknown field shortened, or withheld")]
    found: Annotated[str, Field(description="the kind of value found, never the value")]
    expected: str


class Problem(Record):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]


def problem_of(error: Exception) -> Problem:
    """Return the document for any error; one that is not in the table is unexpected."""
    kind = next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), UNEXPECTED)
    problems = error.problems if isinstance(error, EscalationError | RequestError) else []
    faults = [
        Fault(field=safe_field(problem.field), found=problem.found, expected=problem.expected)
        for problem in problems[:MAX_FAULTS]
    ]
    return Problem(
        type=f"urn:riskmodel:problem:{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=_sentence(faults) if faults else kind.detail,
        errors=faults,
    )


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that carries a problem document."""
    return Response(problem.model_dump_json(), problem.status, headers, MEDIA_TYPE)


def safe_field(name: str) -> str:
    """Return a field's name, shortened, where it looks like an identifier; else a stand-in."""
    if _IDENTIFIER.fullmatch(name) is None:
        return UNNAMED_FIELD
    return name if len(name) <= MAX_FIELD_CHARACTERS else name[:MAX_FIELD_CHARACTERS] + "…"


def _sentence(faults: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.field}: found {fault.found}, expected {fault.expected}" for fault in faults) + "."


async def _answer_ours(request: Request, error: Exception) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, NotReadyError) else None
    return problem_response(problem_of(error), headers)


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a method that a path does not have."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow")
    faults = [Fault(field="method", found="another method", expected=allowed)] if allowed else []
    title = HTTPStatus(error.status_code).phrase
    detail = "No such path; /docs lists them all." if error.status_code == HTTPStatus.NOT_FOUND else f"{title}."
    problem = Problem(type="about:blank", title=title, status=error.status_code, detail=detail, errors=faults)
    return problem_response(problem, error.headers)


def register(app: FastAPI) -> None:
    """Make every error of the table, and every refusal of the framework, a problem document."""
    for cls in KINDS:
        app.add_exception_handler(cls, _answer_ours)
    app.add_exception_handler(HTTPException, _answer_http)
