"""The JSON value of a body in, the escalations in it out; in a batch each is read or refused by itself."""

from typing import Annotated, Any

from fastapi import Depends

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.records import Escalation, kind_of, read_escalation
from riskmodel.service.body import read_json
from riskmodel.service.errors import EnvelopeError

MAX_BATCH_ESCALATIONS = 256
BATCH_FIELD = "escalations"

JsonBody = Annotated[Any, Depends(read_json)]


async def read_one(raw: JsonBody) -> Escalation:
    """Read a body that is one escalation.

    Raises:
        EscalationError: naming each field that was refused.
    """
    return read_escalation(raw)


async def read_batch(raw: JsonBody) -> list[Escalation | EscalationError]:
    """Read a body that is a batch; an item that is refused stays in its place as its error.

    Raises:
        EnvelopeError: if there is no list of escalations, or a longer one than allowed.
    """
    return [_read_item(item) for item in _open_envelope(raw)]


def _open_envelope(raw: Any) -> list[Any]:
    if not isinstance(raw, dict):
        raise EnvelopeError(FieldProblem("body", kind_of(raw), f"an object with the field {BATCH_FIELD}"))
    items = raw.get(BATCH_FIELD)
    problems = [
        FieldProblem(name, f"an unknown field with {kind_of(value)}", f"only {BATCH_FIELD}")
        for name, value in raw.items()
        if name != BATCH_FIELD
    ]
    if not isinstance(items, list):
        found = kind_of(items) if BATCH_FIELD in raw else "no such field"
        problems.insert(0, FieldProblem(BATCH_FIELD, found, "a list of escalations"))
    elif len(items) > MAX_BATCH_ESCALATIONS:
        problems.insert(
            0, FieldProblem(BATCH_FIELD, f"{len(items):,} escalations", f"at most {MAX_BATCH_ESCALATIONS} escalations")
        )
    if problems or not isinstance(items, list):
        raise EnvelopeError(*problems)
    return items


def _read_item(item: Any) -> Escalation | EscalationError:
    try:
        return read_escalation(item)
    except EscalationError as error:
        return error
