"""Escalations in, assessments out: one, or a batch."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from riskmodel.errors import EscalationError
from riskmodel.records import Assessment, Escalation, Record
from riskmodel.service import openapi
from riskmodel.service.body import JSON_TYPE
from riskmodel.service.disconnect import unless_gone
from riskmodel.service.envelope import read_batch, read_one
from riskmodel.service.errors import Problem, problem_of
from riskmodel.service.routes.health import ReadyWorker

router = APIRouter(prefix="/predict", tags=["predict"])


class ItemError(Record):
    """Stands in the place of an escalation that was refused or could not be assessed."""

    error: Problem


class BatchAnswer(Record):
    """One result for each escalation, in order."""

    results: list[Assessment | ItemError]


@router.post(
    "",
    response_model=Assessment,
    responses=openapi.assessment_answers() | openapi.problems(*openapi.BODY_STATUSES),
    openapi_extra=openapi.escalation_body(),
)
async def predict(
    request: Request, worker: ReadyWorker, escalation: Annotated[Escalation, Depends(read_one)]
) -> Response:
    """Rate one escalation and say why."""
    assessment = await unless_gone(request, worker.assess_one(escalation))
    # Built by us and checked already: neither validated nor converted a second time.
    return Response(assessment.model_dump_json(by_alias=True), media_type=JSON_TYPE)


@router.post(
    "/batch",
    response_model=BatchAnswer,
    responses=openapi.problems(*openapi.BODY_STATUSES),
    openapi_extra=openapi.batch_body(),
)
async def predict_batch(
    request: Request,
    worker: ReadyWorker,
    items: Annotated[list[Escalation | EscalationError], Depends(read_batch)],
) -> Response:
    """Rate up to 256 escalations; one that is refused has a problem document in its place, the others are rated."""
    outcomes = iter(await unless_gone(request, worker.assess([item for item in items if isinstance(item, Escalation)])))
    results = [next(outcomes) if isinstance(item, Escalation) else item for item in items]
    answer = BatchAnswer.model_construct(
        results=[
            result if isinstance(result, Assessment) else ItemError(error=problem_of(result)) for result in results
        ]
    )
    return Response(answer.model_dump_json(by_alias=True), media_type=JSON_TYPE)
