"""Escalations in, assessments out: one, or a batch."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from riskmodel.errors import EscalationError, RiskmodelError
from riskmodel.records import Assessment, Escalation, Record
from riskmodel.service import openapi
from riskmodel.service.body import JSON_TYPE
from riskmodel.service.disconnect import unless_gone
from riskmodel.service.dispatch import Answer
from riskmodel.service.envelope import read_batch, read_one
from riskmodel.service.errors import Problem, problem_of, slug_of
from riskmodel.service.headers import MODEL_VERSION
from riskmodel.service.running import running
from riskmodel.service.sending import REPEATED, ReadySender

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
    request: Request, sender: ReadySender, escalation: Annotated[Escalation, Depends(read_one)]
) -> Response:
    """Rate one escalation and say why. A retry with the same id or Idempotency-Key gets the first answer."""
    parts = running(request).parts
    parts.door.count(sender.caller, 1)
    rating = parts.dispatcher.rate(sender.send([escalation], one=True), sender.model_version)
    (outcome,) = await unless_gone(request, rating)
    if not isinstance(outcome, Answer):
        raise outcome
    headers = {MODEL_VERSION: outcome.model_version}
    if outcome.repeated:
        headers[REPEATED] = "true"
    return Response(outcome.document, media_type=JSON_TYPE, headers=headers)


@router.post(
    "/batch",
    response_model=BatchAnswer,
    responses=openapi.problems(*openapi.BODY_STATUSES),
    openapi_extra=openapi.batch_body(),
)
async def predict_batch(
    request: Request,
    sender: ReadySender,
    items: Annotated[list[Escalation | EscalationError], Depends(read_batch)],
) -> Response:
    """Rate up to 256 escalations; one that is refused, or not ready in time, has a problem document in its place.

    Where nothing could be answered now, the whole answer is a 503. What is sent again under the same ids or
    Idempotency-Key goes on where the deadline ended it.
    """
    parts = running(request).parts
    parts.door.count(sender.caller, len(items))
    sent = sender.send(items, one=False)
    rated = await unless_gone(request, parts.dispatcher.rate(sent, sender.model_version))
    outcomes = iter(rated)
    results = [next(outcomes) if isinstance(item, Escalation) else item for item in items]
    failed = [slug_of(problem_of(result)) for result in results if not isinstance(result, Answer)]
    running(request).metrics.errors(*failed)
    # One request, one version; only what an earlier request was answered may be of another.
    answers = (outcome for outcome in rated if isinstance(outcome, Answer))
    shown = min(answers, key=lambda answer: answer.repeated, default=None)
    return Response(
        '{"results":[' + ",".join(map(_document, results)) + "]}",
        media_type=JSON_TYPE,
        headers={MODEL_VERSION: shown.model_version} if shown is not None else None,
    )


def _document(result: Answer | RiskmodelError) -> str:
    """Return a result as JSON; an assessment as it was kept, character for character."""
    return result.document if isinstance(result, Answer) else ItemError(error=problem_of(result)).model_dump_json()
