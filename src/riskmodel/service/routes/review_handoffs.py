"""Hand-offs for the desk's people: what is with which team, how it got there, and what a person does about it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse

from riskmodel.casebook import AuditEvent
from riskmodel.casework import ACTIONS, STATES, Actor, Handoff, HandoffFilters
from riskmodel.service.page import filtering, wording
from riskmodel.service.page.problems import PageRoute
from riskmodel.service.page.visit import Visit, someone, whole_number
from riskmodel.service.routes.escalations import record
from riskmodel.service.routes.review import Cursor, Number
from riskmodel.service.running import running

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

PAGE = "/review/handoffs"
ON_A_PAGE = 30
DONE = ("opened", "acknowledged", "refused", "mitigated", "withdrawn", "again")
FLAGS = ("late", "needs_desk")
SET = "1"

Visitor = Annotated[Visit, Depends(someone())]
Done = Annotated[str | None, Query(max_length=16)]


@router.get("/handoffs")
async def handoffs(visit: Visitor, cursor: Cursor = None) -> Response:
    """Show hand-offs, the newest first."""
    parts = running(visit.request).parts
    shown: dict[str, Any] = {
        "here": "handoffs",
        "teams": list(parts.desk.policy.teams),
        "states": STATES,
        "reached": bool(parts.contacts.teams),
    }
    return visit.page("handoffs.html", **shown, **await _rows(visit, cursor))


@router.get("/handoffs/rows")
async def rows(visit: Visitor, cursor: Cursor = None) -> Response:
    """Show more of them."""
    return HTMLResponse(visit.fragment("handoff_rows.html", **await _rows(visit, cursor)))


@router.get("/handoffs/{number}")
async def handoff(visit: Visitor, number: Number, done: Done = None) -> Response:
    """Show a hand-off with all that happened to it. Who read it is recorded."""
    parts = running(visit.request).parts
    whole = await asyncio.to_thread(parts.handoffs.whole, number)
    await record(visit.request, visit.person, "read hand-off", str(number))
    return visit.page(
        "handoff.html",
        here="handoffs",
        whole=whole,
        done=done if done in DONE else None,
        actions=ACTIONS,
        teams=[team for team in parts.desk.policy.teams if team != whole.handoff.team],
        veiled=wording.is_severe(whole.assessment, parts.desk.settings.blur_from),
    )


@router.post("/cases/{number}/hand-off")
async def hand_off(visit: Visitor, number: Number) -> Response:
    """Hand a case over to a team."""
    parts = running(visit.request).parts
    case = await asyncio.to_thread(partial(parts.desk.queue.case, number, as_lead=visit.is_lead))
    act = partial(parts.handoffs.open, note=visit.field("note").strip())
    opened = await asyncio.to_thread(act, case.item.escalation, visit.field("team"), _actor(visit), visit.now)
    return _see(visit, opened.number, "opened")


@router.post("/handoffs/{number}/hand-on")
async def hand_on(visit: Visitor, number: Number) -> Response:
    """Hand what a team refused to another one."""
    found = running(visit.request).parts.handoffs
    refused = (await asyncio.to_thread(found.whole, number)).handoff
    act = partial(found.open, note=visit.field("note").strip(), follows=number)
    opened = await asyncio.to_thread(act, refused.escalation, visit.field("team"), _actor(visit), visit.now)
    return _see(visit, opened.number, "opened")


@router.post("/handoffs/{number}/acknowledge")
async def acknowledge(visit: Visitor, number: Number) -> Response:
    """Acknowledge for a team that said so otherwise, such as by telephone."""
    found = running(visit.request).parts.handoffs
    return await _act(visit, partial(found.acknowledge, number, _actor(visit), visit.now))


@router.post("/handoffs/{number}/refuse")
async def refuse(visit: Visitor, number: Number) -> Response:
    """Record that a team gave it back."""
    found = running(visit.request).parts.handoffs
    return await _act(visit, partial(found.refuse, number, _actor(visit), visit.field("reason").strip(), visit.now))


@router.post("/handoffs/{number}/mitigate")
async def mitigate(visit: Visitor, number: Number) -> Response:
    """Record what a team did."""
    found, note = running(visit.request).parts.handoffs, visit.field("note").strip()
    actions = visit.form.get("action", [])
    return await _act(visit, partial(found.mitigate, number, _actor(visit), actions, note, visit.now))


@router.post("/handoffs/{number}/withdraw")
async def withdraw(visit: Visitor, number: Number) -> Response:
    """Take back what its team did not acknowledge yet."""
    found = running(visit.request).parts.handoffs
    return await _act(visit, partial(found.withdraw, number, _actor(visit), visit.field("reason").strip(), visit.now))


@router.post("/messages/{number}/again")
async def send_again(visit: Visitor, number: Number) -> Response:
    """Send a dead letter again; who wants it is recorded."""
    person, request_id = visit.person, visit.request.state.request_id
    event = AuditEvent(
        visit.now, person.name, person.key_id, person.role, "send again", f"message {number}", request_id
    )
    message = await asyncio.to_thread(running(visit.request).parts.outbox.send_again, number, event)
    return _see(visit, message.subject, "again")


async def _act(visit: Visit, act: Callable[..., Handoff]) -> Response:
    version = whole_number(visit.field("version"), "version")
    changed = await asyncio.to_thread(partial(act, version=version))
    return _see(visit, changed.number, changed.state)


async def _rows(visit: Visit, cursor: str | None) -> dict[str, Any]:
    asked = _asked(visit)
    given: dict[str, Any] = {name: value == SET if name in FLAGS else value for name, value in asked.items()}
    found = running(visit.request).parts.handoffs
    page = await asyncio.to_thread(found.page, HandoffFilters(**given), cursor, ON_A_PAGE, visit.now)
    more = filtering.address("", asked, cursor=page.next_cursor or "")
    return {"asked": asked, "found": page, "more": more}


def _asked(visit: Visit) -> dict[str, str]:
    """Return the filters of the address that can be used; others are left out, as a link may be old."""
    query, teams = visit.request.query_params, running(visit.request).parts.desk.policy.teams
    found = {name: SET for name in FLAGS if query.get(name) == SET}
    for name, known in (("team", teams), ("state", STATES)):
        if query.get(name) in known:
            found[name] = query[name]
    return found


def _actor(visit: Visit) -> Actor:
    return Actor(visit.name, "desk")


def _see(visit: Visit, number: int, done: str) -> Response:
    return visit.go(f"{PAGE}/{number}?done={done}")
