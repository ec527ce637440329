"""Insight reports for machines: a kept one out, with every figure and the query that made it."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from riskmodel.reports.insight import storing
from riskmodel.service.openapi import problems
from riskmodel.service.routes.escalations import NO_NUL
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(prefix="/reports", tags=["reports"])

Id = Annotated[str, Path(max_length=64, pattern=NO_NUL)]


@router.get("/{id}", responses=problems(401, 403, 404, 422, 503))
async def report(request: Request, caller: Annotated[Caller, Depends(needs("lead"))], id: Id) -> dict[str, Any]:
    """Return a report as it was made: what was asked for, what it rests on, and each figure with its query."""
    database = running(request).parts.casebook.database
    return storing.as_document(await asyncio.to_thread(storing.read, database, id))
