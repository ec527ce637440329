"""Which model answers: its version, policy, figures and card."""

from fastapi import APIRouter, Response

from riskmodel.service.body import JSON_TYPE
from riskmodel.service.loading import ModelDescription
from riskmodel.service.openapi import problems
from riskmodel.service.routes.health import ReadyWorker

router = APIRouter(tags=["model"])


@router.get("/model", response_model=ModelDescription, responses=problems(503))
async def model(worker: ReadyWorker) -> Response:
    """Describe the model that answers: version, policy as data, figures, what it was trained on, and its card."""
    return Response(worker.loaded.description.model_dump_json(by_alias=True), media_type=JSON_TYPE)
