"""The pages of insight reports: make one, see those that were made, read one, take it away as a file."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from markupsafe import Markup

from riskmodel.casebook import AuditEvent
from riskmodel.records import LANGUAGES, Language
from riskmodel.reports.insight import html, making, rendering, storing
from riskmodel.reports.insight.periods import asked_for
from riskmodel.reports.insight.records import Asked, Comparison, Report, ReportError
from riskmodel.service.page.problems import PageRoute
from riskmodel.service.page.visit import Visit, someone
from riskmodel.service.routes.escalations import record
from riskmodel.service.running import running

PATH = "/review/reports"
ON_A_PAGE = 30
MOST_NUMBER = 2**63 - 1

router = APIRouter(prefix=PATH, include_in_schema=False, route_class=PageRoute)

Lead = Annotated[Visit, Depends(someone("lead"))]
Id = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9-]+$")]


@router.get("")
async def reports(visit: Lead, before: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None) -> Response:
    """Show the reports that were made, and a form to make one."""
    database = running(visit.request).parts.casebook.database
    listed = await asyncio.to_thread(storing.page, database, ON_A_PAGE + 1, before)
    more = listed[ON_A_PAGE - 1].number if len(listed) > ON_A_PAGE else None
    return visit.page("reports.html", here="reports", listed=listed[:ON_A_PAGE], more=more)


@router.post("")
async def make(visit: Lead) -> Response:
    """Make a report, keep it, and show it."""
    parts = running(visit.request).parts
    asked = _asked(visit)
    database, policy = parts.casebook.database, parts.desk.policy
    made = await asyncio.to_thread(making.make, database, asked, visit.name, policy, visit.now)
    person = visit.person
    request_id = visit.request.state.request_id
    event = AuditEvent(visit.now, person.name, person.key_id, person.role, "make report", made.id, request_id)
    await asyncio.to_thread(storing.keep, database, made, event)
    return visit.go(f"{PATH}/{made.id}")


@router.get("/{id}")
async def report(visit: Lead, id: Id) -> Response:
    """Show a report."""
    return await _shown(visit, await _read(visit, id), None)


@router.post("/{id}/again")
async def again(visit: Lead, id: Id) -> Response:
    """Make the figures of a report again, and say what differs and why."""
    parts = running(visit.request).parts
    found = await _read(visit, id)
    compared = await asyncio.to_thread(making.make_again, parts.casebook.database, found, parts.desk.policy)
    return await _shown(visit, found, compared)


@router.get("/{id}/file/{form}")
async def file(visit: Lead, id: Id, form: rendering.Format, words: Language | None = None) -> Response:
    """Return a report as a file. Who took it away is recorded."""
    parts = running(visit.request).parts
    found = await _read(visit, id)
    base = parts.contacts.base_url or ""
    language = words or visit.t.language
    made = await asyncio.to_thread(rendering.render, parts.casebook.database, found, form, language, base)
    await record(visit.request, visit.person, "export", f"report {found.id} as {form}")
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=made.media_type, headers=headers)


async def _read(visit: Visit, id_: str) -> Report:
    return await asyncio.to_thread(storing.read, running(visit.request).parts.casebook.database, id_)


async def _shown(visit: Visit, found: Report, compared: Comparison | None) -> Response:
    database = running(visit.request).parts.casebook.database
    document = await asyncio.to_thread(rendering.written, database, found, visit.t.language)
    return visit.page(
        "report.html",
        here="reports",
        report=found,
        document=document,
        body=Markup(html.body(document)),
        compared=compared,
        formats=rendering.FORMATS,
        languages_of_words=LANGUAGES,
    )


def _asked(visit: Visit) -> Asked:
    """Return what a form asks for.

    Raises:
        ReportError: if that cannot be reported on.
    """
    return asked_for(
        _day(visit.field("from")),
        _day(visit.field("to")),
        now=visit.now,
        zone=visit.field("zone").strip() or "UTC",
        market=visit.field("market").strip().upper() or None,
        language=visit.field("language") or None,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ReportError("A day: found text of another form, expected one such as 2026-01-31.") from None
