"""Records and examples in, the parts of the OpenAPI document that FastAPI cannot see out: bodies and problems."""

from http import HTTPStatus
from typing import Any

from riskmodel.records import Escalation
from riskmodel.service.body import JSON_TYPE
from riskmodel.service.envelope import BATCH_FIELD, MAX_BATCH_ESCALATIONS
from riskmodel.service.errors import MEDIA_TYPE
from riskmodel.service.examples import EXAMPLES

PROBLEM = {"$ref": "#/components/schemas/Problem"}  # there because a batch's answer may hold one
BODY_STATUSES = (400, 401, 403, 409, 413, 415, 422, 429, 500, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a route that are problem documents."""
    content = {MEDIA_TYPE: {"schema": PROBLEM}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def escalation_body() -> dict[str, Any]:
    """Return the body of a request that is one escalation, with an example a language."""
    examples = {str(example.language): {"summary": example.title, "value": example.request} for example in EXAMPLES}
    return _body(Escalation.model_json_schema(), examples)


def assessment_answers() -> dict[int | str, dict[str, Any]]:
    """Return the answer to each example of an escalation."""
    examples = {example.language: {"summary": example.title, "value": example.response} for example in EXAMPLES}
    return {200: {"content": {JSON_TYPE: {"examples": examples}}}}


def batch_body() -> dict[str, Any]:
    """Return the body of a request that is a batch, with an example in all languages."""
    items = {"type": "array", "maxItems": MAX_BATCH_ESCALATIONS, "items": Escalation.model_json_schema()}
    schema = {
        "title": "Batch",
        "type": "object",
        "properties": {BATCH_FIELD: items},
        "required": [BATCH_FIELD],
        "additionalProperties": False,
    }
    value = {BATCH_FIELD: [example.request for example in EXAMPLES]}
    return _body(schema, {"three languages": {"summary": "English, Spanish and Portuguese", "value": value}})


def _body(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    content = {JSON_TYPE: {"schema": schema, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}
