"""Errors in, problem documents (RFC 9457) out; no document repeats a value that a client sent."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from riskmodel.casebook import AmbiguousCaseError, CursorError, UnknownCaseError
from riskmodel.casework import (
    ClosedQuestionError,
    HandoffError,
    HandoffStateError,
    QuestionError,
    UnknownHandoffError,
    UnknownLinkError,
    UnknownMessageError,
    UnknownQuestionError,
)
from riskmodel.casework.incidents import EditError, UnknownIncidentError
from riskmodel.errors import (
    CasebookError,
    CasebookUnavailableError,
    EscalationError,
    FieldProblem,
    RiskmodelError,
)
from riskmodel.records import Record
from riskmodel.reports.insight.records import ReportError, UnknownReportError
from riskmodel.service.validation import refused_parts

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2  # a model loads in about that time, a database comes back
MAX_FIELD_CHARACTERS = 32
MAX_FAULTS = 20  # a body with a thousand unknown fields needs no longer answer
UNNAMED_FIELD = "(a name that is not repeated here)"
STOPPING = FieldProblem("service", "one that is stopping", "one that runs")
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


class BusyError(RequestError):
    """More waits than can be answered in time; ``retry_after`` says in how many seconds it is worth another try."""

    def __init__(self, retry_after: int, *problems: FieldProblem) -> None:
        super().__init__(*problems)
        self.retry_after = retry_after


class DeadlineError(RequestError):
    """The answer was not ready within the request's deadline."""


class ConflictError(RequestError):
    """Another escalation was sent under the same id or idempotency key."""


class VersionError(RequestError):
    """The model version that the request asks for is not loaded."""


class HeaderError(RequestError):
    """A header of the request has a value that cannot be used."""


class UnauthenticatedError(RequestError):
    """The request carries no key, or one that is not valid."""


class ForbiddenError(RequestError):
    """The key's role may not do this."""


class RateLimitError(BusyError):
    """The key has sent more than its share."""


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
    EnvelopeError: Kind(422, "invalid-body", "The body was refused", "Send an object with the fields in /docs."),
    HeaderError: Kind(422, "invalid-header", "A header was refused", "A header was refused."),
    UnauthenticatedError: Kind(
        401,
        "no-valid-key",
        "A valid key is needed",
        "Send Authorization: Bearer KEY, as `riskmodel keys create` gave it.",
    ),
    ForbiddenError: Kind(403, "role", "The key's role may not do this", "Ask for a key with the role that is needed."),
    UnknownCaseError: Kind(404, "unknown-escalation", "No such escalation", "None is kept under that id for this key."),
    AmbiguousCaseError: Kind(409, "several", "Several clients used that id", "Name one: ?client=NAME."),
    CursorError: Kind(422, "cursor", "The cursor is not one of ours", "Send `next` of the page before, unchanged."),
    UnknownReportError: Kind(404, "unknown-report", "No such report", "None is kept under that id."),
    ReportError: Kind(422, "report", "No report can be made of that", "A field was refused."),
    UnknownHandoffError: Kind(404, "unknown-handoff", "No such hand-off", "None has that number for this key."),
    UnknownLinkError: Kind(404, "unknown-link", "The link opens nothing", "It is unknown, has run out or was ended."),
    UnknownMessageError: Kind(404, "unknown-message", "No such dead letter", "Nothing waits to be sent again there."),
    HandoffError: Kind(422, "invalid-handoff", "That cannot be done with a hand-off", "A field was refused."),
    HandoffStateError: Kind(
        409, "handoff-state", "The hand-off is past that", "It changed since you saw it; read it again."
    ),
    UnknownQuestionError: Kind(404, "unknown-question", "No such question", "None has that number, or no answer."),
    ClosedQuestionError: Kind(409, "question-closed", "The question is closed", "It was answered or withdrawn."),
    QuestionError: Kind(422, "invalid-question", "That cannot be asked or answered", "A field was refused."),
    UnknownIncidentError: Kind(404, "unknown-incident", "No such incident", "None has that number."),
    EditError: Kind(422, "invalid-incident", "That cannot be done with an incident", "A field was refused."),
    ConflictError: Kind(409, "conflict", "The id is taken", "Another escalation was sent under the same id or key."),
    VersionError: Kind(409, "version-not-loaded", "That model version is not loaded", "Send no X-Model-Version."),
    RateLimitError: Kind(429, "rate-limit", "Too many escalations", "The key has sent more than its share; wait."),
    RequestValidationError: Kind(422, "invalid-request", "The request was refused", "A part was refused."),
    ClientGoneError: CLIENT_GONE,
    ClientDisconnect: CLIENT_GONE,
    AssessmentError: Kind(500, "not-assessed", "The escalation could not be assessed", UNEXPECTED.detail),
    NotReadyError: Kind(503, "not-ready", "The service is not ready", "Try again shortly."),
    BusyError: Kind(503, "busy", "More waits than can be answered in time", "Try again after Retry-After seconds."),
    DeadlineError: Kind(503, "deadline", "The answer was not ready in time", "Try again, with the same id or key."),
    CasebookUnavailableError: Kind(
        503, "casebook", "The casebook does not answer", "Nothing was lost or answered; try again shortly."
    ),
    CasebookError: Kind(500, "casebook-fault", "The casebook could not be used", UNEXPECTED.detail),
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
    kind = _kind(error)
    problems: Sequence[FieldProblem] = ()
    if isinstance(error, EscalationError | RequestError):
        problems = error.problems
    elif isinstance(error, HandoffError | QuestionError | EditError):
        problems = (error.problem,)
    elif isinstance(error, RequestValidationError):
        problems = refused_parts(error.errors())
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


def is_worth_a_retry(error: Exception) -> bool:
    """Return whether the same request may be answered in a while."""
    return _kind(error).status == HTTPStatus.SERVICE_UNAVAILABLE


def slug_of(problem: Problem) -> str:
    """Return the last part of a problem's type, which says what kind it is."""
    return problem.type.rpartition(":")[2]


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that carries a problem document."""
    return Response(problem.model_dump_json(), problem.status, headers, MEDIA_TYPE)


def response_to(error: Exception) -> Response:
    """Return the problem document for any error, with the headers that its status asks for."""
    problem = problem_of(error)
    headers = {}
    if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        seconds = error.retry_after if isinstance(error, BusyError) else RETRY_AFTER_SECONDS
        headers["Retry-After"] = str(seconds)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(problem, headers)


def safe_field(name: str) -> str:
    """Return a field's name, shortened, where it looks like an identifier; else a stand-in."""
    if _IDENTIFIER.fullmatch(name) is None:
        return UNNAMED_FIELD
    return name if len(name) <= MAX_FIELD_CHARACTERS else name[:MAX_FIELD_CHARACTERS] + "…"


def _kind(error: Exception) -> Kind:
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), UNEXPECTED)


def _sentence(faults: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.field}: found {fault.found}, expected {fault.expected}" for fault in faults) + "."


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a method that a path does not have."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow")
    faults = [Fault(field="method", found="another method", expected=allowed)] if allowed else []
    title = HTTPStatus(error.status_code).phrase
    detail = "No such path; /docs lists them all." if error.status_code == HTTPStatus.NOT_FOUND else f"{title}."
    problem = Problem(type="about:blank", title=title, status=error.status_code, detail=detail, errors=faults)
    return problem_response(problem, error.headers)


def register(app: FastAPI, count: Callable[[str], None]) -> None:
    """Make every error of the table, and every refusal of the framework, a problem document.

    Args:
        app: the application.
        count: told the last part of the type of every problem of ours.
    """

    async def answer_ours(request: Request, error: Exception) -> Response:
        count(slug_of(problem_of(error)))
        return response_to(error)

    for cls in KINDS:
        app.add_exception_handler(cls, answer_ours)
    app.add_exception_handler(HTTPException, _answer_http)
