"""The form of a verdict in, a verdict for the desk out; the rating is the policy's, never the form's."""

import json
from typing import Any

from riskmodel.errors import FieldProblem
from riskmodel.records import PROXIMITIES, SEVERITIES
from riskmodel.review import NewVerdict
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.page.visit import Visit, whole_number

LEAST_TOKEN, MOST_TOKEN = 8, 64


def read_verdict(visit: Visit, review: int) -> NewVerdict:
    """Return the verdict that a form holds; whether it can be, the desk says.

    Raises:
        EnvelopeError: naming the field that cannot be used.
    """
    severity, _, proximity = visit.field("cell").partition("/")
    if severity not in SEVERITIES or proximity not in PROXIMITIES:
        raise _refused("cell", "no cell of the table", "severity/proximity")
    token = visit.field("client_token")
    if not (LEAST_TOKEN <= len(token) <= MOST_TOKEN and token.isascii() and token.isprintable()):
        raise _refused("client_token", "none that can be used", f"{LEAST_TOKEN} to {MOST_TOKEN} printable characters")
    return NewVerdict(
        review=review,
        version=_number(visit, "version"),
        analyst=visit.name,
        severity=severity,
        proximity=proximity,
        lifted=visit.field("lifted") == "1",
        categories=tuple(visit.form.get("category", [])),
        evidence=_evidence(visit.field("evidence")),
        note=visit.field("note"),
        seconds=float(_number(visit, "seconds")),
        client_token=token,
    )


def _evidence(given: str) -> tuple[tuple[int, int], ...]:
    try:
        marks: Any = json.loads(given or "[]")
    except (ValueError, RecursionError):
        marks = None
    if not isinstance(marks, list) or not all(map(_is_pair, marks)):
        raise _refused("evidence", "something else", "pairs of offsets")
    return tuple((start, end) for start, end in marks)


def _is_pair(mark: Any) -> bool:
    return isinstance(mark, list) and len(mark) == 2 and all(type(at) is int for at in mark)


def _number(visit: Visit, name: str) -> int:
    return whole_number(visit.field(name), name)


def _refused(field: str, found: str, expected: str) -> EnvelopeError:
    return EnvelopeError(FieldProblem(field, found, expected))
