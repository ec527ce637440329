"""Whether the process lives, and whether it can answer."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from riskmodel.records import Record
from riskmodel.service.openapi import problems
from riskmodel.service.worker import Worker

router = APIRouter(prefix="/health", tags=["health"])


class Health(Record):
    """What a probe is told."""

    status: Literal["live", "ready"]


async def ready_worker(request: Request) -> Worker:
    """Return the worker once its model is loaded and warmed up.

    Raises:
        NotReadyError: until then, and after its thread has ended.
    """
    worker: Worker = request.app.state.worker
    _ = worker.loaded
    return worker


ReadyWorker = Annotated[Worker, Depends(ready_worker)]


@router.get("/live")
async def live() -> Health:
    """Answer at once, also while the model is loading."""
    return Health(status="live")


@router.get("/ready", responses=problems(503))
async def ready(worker: ReadyWorker) -> Health:
    """Answer 200 when escalations are assessed, else 503."""
    return Health(status="ready")
