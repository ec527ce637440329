"""What was refused or went wrong in, a page that says so out; for the page's script a few fields of JSON."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from riskmodel.casebook import CursorError, UnknownCaseError
from riskmodel.casework import (
    ClosedQuestionError,
    HandoffError,
    HandoffStateError,
    QuestionError,
    UnknownHandoffError,
    UnknownMessageError,
    UnknownQuestionError,
)
from riskmodel.casework.incidents import EditError, UnknownIncidentError
from riskmodel.errors import CasebookError, CasebookUnavailableError, RiskmodelError
from riskmodel.reports.insight.records import ReportError, UnknownReportError
from riskmodel.review import ChangedError, NotForYouError, TakenError, UnknownReviewError, VerdictError
from riskmodel.service.errors import (
    BodyTooLargeError,
    EnvelopeError,
    ForbiddenError,
    MediaTypeError,
    NotReadyError,
    UnauthenticatedError,
)
from riskmodel.service.page.visit import SEE_OTHER, Visit, anyone, asks_by_script

LOGIN, QUEUE = "/review/login", "/review"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
# Each kind of error with its status and the words it gets in the catalogues.
KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (ForbiddenError, 403, "role"),
    (UnknownCaseError, 404, "unknown"),
    (UnknownReviewError, 404, "unknown"),
    (UnknownReportError, 404, "unknown_report"),
    (ReportError, 422, "report"),
    (UnknownIncidentError, 404, "unknown_incident"),
    (EditError, 422, "incident"),
    (NotForYouError, 409, "not_for_you"),
    (TakenError, 409, "taken"),
    (ChangedError, 409, "taken"),
    (VerdictError, 422, "verdict"),
    (UnknownHandoffError, 404, "unknown_handoff"),
    (UnknownMessageError, 404, "unknown_handoff"),
    (HandoffStateError, 409, "handoff_state"),
    (HandoffError, 422, "handoff"),
    (UnknownQuestionError, 404, "unknown_question"),
    (ClosedQuestionError, 409, "closed_question"),
    (QuestionError, 422, "question"),
    (CursorError, 422, "refused"),
    (RequestValidationError, 422, "refused"),
    (EnvelopeError, 422, "refused"),
    (MediaTypeError, 415, "refused"),
    (BodyTooLargeError, 413, "refused"),
    (NotReadyError, 503, "unavailable"),
    (CasebookUnavailableError, 503, "unavailable"),
    (CasebookError, 422, "refused"),
    (Exception, 500, "unexpected"),
)


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Handler:
        """Return the handler, with expected errors answered for people."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except (RiskmodelError, RequestValidationError) as error:
                return await _answer(request, error)

        return handle


async def _answer(request: Request, error: Exception) -> Response:
    wants_json = asks_by_script(request)
    status, kind = next((status, kind) for cls, status, kind in KINDS if isinstance(error, cls))
    if isinstance(error, UnauthenticatedError):
        return JSONResponse({}, HTTPStatus.UNAUTHORIZED) if wants_json else _to_login(request)
    visit = await _visit(request)
    what = _what(visit, kind, error)
    if wants_json:
        said = {"why": what if kind == "verdict" else visit.t(f"problem.{kind}.title")}
        if isinstance(error, ChangedError):
            said["html"] = conflict(visit, error)
        return JSONResponse(said, status)
    headers = {"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    response = visit.page("problem.html", status, kind=kind, what=what, request_id=request.state.request_id)
    response.headers.update(headers)
    return response


def _what(visit: Visit, kind: str, error: Exception) -> str:
    """Return what happened, in words; of a verdict, a hand-off, a question or an incident,
    which of its fields cannot be."""
    field = (
        error.problem.field if isinstance(error, VerdictError | HandoffError | QuestionError | EditError) else "what"
    )
    return visit.t(f"problem.{kind}.{field}")


def conflict(visit: Visit, error: ChangedError) -> str:
    """Return the part of a page that shows a case as it is now, beside what somebody entered for it."""
    return visit.fragment("conflict.html", current=error.current)


async def _visit(request: Request) -> Visit:
    """Return a visit for a page about an error: of nobody, as who it is may be what went wrong."""
    plain = Request({**request.scope, "method": "GET"})
    return await anyone(plain)


def _to_login(request: Request) -> Response:
    """Send a browser to the login, and from there back to the page; back to the queue after an action."""
    url = request.url
    wanted = url.path + (f"?{url.query}" if url.query else "") if request.method == "GET" else QUEUE
    return Response(status_code=SEE_OTHER, headers={"Location": f"{LOGIN}?next={quote(wanted, safe='')}"})
