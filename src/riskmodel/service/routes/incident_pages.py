"""The pages of incidents and campaigns: what belongs together and why; joined, split and named by hand."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from riskmodel.casebook import AuditEvent
from riskmodel.casework.incidents import EditError, Filters, Incident
from riskmodel.policy import Policy
from riskmodel.records import RATINGS
from riskmodel.service.page import filtering
from riskmodel.service.page.problems import PageRoute
from riskmodel.service.page.visit import SEE_OTHER, Visit, someone
from riskmodel.service.routes.escalations import record
from riskmodel.service.routes.incidents import MOST_NUMBER, edit_event
from riskmodel.service.routes.review import Cursor, Number
from riskmodel.service.running import running

PATH, CAMPAIGNS = "/review/incidents", "/review/campaigns"
ON_A_PAGE, CAMPAIGNS_SHOWN = 30, 5
CORROBORATED = "1"

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

Visitor = Annotated[Visit, Depends(someone())]


@router.get("/incidents")
async def incidents(visit: Visitor, cursor: Cursor = None) -> Response:
    """Show the incidents, those with the newest report first, and the newest campaigns above them."""
    parts = running(visit.request).parts
    asked = _asked(visit, parts.desk.policy)
    filters = Filters(
        category=asked.get("category"),
        rating=asked.get("rating"),
        corroborated=True if "corroborated" in asked else None,
    )
    found = await asyncio.to_thread(parts.incidents.page, filters, cursor, ON_A_PAGE)
    campaigns = await asyncio.to_thread(parts.incidents.campaigns, None, CAMPAIGNS_SHOWN)
    return visit.page(
        "incidents.html",
        here="incidents",
        asked=asked,
        choices={"rating": RATINGS[::-1], "category": parts.desk.policy.category_names},
        found=found,
        campaigns=campaigns if cursor is None else None,
        more=filtering.address(PATH, asked, cursor=found.next_cursor or ""),
    )


@router.get("/incidents/{number}")
async def incident(visit: Visitor, number: Number) -> Response:
    """Show an incident with its reports, sources and timeline. Who read it is recorded."""
    parts = running(visit.request).parts
    found = await asyncio.to_thread(parts.incidents.get, number)
    if found.incident.merged_into is not None:
        return Response(status_code=SEE_OTHER, headers={"Location": f"{PATH}/{found.incident.merged_into}"})
    await record(visit.request, visit.person, "read incident", str(number))
    return visit.page("incident.html", here="incidents", found=found)


@router.get("/campaigns")
async def campaigns(visit: Visitor, cursor: Cursor = None) -> Response:
    """Show all campaigns, those with the newest report first."""
    parts = running(visit.request).parts
    found = await asyncio.to_thread(parts.incidents.campaigns, cursor, ON_A_PAGE)
    more = filtering.address(CAMPAIGNS, {}, cursor=found.next_cursor or "")
    return visit.page("campaigns.html", here="incidents", campaigns=found, more=more)


@router.get("/campaigns/{number}")
async def campaign(visit: Visitor, number: Number) -> Response:
    """Show a campaign with its reports. Who read it is recorded."""
    parts = running(visit.request).parts
    found = await asyncio.to_thread(parts.incidents.campaign, number)
    await record(visit.request, visit.person, "read campaign", str(number))
    return visit.page("campaign.html", here="incidents", found=found)


@router.post("/incidents/{number}/name")
async def name(visit: Visitor, number: Number) -> Response:
    """Give an incident a name."""
    editing, given = running(visit.request).parts.editing, visit.field("name")
    return await _edit(visit, "name incident", number, lambda by: editing.rename(number, given, by))


@router.post("/incidents/{number}/split")
async def split(visit: Visitor, number: Number) -> Response:
    """Take the chosen reports out, and show the incident that they are now."""
    editing, chosen = running(visit.request).parts.editing, [_number(one) for one in visit.form.get("report", [])]
    return await _edit(visit, "split incident", number, lambda by: editing.split(number, chosen, by))


@router.post("/incidents/{number}/add")
async def add(visit: Visitor, number: Number) -> Response:
    """Put the report of a case into an incident."""
    parts, review = running(visit.request).parts, _number(visit.field("case"))
    case = await asyncio.to_thread(parts.desk.queue.case, review)
    report = case.item.escalation
    return await _edit(visit, "add to incident", number, lambda by: parts.editing.add(number, report, by))


@router.post("/incidents/{number}/merge")
async def merge(visit: Visitor, number: Number) -> Response:
    """Make another incident part of this one."""
    editing, other = running(visit.request).parts.editing, _number(visit.field("other"))
    return await _edit(visit, "merge incidents", number, lambda by: editing.merge(number, other, by))


async def _edit(visit: Visit, action: str, number: int, edit: Callable[[AuditEvent], Incident]) -> Response:
    by = edit_event(visit.request, visit.person, action, number)
    changed = await asyncio.to_thread(edit, by)
    return visit.go(f"{PATH}/{changed.number}")


def _number(text: str) -> int:
    """Return the number of a case, report or incident that a form names.

    Raises:
        EditError: if it is none.
    """
    given = text.strip()
    if not (given.isascii() and given.isdigit()) or not 1 <= int(given[:20]) <= MOST_NUMBER:
        raise EditError("number", "text of another form", "a whole number, as the pages show it")
    return int(given)


def _asked(visit: Visit, policy: Policy) -> dict[str, Any]:
    """Return the filters of an address that can be used; others are left out, as a link may be old."""
    query = visit.request.query_params
    lists: dict[str, tuple[str, ...]] = {"rating": RATINGS, "category": policy.category_names}
    found = {name: query[name] for name, values in lists.items() if query.get(name) in values}
    if query.get("corroborated") == CORROBORATED:
        found["corroborated"] = CORROBORATED
    return found
