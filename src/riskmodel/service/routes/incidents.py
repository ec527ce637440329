"""Incidents and campaigns for machines: what belongs together, with why, out; joined, split and named in."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from riskmodel.casebook import AuditEvent
from riskmodel.casework.incidents import Campaign, Event, Filters, Incident, IncidentCase, Member
from riskmodel.casework.incidents.records import EventKind
from riskmodel.records import Rating, Record
from riskmodel.service.envelope import JsonBody
from riskmodel.service.openapi import problems
from riskmodel.service.reading import body_of, read_record
from riskmodel.service.routes.escalations import MOST_ON_A_PAGE, NO_NUL, ON_A_PAGE, record
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(tags=["incidents"])

MOST_NUMBER = 2**63 - 1
EDIT_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
MOST_REPORTS = 200  # that are taken out at once
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
Analyst = Annotated[Caller, Depends(needs("analyst"))]
SOURCES = "how many independent sources report it; 10 stands for more"


class IncidentRow(Record):
    """Reports about one event."""

    number: int
    name: str | None
    words: Annotated[list[str], Field(description="what most of its reports name")]
    category: str
    rating: Annotated[Rating, Field(description="the highest of its reports")]
    reports: int
    sources: Annotated[int, Field(description=SOURCES)]
    opened_at: datetime
    first_at: datetime
    last_at: datetime
    merged_into: int | None


class CampaignRow(Record):
    """Many alike in a short time."""

    number: int
    words: list[str]
    category: str
    reports: int
    seen: Annotated[int, Field(description="how many there were within a day when it was found")]
    expected: Annotated[float, Field(description="how many the usual rate explains")]
    chance: Annotated[float, Field(description="of seeing so many or more by the usual rate alone (Poisson)")]
    opened_at: datetime
    first_at: datetime
    last_at: datetime


class Report(Record):
    """A report of an incident or campaign; its text is at /escalations/{id}."""

    client: str
    id: str
    received_at: datetime
    source: str | None
    reporter: str | None
    reliability: str | None
    credibility: int | None
    market: str | None
    language: str
    rating: Rating
    category: str
    independent: Annotated[bool, Field(description="whether it counts as a source of its own")]


class Because(Record):
    """Something that two reports share; weights add up to log-odds."""

    kind: Annotated[str, Field(description="text for close texts, else what is shared, such as link or name")]
    value: Annotated[str, Field(description="what is shared; for text the cosine")]
    holders: Annotated[int | None, Field(description="incidents and lone reports that name it too")]
    weight: float


class TimelineEvent(Record):
    """One thing that happened to an incident."""

    at: datetime
    actor: str
    kind: EventKind
    id: Annotated[str | None, Field(description="the report it is about")]
    other: Annotated[str | None, Field(description="the report it was joined to")]
    score: Annotated[float | None, Field(description="log-odds above the level at which reports are joined")]
    shared: list[Because]
    details: dict[str, Any]


class IncidentRows(Record):
    """Incidents, those with the newest report first, and where the next page begins, if there is one."""

    incidents: list[IncidentRow]
    next: Annotated[str | None, Field(description="send it as cursor for the next page")]


class CampaignRows(Record):
    """Campaigns, those with the newest report first, and where the next page begins, if there is one."""

    campaigns: list[CampaignRow]
    next: Annotated[str | None, Field(description="send it as cursor for the next page")]


class IncidentAnswer(Record):
    """An incident with its newest reports and its timeline."""

    incident: IncidentRow
    reports: list[Report]
    timeline: list[TimelineEvent]


class CampaignAnswer(Record):
    """A campaign with its newest reports."""

    campaign: CampaignRow
    reports: list[Report]


class Asked(BaseModel):
    """Which incidents a page shows."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    category: str | None = Field(None, max_length=64, pattern=NO_NUL)
    rating: Rating | None = None
    corroborated: bool | None = None
    seen_from: AwareDatetime | None = Field(None, alias="from", description="the newest report, from then on")
    seen_before: AwareDatetime | None = Field(None, alias="before")
    cursor: str | None = Field(None, max_length=256)
    limit: int = Field(ON_A_PAGE, ge=1, le=MOST_ON_A_PAGE)


class AskedCampaigns(BaseModel):
    """Which campaigns a page shows."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, max_length=256)
    limit: int = Field(ON_A_PAGE, ge=1, le=MOST_ON_A_PAGE)


class Which(Record):
    """An escalation, by its client and id."""

    client: Annotated[str, Field(max_length=64, pattern=NO_NUL)]
    id: Annotated[str, Field(max_length=128, pattern=NO_NUL)]


class Split(Record):
    """The reports to take out."""

    reports: Annotated[list[Which], Field(min_length=1, max_length=MOST_REPORTS)]


class Merge(Record):
    """The incident that becomes part of this one."""

    other: Annotated[int, Field(ge=1, le=MOST_NUMBER)]


class Name(Record):
    """What an incident is called; empty takes the name away."""

    name: Annotated[str, Field(max_length=200, pattern=NO_NUL)]


@router.get("/incidents", response_model=IncidentRows, responses=problems(401, 403, 422, 429, 503))
async def page(request: Request, caller: Analyst, asked: Annotated[Asked, Query()]) -> IncidentRows:
    """Return the incidents of two reports and more, those with the newest report first."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    filters = Filters(**asked.model_dump(exclude={"cursor", "limit"}))
    found = await asyncio.to_thread(parts.incidents.page, filters, asked.cursor, asked.limit)
    return IncidentRows(incidents=[_row(one) for one in found.incidents], next=found.next_cursor)


@router.get("/incidents/{number}", response_model=IncidentAnswer, responses=problems(401, 403, 404, 422, 429, 503))
async def one(request: Request, caller: Analyst, number: Number) -> IncidentAnswer:
    """Return an incident with its reports, its sources and why they were joined. Who read it is recorded."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await asyncio.to_thread(parts.incidents.get, number)
    await record(request, caller, "read incident", str(number))
    return _answer(found)


@router.post(
    "/incidents/{number}/reports",
    response_model=IncidentAnswer,
    responses=EDIT_PROBLEMS,
    openapi_extra=body_of(Which),
)
async def add(request: Request, caller: Analyst, number: Number, raw: JsonBody) -> IncidentAnswer:
    """Put a report into an incident, out of the one it was in."""
    given = read_record(raw, Which)
    (report,) = await _numbers(request, [given])
    editing = running(request).parts.editing
    return await _edited(request, caller, "add to incident", number, lambda by: editing.add(number, report, by))


@router.post(
    "/incidents/{number}/split", response_model=IncidentAnswer, responses=EDIT_PROBLEMS, openapi_extra=body_of(Split)
)
async def split(request: Request, caller: Analyst, number: Number, raw: JsonBody) -> IncidentAnswer:
    """Take reports out into an incident of their own, which is returned; only a person may put them back."""
    reports = await _numbers(request, read_record(raw, Split).reports)
    editing = running(request).parts.editing
    return await _edited(request, caller, "split incident", number, lambda by: editing.split(number, reports, by))


@router.post(
    "/incidents/{number}/merge", response_model=IncidentAnswer, responses=EDIT_PROBLEMS, openapi_extra=body_of(Merge)
)
async def merge(request: Request, caller: Analyst, number: Number, raw: JsonBody) -> IncidentAnswer:
    """Make another incident part of this one."""
    other, editing = read_record(raw, Merge).other, running(request).parts.editing
    return await _edited(request, caller, "merge incidents", number, lambda by: editing.merge(number, other, by))


@router.post(
    "/incidents/{number}/name", response_model=IncidentAnswer, responses=EDIT_PROBLEMS, openapi_extra=body_of(Name)
)
async def name(request: Request, caller: Analyst, number: Number, raw: JsonBody) -> IncidentAnswer:
    """Give an incident a name."""
    given, editing = read_record(raw, Name).name, running(request).parts.editing
    return await _edited(request, caller, "name incident", number, lambda by: editing.rename(number, given, by))


@router.get("/campaigns", response_model=CampaignRows, responses=problems(401, 403, 422, 429, 503))
async def campaigns(request: Request, caller: Analyst, asked: Annotated[AskedCampaigns, Query()]) -> CampaignRows:
    """Return campaigns, those with the newest report first."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await asyncio.to_thread(parts.incidents.campaigns, asked.cursor, asked.limit)
    return CampaignRows(campaigns=[_campaign(one) for one in found.campaigns], next=found.next_cursor)


@router.get("/campaigns/{number}", response_model=CampaignAnswer, responses=problems(401, 403, 404, 422, 429, 503))
async def campaign(request: Request, caller: Analyst, number: Number) -> CampaignAnswer:
    """Return a campaign with its newest reports. Who read it is recorded."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await asyncio.to_thread(parts.incidents.campaign, number)
    await record(request, caller, "read campaign", str(number))
    return CampaignAnswer(campaign=_campaign(found.campaign), reports=[_report(one) for one in found.members])


def edit_event(request: Request, caller: Caller, action: str, number: int) -> AuditEvent:
    """Return what goes to the audit trail for an edit."""
    return AuditEvent(
        datetime.now(UTC), caller.name, caller.key_id, caller.role, action, str(number), request.state.request_id
    )


async def _edited(
    request: Request, caller: Caller, action: str, number: int, edit: Callable[[AuditEvent], Incident]
) -> IncidentAnswer:
    parts = running(request).parts
    parts.door.count(caller, 1)
    changed = await asyncio.to_thread(edit, edit_event(request, caller, action, number))
    return _answer(await asyncio.to_thread(parts.incidents.get, changed.number))


async def _numbers(request: Request, which: Sequence[Which]) -> list[int]:
    casebook = running(request).parts.casebook
    return await asyncio.to_thread(lambda: [casebook.get(one.id, one.client).number for one in which])


def _answer(found: IncidentCase) -> IncidentAnswer:
    return IncidentAnswer(
        incident=_row(found.incident),
        reports=[_report(one) for one in found.members],
        timeline=[_event(one) for one in found.events],
    )


def _row(incident: Incident) -> IncidentRow:
    return IncidentRow(**vars(incident) | {"words": list(incident.words)})


def _campaign(campaign: Campaign) -> CampaignRow:
    return CampaignRow(**vars(campaign) | {"words": list(campaign.words)})


def _report(member: Member) -> Report:
    fields = {name: getattr(member, name) for name in Report.model_fields if name != "independent"}
    return Report(**fields, independent=member.counted)


def _event(event: Event) -> TimelineEvent:
    why = event.evidence
    return TimelineEvent(
        at=event.at,
        actor=event.actor,
        kind=event.kind,
        id=event.id,
        other=event.other_id,
        score=None if why is None else why.score,
        shared=[] if why is None else [Because(**vars(one)) for one in why.shared],
        details=event.details,
    )
