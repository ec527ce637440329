"""OpenAI's moderation requests in, answers in its shape out, so that its official client works unchanged."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

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
from riskmodel.service.sending import REPEATED, ReadySender

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
    sent = sender.send(escalations, one=len(escalations) == 1)
    rating = running(request).parts.dispatcher.rate(sent, sender.model_version)
    answers = []
    for outcome in await unless_gone(request, rating):
        if not isinstance(outcome, Answer):
            raise outcome
        answers.append(outcome)
    assessments = [Assessment.model_validate_json(answer.document) for answer in answers]
    headers = {MODEL_VERSION: answers[0].model_version}
    if all(answer.repeated for answer in answers):
        headers[REPEATED] = "true"
    # Named by its first escalation, so that a retry gets the same.
    document = moderate(assessments, assessments[0].id).model_dump_json()
    return Response(document, media_type=JSON_TYPE, headers=headers)
