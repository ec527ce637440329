"""OpenAI's moderation requests in, answers in its shape out, so that its official client works unchanged."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from riskmodel.errors import RiskmodelError
from riskmodel.model import new_id
from riskmodel.records import Assessment, Escalation
from riskmodel.service import openapi
from riskmodel.service.body import JSON_TYPE
from riskmodel.service.disconnect import unless_gone
from riskmodel.service.dispatch import Answer
from riskmodel.service.envelope import MAX_BATCH_ESCALATIONS, JsonBody
from riskmodel.service.examples import EXAMPLES
from riskmodel.service.headers import MODEL_VERSION
from riskmodel.service.moderation import ModerationAnswer, moderate, read_inputs
from riskmodel.service.running import running
from riskmodel.service.sending import ReadySender, Sender

router = APIRouter(prefix="/v1", tags=["moderations"])

_TEXT = {"type": "string"}
_PART = {
    "type": "object",
    "properties": {"type": {"const": "text"}, "text": _TEXT},
    "required": ["type", "text"],
    "additionalProperties": False,
}
_MANY = {"type": "array", "minItems": 1, "maxItems": MAX_BATCH_ESCALATIONS}
_SCHEMA = {
    "title": "ModerationRequest",
    "type": "object",
    "properties": {
        "input": {
            "description": "one text, several, or the parts of one",
            "anyOf": [_TEXT, _MANY | {"items": _TEXT}, _MANY | {"items": _PART}],
        },
        "model": {"anyOf": [_TEXT, {"type": "null"}], "description": "taken and not used: the loaded model answers"},
    },
    "required": ["input"],
    "additionalProperties": False,
}
_EXAMPLES = {
    "one text": {"value": {"input": EXAMPLES[0].request["text"]}},
    "several": {"value": {"input": [example.request["text"] for example in EXAMPLES]}},
}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": _SCHEMA, "examples": _EXAMPLES}}}
}


async def _read(raw: JsonBody) -> list[Escalation]:
    return read_inputs(raw)


@router.post(
    "/moderations",
    response_model=ModerationAnswer,
    responses=openapi.problems(*openapi.BODY_STATUSES),
    openapi_extra=_BODY,
)
async def moderations(
    request: Request, sender: ReadySender, escalations: Annotated[list[Escalation], Depends(_read)]
) -> Response:
    """Rate texts and answer as OpenAI's moderation does; one that cannot be assessed fails them all."""
    running(request).parts.door.count(sender.caller, len(escalations))
    assessments = []
    for outcome in await unless_gone(request, assess(request, sender, escalations)):
        if not isinstance(outcome, Assessment):
            raise outcome
        assessments.append(outcome)
    return Response(
        moderate(assessments, new_id()).model_dump_json(),
        media_type=JSON_TYPE,
        headers={MODEL_VERSION: assessments[0].model.version},
    )


async def assess(request: Request, sender: Sender, escalations: list[Escalation]) -> list[Assessment | RiskmodelError]:
    """Have escalations assessed and kept, in order; one that fails has its error in its place."""
    sent = sender.send(escalations, one=len(escalations) == 1)
    outcomes = await running(request).parts.dispatcher.rate(sent, sender.model_version)
    return [
        Assessment.model_validate_json(outcome.document) if isinstance(outcome, Answer) else outcome
        for outcome in outcomes
    ]
