"""Which model answers: its version, policy, figures and card."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from riskmodel.service.body import JSON_TYPE
from riskmodel.service.loading import ModelDescription
from riskmodel.service.openapi import problems
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(tags=["model"])


class ModelAnswer(ModelDescription):
    """The version that answers, which others are loaded, and why a newer one does not answer, if it was refused."""

    loaded: list[str]
    refused: str | None


@router.get("/model", response_model=ModelAnswer, responses=problems(401, 403, 503))
async def model(request: Request, caller: Annotated[Caller, Depends(needs("client"))]) -> Response:
    """Describe the model that answers: version, policy as data, figures, what it was trained on, and its card."""
    models = running(request).models
    description = models.current().description
    answer = ModelAnswer(**dict(description), loaded=models.versions, refused=models.refusal)
    return Response(answer.model_dump_json(by_alias=True), media_type=JSON_TYPE)
