"""What is kept, out again: pages of escalations by filters, and one with everything that is known of it."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from riskmodel.casebook import ROLES, AuditEvent, Case, Filters
from riskmodel.records import Assessment, Credibility, Rating, Record, Reliability, Route, Source
from riskmodel.service.openapi import problems
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(prefix="/escalations", tags=["casebook"])

MOST_ON_A_PAGE, ON_A_PAGE = 200, 50
NO_NUL = r"^[^\x00]*$"  # which PostgreSQL takes in no text
WHOSE = "whose, where several sent that id"


class Row(Record):
    """One escalation on a page: everything but its text and the reasons."""

    id: str
    client: str
    kept_at: datetime
    received_at: datetime
    source: str | None
    market: str | None
    reliability: Reliability | None
    credibility: Credibility | None
    language: str
    rating: Rating
    category: str
    team: str
    route: Route
    confidence: float
    act_by: datetime
    model_version: str


class Page(Record):
    """Escalations, the newest first, and where the next page begins, if there is one."""

    escalations: list[Row]
    next: Annotated[str | None, Field(description="send it as cursor for the next page")]


class CaseAnswer(Record):
    """An escalation as it was sent, and every assessment of it, the newest first."""

    id: str
    client: str
    kept_at: datetime
    received_at: datetime
    text: str
    source: str | None
    market: str | None
    reliability: Reliability | None
    credibility: Credibility | None
    reporter: str | None
    assessments: list[Assessment]


class Asked(BaseModel):
    """Which escalations a page shows."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    rating: Rating | None = None
    language: str | None = Field(None, max_length=8, pattern=NO_NUL)
    category: str | None = Field(None, max_length=64, pattern=NO_NUL)
    source: Source | None = None
    market: str | None = Field(None, max_length=2, pattern=NO_NUL)
    team: str | None = Field(None, max_length=64, pattern=NO_NUL)
    route: Route | None = None
    model_version: str | None = Field(None, max_length=64, pattern=NO_NUL)
    client: str | None = Field(None, max_length=64, pattern=NO_NUL)
    kept_from: AwareDatetime | None = Field(None, alias="from")
    kept_before: AwareDatetime | None = Field(None, alias="before")
    cursor: str | None = Field(None, max_length=256)
    limit: int = Field(ON_A_PAGE, ge=1, le=MOST_ON_A_PAGE)


@router.get("", response_model=Page, responses=problems(401, 403, 422, 429, 503))
async def page(
    request: Request, caller: Annotated[Caller, Depends(needs("client"))], asked: Annotated[Asked, Query()]
) -> Page:
    """Return what is kept, the newest first. A client sees its own; analysts and those above them see all."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    filters = Filters(
        **asked.model_dump(exclude={"cursor", "limit", "client"}),
        client=_visible(caller, asked.client),
        golden=_sees_tests(caller),
    )
    found = await asyncio.to_thread(parts.casebook.page, filters, asked.cursor, asked.limit)
    return Page(escalations=[_row(case) for case in found.cases], next=found.next_cursor)


@router.get("/{id:path}", response_model=CaseAnswer, responses=problems(401, 403, 404, 409, 422, 429, 503))
async def case(
    request: Request,
    caller: Annotated[Caller, Depends(needs("client"))],
    id: Annotated[str, Path(max_length=128, pattern=NO_NUL)],
    client: Annotated[str | None, Query(max_length=64, pattern=NO_NUL, description=WHOSE)] = None,
) -> CaseAnswer:
    """Return an escalation with its text and every assessment. Who read it is recorded."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await asyncio.to_thread(parts.casebook.get, id, _visible(caller, client), golden=_sees_tests(caller))
    if found.client != caller.name:
        await record(request, caller, "read escalation", f"{found.client}/{found.id}")
    return CaseAnswer(
        id=found.id,
        client=found.client,
        kept_at=found.kept_at,
        received_at=found.received_at,
        text=found.text,
        source=found.source,
        market=found.market,
        reliability=found.reliability,
        credibility=found.credibility,
        reporter=found.reporter,
        assessments=[kept.assessment for kept in found.assessments],
    )


@router.delete("/{id:path}", status_code=204, responses=problems(401, 403, 404, 409, 422, 503))
async def forget(
    request: Request,
    caller: Annotated[Caller, Depends(needs("admin"))],
    id: Annotated[str, Path(max_length=128, pattern=NO_NUL)],
    client: Annotated[str | None, Query(max_length=64, pattern=NO_NUL, description=WHOSE)] = None,
) -> None:
    """Delete an escalation for good, with all that hangs on it."""
    casebook = running(request).parts.casebook
    found = await asyncio.to_thread(casebook.get, id, client)
    await asyncio.to_thread(casebook.forget, ids=[id], client=found.client, actor=caller.name)


async def record(request: Request, caller: Caller, action: str, subject: str) -> None:
    """Add to the audit trail who did what."""
    event = AuditEvent(
        at=datetime.now(UTC),
        actor=caller.name,
        key_id=caller.key_id,
        role=caller.role,
        action=action,
        subject=subject,
        request_id=request.state.request_id,
    )
    await asyncio.to_thread(running(request).parts.casebook.trail.append, [event])


def _row(case: Case) -> Row:
    assessment = case.assessments[0].assessment
    return Row(
        id=case.id,
        client=case.client,
        kept_at=case.kept_at,
        received_at=case.received_at,
        source=case.source,
        market=case.market,
        reliability=case.reliability,
        credibility=case.credibility,
        language=assessment.language,
        rating=assessment.rating,
        category=assessment.categories[0].name,
        team=assessment.team,
        route=assessment.decision.route,
        confidence=assessment.confidence,
        act_by=assessment.act_by,
        model_version=assessment.model.version,
    )


def _visible(caller: Caller, client: str | None) -> str | None:
    """Return whose escalations a caller gets to see: its own, unless it is an analyst."""
    return client if ROLES.index(caller.role) >= ROLES.index("analyst") else caller.name


def _sees_tests(caller: Caller) -> bool:
    """Whether a caller may know which cases are golden: whoever is tested by them may not."""
    return ROLES.index(caller.role) >= ROLES.index("lead")
