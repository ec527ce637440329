"""A file in the corpus's format in, its labels out; what is refused is named by file, line and field."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel.errors import DataError, EscalationError, FieldProblem
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import (
    LANGUAGES,
    PROXIMITIES,
    RATINGS,
    SEVERITIES,
    Escalation,
    Proximity,
    Rating,
    Severity,
    kind_of,
    read_escalation,
)

SENT = ("id", "text", "source", "market")  # of an escalation; the rest is its label
FIELDS = ("group", *SENT, "language", "severity", "proximity", "rating", "categories", "evidence")
MAX_LISTED = 20  # a message that lists more is no longer read
MAX_NAME = 40  # characters; a longer name of an unknown field may be somebody's report, so it is not repeated

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What an escalation is known to be."""

    severity: Severity
    proximity: Proximity
    rating: Rating


@dataclass(frozen=True)
class Label:
    """An escalation, and what it is known to be."""

    escalation: Escalation = field(repr=False)
    known: Known


def read_labels(path: Path, policy: Policy) -> list[Label]:
    """Read a file of labelled escalations, one JSON object a line; source and market may be null.

    Raises:
        DataError: if any line is refused; names file, line and field of each, and what is expected there.
    """
    labels: list[Label] = []
    refused: list[str] = []
    lines: dict[str, int] = {}
    for line, row in _rows(path):
        problems = [row] if isinstance(row, FieldProblem) else _problems(row, policy)
        if isinstance(row, FieldProblem) or problems:
            refused += [f"{path}:{line} {problem}" for problem in problems]
            continue
        first = lines.setdefault(row["id"], line)
        if first != line:
            refused.append(f"{path}:{line} {FieldProblem('id', f'the id of line {first}', 'an id of its own')}")
        escalation = read_escalation({name: row[name] for name in SENT})
        labels.append(Label(escalation, Known(row["severity"], row["proximity"], row["rating"])))
    if refused:
        listed = refused[:MAX_LISTED]
        if len(refused) > MAX_LISTED:
            listed.append(f"... and {len(refused) - MAX_LISTED:,} more")
        raise DataError("\n  ".join(["The labelled escalations cannot be used:", *listed]))
    if not labels:
        raise DataError(f"{path} holds no line, expected at least one labelled escalation.")
    return labels


def _rows(path: Path) -> Iterator[tuple[int, Row | FieldProblem]]:
    """Yield the object of each line, or why there is none, with the line's number."""
    try:
        content = path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    for line, raw in enumerate(content.split(b"\n") if content else [], start=1):
        try:
            row = json.loads(raw.decode(), object_pairs_hook=_each_field_once)
        except (ValueError, RecursionError):
            yield line, FieldProblem("record", "no valid JSON, or a field twice", "one JSON object in UTF-8")
            continue
        yield line, row if isinstance(row, dict) else FieldProblem("record", kind_of(row), "an object")


def _each_field_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a field stands twice")
    return row


def _problems(row: Row, policy: Policy) -> list[FieldProblem]:
    """Return what is wrong with a row: its fields first, and what does not fit together if each is sound."""
    found = [
        FieldProblem(_safe(name), "an unknown field", "one of " + ", ".join(FIELDS))
        for name in row
        if name not in FIELDS
    ]
    found += [FieldProblem(name, "no such field", "a value") for name in FIELDS if name not in row]
    if found:
        return found
    return [*_unsendable(row), *_unknown_words(row, policy)] or _contradictions(row, policy)


def _safe(name: str) -> str:
    return name if name.isidentifier() and len(name) <= MAX_NAME else "record"


def _unsendable(row: Row) -> list[FieldProblem]:
    """Return the fields that the service would refuse."""
    if row["id"] is None:
        return [FieldProblem("id", "nothing", "an id of its own")]
    try:
        read_escalation({name: row[name] for name in SENT})
    except EscalationError as error:
        return error.problems
    return []


def _unknown_words(row: Row, policy: Policy) -> list[FieldProblem]:
    words: dict[str, Collection[str]] = {
        "language": LANGUAGES,
        "severity": SEVERITIES,
        "proximity": PROXIMITIES,
        "rating": RATINGS,
    }
    found = [
        FieldProblem(name, kind_of(row[name]) + " that is not in the list", "one of " + ", ".join(known))
        for name, known in words.items()
        if not isinstance(row[name], str) or row[name] not in known
    ]
    if not isinstance(row["group"], str) or not row["group"].strip():
        found.append(FieldProblem("group", kind_of(row["group"]), "a name"))
    names = row["categories"]
    if not _is_texts(names) or not set(names) <= set(policy.category_names) or len(set(names)) < len(names):
        expected = "some of " + ", ".join(policy.category_names) + ", each once"
        found.append(FieldProblem("categories", kind_of(names) + " of another kind", expected))
    elif NO_VIOLATION in names and len(names) > 1:
        found.append(FieldProblem("categories", f"{NO_VIOLATION} beside others", f"{NO_VIOLATION} to stand alone"))
    if row["evidence"] != [] and not _is_texts(row["evidence"]):
        found.append(FieldProblem("evidence", kind_of(row["evidence"]) + " of another kind", "a list of texts"))
    return found


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(item, str) and item.strip() for item in value)


def _contradictions(row: Row, policy: Policy) -> list[FieldProblem]:
    found = []
    absent = sum(piece not in row["text"] for piece in row["evidence"])
    if absent:
        found.append(FieldProblem("evidence", f"{absent} that the text does not hold", "verbatim pieces of the text"))
    at = SEVERITIES.index(row["severity"]), PROXIMITIES.index(row["proximity"])
    cell, lifted = (RATINGS[rank] for rank in policy.rating_ranks[at])
    may_lift = row["source"] in (*policy.floor.sources, None)  # where it is not known, the text decides
    allowed = [cell, lifted] if may_lift and lifted != cell else [cell]
    if row["rating"] not in allowed:
        expected = f"{' or, by the floor, '.join(allowed)} ({row['severity']} × {row['proximity']})"
        found.append(FieldProblem("rating", row["rating"], expected))
    return found
