"""A request in, a visit out: who came, with which role, in which language; and the pages that are shown to them."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response
from markupsafe import Markup

from riskmodel.casebook import ROLES, Role
from riskmodel.errors import FieldProblem
from riskmodel.service.errors import BodyTooLargeError, EnvelopeError, MediaTypeError
from riskmodel.service.page import rendering
from riskmodel.service.page.catalogue import Catalogue, catalogue, choose
from riskmodel.service.page.session import (
    CSRF_FIELD,
    CSRF_HEADER,
    LEAST_ROLE,
    Colleagues,
    Session,
    Sessions,
    check_csrf,
)
from riskmodel.service.running import running
from riskmodel.service.security import Caller

LANGUAGE_NAMES = (("en", "English"), ("es", "Español"), ("pt", "Português"))
FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES, MAX_FIELDS = 64 * 1024, 500
SEE_OTHER = 303
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Pages:
    """What all visits share."""

    sessions: Sessions = field(default_factory=Sessions)
    colleagues: Colleagues = field(default_factory=Colleagues)


@dataclass(frozen=True)
class Visit:
    """One request of somebody's browser."""

    request: Request
    session: Session
    caller: Caller | None
    t: Catalogue
    now: datetime
    form: Mapping[str, list[str]]

    @property
    def person(self) -> Caller:
        """Return who came, to a route that lets nobody in without a key."""
        assert self.caller is not None
        return self.caller

    @property
    def name(self) -> str:
        """Return the name of who came."""
        return self.person.name

    @property
    def is_lead(self) -> bool:
        """Whether the visitor leads."""
        return self.caller is not None and ROLES.index(self.caller.role) >= ROLES.index("lead")

    def field(self, name: str) -> str:
        """Return a field of the form; empty if it has none."""
        return self.form.get(name, [""])[0]

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        """Return a page, with the session in its cookie."""
        response = rendering.page(self.request, template, status, self.shared() | shown)
        pages(self.request).sessions.write(self.request, response, self.session)
        return response

    def fragment(self, template: str, **shown: Any) -> str:
        """Return a part of a page."""
        return rendering.environment().get_template(template).render(self.shared() | shown)

    def go(self, address: str, session: Session | None = None) -> Response:
        """Send the browser on, with a session that says what was done."""
        response = Response(status_code=SEE_OTHER, headers={"Location": address})
        pages(self.request).sessions.write(self.request, response, session or self.session)
        return response

    def shared(self) -> dict[str, Any]:
        """Return what every template may use."""
        url = self.request.url
        token = Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, self.session.csrf)
        return {
            "t": self.t,
            "session": self.session,
            "caller": self.caller,
            "is_lead": self.is_lead,
            "now": self.now,
            "languages": LANGUAGE_NAMES,
            "address": url.path + (f"?{url.query}" if url.query else ""),
            "token": lambda: token,
            "here": "",
        }


def asks_by_script(request: Request) -> bool:
    """Return whether a page's script asks, and not a browser that shows the answer."""
    return "application/json" in request.headers.get("accept", "") or "hx-request" in request.headers


def pages(request: Request) -> Pages:
    """Return what all visits share."""
    found: Pages = request.app.state.pages
    return found


async def anyone(request: Request) -> Visit:
    """Return the visit of whoever comes to log in, with the form checked if there is one."""
    session = pages(request).sessions.read(request)
    language = choose(session.language, request.headers.get("accept-language", ""))
    form: dict[str, list[str]] = {}
    if request.method == "POST":
        form = await read_form(request)
        check_csrf(session, request.headers.get(CSRF_HEADER) or form.get(CSRF_FIELD, [None])[0])
    return Visit(request, session, None, catalogue(language), datetime.now(UTC), form)


def someone(role: Role = LEAST_ROLE) -> Callable[[Request], Coroutine[Any, Any, Visit]]:
    """Return the dependency of a route that only people of a role, or a higher one, may use."""

    async def visit(request: Request) -> Visit:
        session = pages(request).sessions.read(request)
        caller = await _caller(request, session, role)
        found = await anyone(request)
        return Visit(request, found.session, caller, found.t, found.now, found.form)

    return visit


def whole_number(given: str, name: str) -> int:
    """Return the number that a field of a form holds.

    Raises:
        EnvelopeError: if it holds none.
    """
    if _WHOLE.fullmatch(given) is None:
        raise EnvelopeError(FieldProblem(name, "something else", "a whole number"))
    return int(given)


async def _caller(request: Request, session: Session, role: Role) -> Caller:
    parts, colleagues = running(request).parts, pages(request).colleagues
    if session.name is None:
        return await parts.door.admit(None, role)  # lets in where keys are off
    if colleagues.is_stale:
        keys = await asyncio.to_thread(parts.casebook.keys.keys)
        colleagues.update([key for key in keys if key.is_valid(datetime.now(UTC))])
    return colleagues.caller(session, role)


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form.

    Raises:
        MediaTypeError: if the body is something else; a form of another site cannot send anything but this.
        BodyTooLargeError: if it is larger than any form of ours.
        EnvelopeError: if it cannot be read.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in ("", FORM_TYPE):
        raise MediaTypeError(FieldProblem("Content-Type", "another type", FORM_TYPE))
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise BodyTooLargeError(FieldProblem("form", f"{len(body):,} bytes", f"at most {MAX_FORM_BYTES:,} bytes"))
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise EnvelopeError(FieldProblem("form", "one that cannot be read", "fields in UTF-8")) from None
