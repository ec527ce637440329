"""Whether the process lives, and whether it can answer."""

from typing import Literal

from fastapi import APIRouter, Request

from riskmodel.records import Record
from riskmodel.service.openapi import problems
from riskmodel.service.running import running

router = APIRouter(prefix="/health", tags=["health"])


class Health(Record):
    """What a probe is told."""

    status: Literal["live", "ready"]


@router.get("/live")
async def live() -> Health:
    """Answer at once, also while the model is loading."""
    return Health(status="live")


@router.get("/ready", responses=problems(503))
async def ready(request: Request) -> Health:
    """Answer 200 when escalations are assessed and kept, else 503."""
    running(request).check_ready()
    return Health(status="ready")
