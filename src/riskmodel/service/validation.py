"""What FastAPI found wrong with a request in, the parts it refused out by name; no value is repeated.

Pydantic's own sentences are not passed on: some quote what was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodel.errors import FieldProblem
from riskmodel.records import kind_of

NOTHING_LIKE_IT = "a value of the form in /docs"


def refused_parts(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Return each refused part: its name, the kind of value found and where, and what is expected there."""
    return [_refused(error) for error in errors]


def _refused(error: Mapping[str, Any]) -> FieldProblem:
    place, *names = map(str, error["loc"])
    found = "no such field" if error["type"] == "missing" else kind_of(error["input"])
    return FieldProblem(names[0] if names else place, f"{found} in the {place}", _expected(error))


def _expected(error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "a value"
        case "extra_forbidden":
            return "only the fields in /docs"
        case "int_parsing" | "int_parsing_size" | "int_type":
            return "a whole number"
        case "greater_than_equal":
            return f"{context['ge']:,} or more"
        case "less_than_equal":
            return f"{context['le']:,} or less"
        case "string_too_long":
            return f"at most {context['max_length']:,} characters"
        case "string_pattern_mismatch":
            return f"text of the form {context['pattern']}"
        case "literal_error":
            return f"one of {context['expected']}"
        case "timezone_aware" | "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            return "a time with a zone, RFC 3339, such as 2026-01-31T18:00:00Z"
        case _:
            return NOTHING_LIKE_IT
