"""A key in, a session out; and its end, and its language."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from riskmodel.records import LANGUAGES
from riskmodel.service.errors import ForbiddenError, UnauthenticatedError
from riskmodel.service.page import rendering
from riskmodel.service.page.problems import QUEUE, PageRoute
from riskmodel.service.page.session import COOKIE, LEAST_ROLE, begun
from riskmodel.service.page.visit import Visit, anyone, pages
from riskmodel.service.running import running

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

Anyone = Annotated[Visit, Depends(anyone)]


@router.get("/login")
async def login(visit: Anyone, next: str = QUEUE) -> Response:
    """Ask for a key. Who follows a link from elsewhere comes without a cookie, and is sent once more by this page."""
    request = visit.request
    if request.headers.get("sec-fetch-site") == "cross-site" and COOKIE not in request.cookies:
        return rendering.page(request, "again.html", HTTPStatus.OK, {"t": visit.t, "address": own(next)})
    return visit.page("login.html", next=own(next), problem="")


@router.post("/login")
async def enter(visit: Anyone) -> Response:
    """Let in whoever has the key of an analyst, or of those above."""
    door = running(visit.request).parts.door
    secret = visit.field("key").strip()
    try:
        caller = await door.admit(secret, LEAST_ROLE)
    except (UnauthenticatedError, ForbiddenError):
        return visit.page("login.html", HTTPStatus.FORBIDDEN, next=own(visit.field("next")), problem="refused")
    return visit.go(own(visit.field("next")), begun(visit.session, caller))


@router.post("/logout")
async def leave(visit: Anyone) -> Response:
    """End a session in this browser."""
    response = visit.go("/review/login")
    pages(visit.request).sessions.end(visit.request, response)
    return response


@router.get("/language/{language}")
async def speak(visit: Anyone, language: str, next: str = QUEUE) -> Response:
    """Show the pages in another language."""
    chosen = language if language in LANGUAGES else visit.t.language
    return visit.go(own(next), replace(visit.session, language=chosen))


def own(address: str) -> str:
    """Return an address if it is one of these pages, else the queue's; nobody is sent elsewhere from here."""
    is_own = address == QUEUE or address.startswith((f"{QUEUE}/", f"{QUEUE}?"))
    return address if is_own and address.isascii() and address.isprintable() and "\\" not in address else QUEUE
