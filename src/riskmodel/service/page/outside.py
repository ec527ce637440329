"""Somebody who came by a link in, the page that it opens out: no account, no cookie, in the language of their browser.

The link itself is the secret, so that no other site can send a form here; what comes from one is refused all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from riskmodel.casework import UnknownHandoffError, UnknownLinkError, UnknownQuestionError
from riskmodel.errors import CasebookUnavailableError, FieldProblem, RiskmodelError
from riskmodel.service.errors import (
    BodyTooLargeError,
    BusyError,
    EnvelopeError,
    ForbiddenError,
    MediaTypeError,
    NotReadyError,
    RequestError,
)
from riskmodel.service.page import rendering
from riskmodel.service.page.catalogue import Catalogue, catalogue, choose
from riskmodel.service.page.visit import LANGUAGE_NAMES, SEE_OTHER, read_form

MAX_NAME_CHARACTERS = 64
# Each kind of error with its status and its words, below ``guest.problem``.
_KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (UnknownLinkError, 404, "link"),
    (UnknownHandoffError, 404, "link"),
    (UnknownQuestionError, 404, "link"),
    (BusyError, 429, "busy"),
    (CasebookUnavailableError, 503, "unavailable"),
    (NotReadyError, 503, "unavailable"),
    (ForbiddenError, 403, "refused"),
    (MediaTypeError, 415, "refused"),
    (BodyTooLargeError, 413, "refused"),
    (RequestError, 422, "refused"),
    (RequestValidationError, 422, "refused"),
    (Exception, 500, "unexpected"),
)


@dataclass(frozen=True)
class Guest:
    """One request of somebody who came by a link."""

    request: Request
    t: Catalogue
    now: datetime
    form: Mapping[str, list[str]]

    def field(self, name: str) -> str:
        """Return a field of the form, without space around; empty if it has none."""
        return self.form.get(name, [""])[0].strip()

    @property
    def name(self) -> str:
        """Return what they say their name is.

        Raises:
            EnvelopeError: if they say none that can be kept.
        """
        given = self.field("name")
        if not given or len(given) > MAX_NAME_CHARACTERS or not given.isprintable():
            raise EnvelopeError(FieldProblem("name", "none that can be kept", f"1 to {MAX_NAME_CHARACTERS} characters"))
        return given

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        """Return a page."""
        own = {"t": self.t, "now": self.now, "languages": LANGUAGE_NAMES, "path": self.request.url.path}
        return rendering.page(self.request, template, status, own | shown)

    def back(self, **query: str) -> Response:
        """Send the browser to the page again, in the same language."""
        wanted = self.request.query_params.get("language")
        given = query | ({"language": self.t.language} if wanted else {})
        address = self.request.url.path + "?" + "&".join(f"{name}={value}" for name, value in given.items())
        return Response(status_code=SEE_OTHER, headers={"Location": address})


async def guest(request: Request) -> Guest:
    """Return who came, with the form if there is one.

    Raises:
        ForbiddenError: if a page of another site sent it.
    """
    form: dict[str, list[str]] = {}
    if request.method == "POST":
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise ForbiddenError(FieldProblem("form", "one of another site", "the page's own"))
        form = await read_form(request)
    return Guest(request, _catalogue(request), datetime.now(UTC), form)


class OutsideRoute(APIRoute):
    """A route whose errors are pages for people outside."""

    def get_route_handler(self) -> Any:
        """Return the handler, with expected errors answered for people."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except (RiskmodelError, RequestValidationError) as error:
                status, kind = next((status, kind) for cls, status, kind in _KINDS if isinstance(error, cls))
                found = Guest(request, _catalogue(request), datetime.now(UTC), {})
                response = found.page("outside_problem.html", status, kind=kind, request_id=request.state.request_id)
                if status in (429, 503):
                    response.headers["Retry-After"] = str(getattr(error, "retry_after", 2))
                return response

        return handle


def _catalogue(request: Request) -> Catalogue:
    return catalogue(choose(request.query_params.get("language"), request.headers.get("accept-language", "")))
