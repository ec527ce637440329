"""A JSON body and the record it must be in, the record out; what is wrong is named, no value repeated."""

from typing import Any, TypeVar

from pydantic import ValidationError

from riskmodel.errors import FieldProblem
from riskmodel.records import Record, kind_of
from riskmodel.service.body import JSON_TYPE
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.validation import refused_parts

AnyRecord = TypeVar("AnyRecord", bound=Record)


def read_record(raw: Any, kind: type[AnyRecord]) -> AnyRecord:
    """Return what a body holds.

    Raises:
        EnvelopeError: naming each field that was refused.
    """
    if not isinstance(raw, dict):
        raise EnvelopeError(FieldProblem("body", kind_of(raw), "an object with the fields in /docs"))
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        found = [dict(item) | {"loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise EnvelopeError(*refused_parts(found)) from None


def body_of(kind: type[Record]) -> dict[str, Any]:
    """Return the part of the OpenAPI document for such a body."""
    schema = kind.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {JSON_TYPE: {"schema": schema}}}}


def _inlined(part: Any, parts: dict[str, Any]) -> Any:
    """Return a schema with each reference to one of its own parts replaced by that part."""
    if isinstance(part, list):
        return [_inlined(one, parts) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(parts[part["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(one, parts) for name, one in part.items()}
