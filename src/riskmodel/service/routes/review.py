"""The review pages out: the queue, a case, quality; for analysts and those above them."""

import asyncio
import secrets
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from riskmodel.casebook import UnknownCaseError
from riskmodel.casework import Listed, Offer
from riskmodel.casework.handoff_records import delivery_of
from riskmodel.review import ReviewCase, reading
from riskmodel.review.records import BLIND
from riskmodel.service.page import filtering, marking, rendering, views, wording
from riskmodel.service.page.problems import PageRoute
from riskmodel.service.page.session import last_done
from riskmodel.service.page.visit import Visit, pages, someone
from riskmodel.service.routes.escalations import record
from riskmodel.service.running import running

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

ON_A_PAGE = 30
MOST_NUMBER = 2**63 - 1  # of a case or verdict; a database takes no larger one
NOTES = ("handed", "released", "nothing")

Visitor = Annotated[Visit, Depends(someone())]
Lead = Annotated[Visit, Depends(someone("lead"))]
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
Cursor = Annotated[str | None, Query(max_length=256)]


@router.get("")
async def queue(visit: Visitor, cursor: Cursor = None, note: str | None = None) -> Response:
    """Show what waits, in order."""
    policy = running(visit.request).parts.desk.policy
    shown: dict[str, Any] = {
        "here": "queue",
        "choices": filtering.choices(visit.t, policy, visit.is_lead),
        "note": note if note in NOTES else None,
        "done": last_done(visit.session),
    }
    return visit.page("queue.html", **shown, **await _rows(visit, cursor))


@router.get("/rows")
async def rows(visit: Visitor, cursor: Cursor = None) -> Response:
    """Show more of what waits."""
    return HTMLResponse(visit.fragment("rows.html", **await _rows(visit, cursor)))


@router.get("/waiting")
async def waiting(visit: Visitor) -> Response:
    """Say how much waits."""
    return HTMLResponse(visit.fragment("waiting.html", **await _rows(visit, None, 1)))


@router.get("/cases/{number}")
async def case(visit: Visitor, number: Number) -> Response:
    """Show a case with everything that is known of it. Who read it is recorded."""
    return await case_page(visit, number)


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """Return a file that pages load; to anyone, as the login loads it too."""
    asset = rendering.assets().get(name)
    if asset is None:
        raise UnknownCaseError("No such file.")
    return rendering.asset_response(request, asset)


@router.get("/quality")
async def quality(
    visit: Lead,
    since: Annotated[date | None, Query(alias="from")] = None,
    before: date | None = None,
) -> Response:
    """Show a lead how good the automatic part, the analysts and their agreement are."""
    desk = running(visit.request).parts.desk
    begin, end = (None if day is None else datetime.combine(day, time(), UTC) for day in (since, before))
    summary = await asyncio.to_thread(desk.quality.summary, begin, end)
    return visit.page("quality.html", here="quality", summary=summary, since=since, before=before)


async def case_page(visit: Visit, number: int) -> Response:
    """Return the page of a case."""
    read = partial(running(visit.request).parts.desk.queue.case, number, as_lead=visit.is_lead)
    found = await asyncio.to_thread(read)
    await record(visit.request, visit.person, "read escalation", f"{found.case.client}/{found.case.id}")
    listed, offer = await _handed(visit, found)
    names = [
        name for name in pages(visit.request).colleagues.names() if name not in (found.item.analyst, *found.barred)
    ]
    shown = _shown(visit, found) | await _asked_about(visit, found) | await _belonging(visit, found)
    return visit.page("case.html", colleagues=names, handoffs=listed, offer=offer, **shown)


async def _asked_about(visit: Visit, found: ReviewCase) -> dict[str, Any]:
    """Return the questions about a case with how each got there; of a test only those that the visitor asked."""
    parts, escalation = running(visit.request).parts, found.item.escalation
    questions = await asyncio.to_thread(parts.questions.of, escalation)
    is_test = found.item.purpose in BLIND and not visit.is_lead
    if is_test:
        questions = tuple(question for question in questions if question.asked_by == visit.name)
    sent = {
        question.number: delivery_of(await asyncio.to_thread(parts.outbox.of, "question", question.number))
        for question in questions
    }
    read = reading.rated(found.case, found.item.purpose)
    answers = {answer.number for question in questions for answer in question.answers}
    before = next((kept.assessment for kept in found.case.assessments if not kept.learnt), None)
    return {
        "questions": questions,
        "sent": sent,
        "reminders": await asyncio.to_thread(parts.deadlines.of, escalation) if visit.is_lead else [],
        "unread": bool(answers - set(read.learnt)) and not is_test,
        "again": read if read.learnt else None,
        "before": before if read.learnt else None,
        "ask_teams": parts.desk.policy.teams,
        "ask_outside": parts.contacts.smtp is not None and parts.questions.can_be_answered,
    }


async def _belonging(visit: Visit, found: ReviewCase) -> dict[str, Any]:
    """Return the incident and the campaign that a case belongs to."""
    incidents, escalation = running(visit.request).parts.incidents, found.item.escalation
    return {
        "incident": await asyncio.to_thread(incidents.of, escalation),
        "campaign": await asyncio.to_thread(incidents.campaign_of, escalation),
    }


async def _handed(visit: Visit, found: ReviewCase) -> tuple[list[Listed], Offer | None]:
    """Return the hand-offs of a decided case and what may be handed over; tests look like other cases."""
    item, handoffs = found.item, running(visit.request).parts.handoffs
    if item.state != "decided":
        return [], None
    if item.purpose in BLIND and not visit.is_lead:
        own = next(verdict for verdict in reversed(found.verdicts) if verdict.review == item.number)
        return [], await asyncio.to_thread(handoffs.offer, item.escalation, own)
    return await asyncio.to_thread(handoffs.of, item.escalation), await asyncio.to_thread(
        handoffs.offer, item.escalation
    )


def _shown(visit: Visit, found: ReviewCase) -> dict[str, Any]:
    desk = running(visit.request).parts.desk
    assessment, item = found.assessment, found.item
    return {
        "case": found,
        "query": query_of(visit),
        "yours": item.analyst == visit.name and item.state in ("claimed", "held"),
        "lost": None,
        "veiled": wording.is_severe(assessment, desk.settings.blur_from),
        "pieces": marking.pieces(found.case.text, assessment.explanation.evidence),
        "table": views.table(desk.policy, assessment),
        "may_lift": item.source is None or item.source in desk.policy.floor.sources,
        "lifted": wording.is_lifted(assessment),
        "chosen": [category.name for category in assessment.categories],
        "category_order": views.category_order(desk.policy, assessment),
        "verdicts": found.verdicts,
        "client_token": secrets.token_urlsafe(18),
        "done": last_done(visit.session),
        "note": None,
    }


async def _rows(visit: Visit, cursor: str | None, limit: int = ON_A_PAGE) -> dict[str, Any]:
    desk = running(visit.request).parts.desk
    asked = asked_of(visit)
    found = await asyncio.to_thread(desk.queue.page, filtering.filters(asked, visit.name), cursor, limit, visit.now)
    return {
        "asked": asked,
        "found": found,
        "waiting": f"{found.waiting:,}{'+' if found.more_waiting else ''}",
        "query": query_of(visit),
        "more": filtering.address("", asked, cursor=found.next_cursor or ""),
    }


def asked_of(visit: Visit) -> dict[str, str]:
    """Return the filters in the address of a visit."""
    desk = running(visit.request).parts.desk
    return filtering.asked(visit.request.query_params, desk.policy, visit.is_lead)


def query_of(visit: Visit) -> str:
    """Return the filters in the address of a visit, as the end of a link."""
    return filtering.address("", asked_of(visit))
