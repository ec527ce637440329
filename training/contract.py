"""The policy in, what each field of a labelled escalation may hold out; and what must fit together in a row."""

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any, Literal

import pandera.pandas as pa

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import (
    LANGUAGES,
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    PROXIMITIES,
    RATINGS,
    SEVERITIES,
    SOURCES,
    read_escalation,
)

WORDS = ("id", "group", "text", "language", "source", "market", "severity", "proximity", "rating")
FIELDS = (*WORDS, "categories", "evidence")
WEIGHT = "weight"  # how many escalations a row stands for; a verdict of 0 takes back the earlier ones of its escalation
MAX_EVIDENCE = 3
Kind = Literal["corpus", "labels", "verdicts"]


def fields_of(kind: Kind) -> tuple[str, ...]:
    """Return the fields of a kind of file, each of which a row must have."""
    return (*FIELDS, WEIGHT) if kind == "verdicts" else FIELDS


def schema(policy: Policy, kind: Kind) -> pa.DataFrameSchema:
    """Return what each column may hold, value by value."""
    names = _check(_passes_the_door("id"), f"1 to {MAX_ID_CHARACTERS} printable ASCII characters without spaces")
    readable = f"1 to {MAX_TEXT_CHARACTERS:,} characters, some of them visible, none NUL"
    pieces = f"a list of 1 to {MAX_EVIDENCE} texts"
    checks: dict[str, list[pa.Check]] = {
        "id": [names],
        "group": [names],
        "text": [_check(_passes_the_door("text"), readable)],
        "language": [_one_of(LANGUAGES)],
        "source": [_one_of(SOURCES)],
        "market": [_check(_passes_the_door("market"), "an ISO 3166-1 alpha-2 country code such as BR, MX or US")],
        "severity": [_one_of(SEVERITIES)],
        "proximity": [_one_of(PROXIMITIES)],
        "rating": [_one_of(RATINGS)],
        "categories": _category_checks(policy.category_names),
        "evidence": [_check(lambda value: _is_texts(value) and len(value) <= MAX_EVIDENCE, pieces)],
    }
    if kind != "corpus":
        few = f"a list of at most {MAX_EVIDENCE} texts"
        checks |= {
            "source": [_check(_may_lack(lambda value: value in SOURCES), "null or one of " + ", ".join(SOURCES))],
            "market": [_check(_may_lack(_passes_the_door("market")), "null or an ISO 3166-1 alpha-2 country code")],
            "evidence": [_check(lambda value: value == [] or (_is_texts(value) and len(value) <= MAX_EVIDENCE), few)],
        }
    if kind == "verdicts":
        checks[WEIGHT] = [_check(lambda value: type(value) in (int, float) and 0 <= value < inf, "a number from 0 on")]
    # `nullable` leaves null to the checks, whose sentence says what is expected
    return pa.DataFrameSchema({field: pa.Column(object, found, nullable=True) for field, found in checks.items()})


def _check(accepts: Callable[[Any], bool], expected: str) -> pa.Check:
    return pa.Check(accepts, element_wise=True, ignore_na=False, error=expected)


def _one_of(words: Collection[str]) -> pa.Check:
    return _check(lambda value: isinstance(value, str) and value in words, "one of " + ", ".join(words))


def _category_checks(names: Collection[str]) -> list[pa.Check]:
    def known(value: Any) -> bool:
        return _is_texts(value) and set(value) <= set(names)

    def once(value: Any) -> bool:
        return not known(value) or len(set(value)) == len(value)

    def alone(value: Any) -> bool:
        return not known(value) or NO_VIOLATION not in value or set(value) == {NO_VIOLATION}

    return [
        _check(known, "a list of one or more of " + ", ".join(names)),
        _check(once, "each category once"),
        _check(alone, f"{NO_VIOLATION} to stand alone"),
    ]


def _is_texts(value: Any) -> bool:
    """Return whether this is a list of one or more texts, none of them blank."""
    return isinstance(value, list) and value != [] and all(isinstance(item, str) and item.strip() for item in value)


def _passes_the_door(field: str) -> Callable[[Any], bool]:
    """Return whether the service would take a value in this field of an escalation; null is no value here."""

    def passes(value: Any) -> bool:
        try:
            read_escalation({"text": "any", field: value})
        except EscalationError:
            return False
        return value is not None

    return passes


def _may_lack(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def contradictions(
    records: Mapping[int, dict[str, Any]], policy: Policy, refused: Collection[tuple[int, str]]
) -> list[tuple[int, FieldProblem]]:
    """Return, by line, what does not fit together between sound fields: ids, evidence and text, rating and table."""
    first_lines: dict[str, int] = {}
    found = []
    for line, record in records.items():
        sound = {field for field in FIELDS if (line, field) not in refused}
        problems = []
        if "id" in sound and (first := first_lines.setdefault(record["id"], line)) != line:
            problems.append(FieldProblem("id", f"the id of line {first}", "an id of its own"))
        if sound.issuperset(["text", "evidence"]):
            absent = sum(piece not in record["text"] for piece in record["evidence"])
            if absent:
                problems.append(
                    FieldProblem("evidence", f"{absent} that the text does not hold", "verbatim pieces of the text")
                )
        if sound.issuperset(["severity", "proximity", "source", "rating"]):
            problems += _off_the_table(record, policy)
        found += [(line, problem) for problem in problems]
    return found


def _off_the_table(record: dict[str, Any], policy: Policy) -> list[FieldProblem]:
    """Return the rating that is neither the table's cell nor, from a source that may lift it, the floor's."""
    severity, proximity = record["severity"], record["proximity"]
    cell, lifted = policy.rating_ranks[SEVERITIES.index(severity), PROXIMITIES.index(proximity)]
    allowed = [RATINGS[cell]]
    if record["source"] in (*policy.floor.sources, None) and lifted != cell:  # where it is not known, the text decides
        allowed.append(RATINGS[lifted])
    if record["rating"] in allowed:
        return []
    expected = " or, by the floor, ".join(allowed)
    return [FieldProblem("rating", record["rating"], f"{expected} ({severity} × {proximity})")]
