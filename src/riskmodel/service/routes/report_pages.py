"""The pages of insight reports: make one, see those that were made, read one, take it away as a file."""

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from markupsafe import Markup

from riskmodel.casebook import AuditEvent
from riskmodel.records import LANGUAGES, Language
from riskmodel.reports.insight import html, making, rendering, schedules, storing
from riskmodel.reports.insight.periods import asked_for
from riskmodel.reports.insight.records import Asked, Comparison, Report, ReportError
from riskmodel.reports.insight.words import words
from riskmodel.service.page.catalogue import Catalogue
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
    found = await asyncio.to_thread(schedules.active, database)
    turns = dict(_turns(visit.t))
    return visit.page(
        "reports.html",
        here="reports",
        listed=listed[:ON_A_PAGE],
        more=listed[ON_A_PAGE - 1].number if len(listed) > ON_A_PAGE else None,
        schedules=found,
        turns={one.number: turns.get(_turn(one.new), _turn(one.new)) for one in found},
        every=list(turns.items()),
        formats=rendering.FORMATS,
    )


@router.post("")
async def make(visit: Lead) -> Response:
    """Make a report, keep it, and show it."""
    parts = running(visit.request).parts
    asked = _asked(visit)
    database, policy = parts.casebook.database, parts.desk.policy
    made = await asyncio.to_thread(making.make, database, asked, visit.name, policy, visit.now)
    await asyncio.to_thread(storing.keep, database, made, _event(visit, "make report", made.id))
    return visit.go(f"{PATH}/{made.id}")


@router.post("/schedules")
async def add_schedule(visit: Lead) -> Response:
    """Have a report made again and again."""
    parts = running(visit.request).parts
    new = schedules.checked(_schedule_of(visit), frozenset(parts.desk.policy.teams), visit.now)
    event = _event(visit, "add schedule", f"every {new.every}")
    await asyncio.to_thread(schedules.add, parts.casebook.database, new, event)
    return visit.go(PATH)


@router.post("/schedules/{number}/end")
async def end_schedule(visit: Lead, number: Annotated[int, Path(ge=1, le=MOST_NUMBER)]) -> Response:
    """End a schedule; the reports that it had made stay."""
    database = running(visit.request).parts.casebook.database
    await asyncio.to_thread(schedules.end, database, number, _event(visit, "end schedule", str(number)))
    return visit.go(PATH)


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
async def file(
    visit: Lead, id: Id, form: rendering.Format, spoken: Annotated[Language | None, Query(alias="words")] = None
) -> Response:
    """Return a report as a file. Who took it away is recorded."""
    parts = running(visit.request).parts
    found = await _read(visit, id)
    base = parts.contacts.base_url or ""
    language = spoken or visit.t.language
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


def _event(visit: Visit, action: str, subject: str) -> AuditEvent:
    person = visit.person
    return AuditEvent(
        visit.now, person.name, person.key_id, person.role, action, subject, visit.request.state.request_id
    )


def _turns(t: Catalogue) -> list[tuple[str, str]]:
    """Return when a report may be made, with what that is called."""
    say = words(t.language)
    weeks = [(f"week-{day}", t("reports.every_week", day=say.long_weekday(day))) for day in range(7)]
    return [*weeks, ("day", t("reports.every_day")), ("month-1", t("reports.every_month"))]


def _turn(new: schedules.NewSchedule) -> str:
    return new.every if new.on_day is None else f"{new.every}-{new.on_day}"


def _schedule_of(visit: Visit) -> dict[str, Any]:
    """Return what a form says of a schedule, by the names of its fields; not checked yet."""
    every, _, on_day = visit.field("turn").partition("-")
    recipients = [one.strip() for one in visit.field("recipients").split(",")]
    return {
        "every": every,
        "on_day": int(on_day) if on_day.isdecimal() else None,
        "at": visit.field("at"),
        "zone": visit.field("zone").strip() or "UTC",
        "market": visit.field("market").strip().upper() or None,
        "language": visit.field("language") or None,
        "words": visit.field("words"),
        "format": visit.field("format"),
        "recipients": [one for one in recipients if one],
    }


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
