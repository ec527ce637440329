"""Who did what, out: the audit trail, the newest first."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from riskmodel.records import Record
from riskmodel.service.openapi import problems
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(prefix="/audit", tags=["casebook"])

MOST_ON_A_PAGE, ON_A_PAGE = 500, 100


class Entry(Record):
    """One thing that somebody did."""

    number: int
    at: datetime
    actor: str
    key_id: str | None
    role: str | None
    action: str
    subject: str
    request_id: str | None


class Trail(Record):
    """A page of the trail, and the number to send as ``before`` for the next."""

    entries: list[Entry]
    next: int | None


@router.get("", response_model=Trail, responses=problems(401, 403, 422, 503))
async def trail(
    request: Request,
    caller: Annotated[Caller, Depends(needs("admin"))],
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = ON_A_PAGE,
) -> Trail:
    """Return who read, exported or deleted escalations and made or revoked keys, and when."""
    casebook = running(request).parts.casebook
    entries = await asyncio.to_thread(casebook.trail.page, before, limit)
    return Trail(
        entries=[Entry(number=entry.number, **vars(entry.event)) for entry in entries],
        next=entries[-1].number if len(entries) == limit else None,
    )
