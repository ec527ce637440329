"""One file of labelled escalations in, a checked frame out; what is refused is named by file, line and field.

A frame has one row per line of its file; its index, ``line``, counts from 1.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from riskmodel.errors import DataError, FieldProblem
from riskmodel.policy import Policy
from riskmodel.records import kind_of
from training.contract import WEIGHT, WORDS, Kind, contradictions, fields_of, schema

MAX_LISTED = 20  # a message that lists more is no longer read
MAX_NAME = 40  # characters; a longer name of an unknown field may be somebody's report, so it is not repeated


@dataclass(frozen=True)
class _Refusal:
    line: int
    problem: FieldProblem


def read_labelled(path: Path, policy: Policy, kind: Kind = "corpus") -> pd.DataFrame:
    """Read one file of labelled escalations and check every line of it against the policy.

    Args:
        path: of the file.
        policy: whose words and table it must keep to.
        kind: ``verdicts`` and ``labels`` may lack source and market (null) and evidence (an empty list);
            verdicts have a weight.

    Returns:
        One row per line: the text columns ``WORDS``, then ``categories`` and ``evidence`` as lists of text, and the
        weight of verdicts.

    Raises:
        DataError: naming file, line and field of what was refused, and what is expected there.
    """
    fields = fields_of(kind)
    records, refusals = _parse(read_bytes(path), fields)
    lines = pd.Index(list(records), name="line", dtype="int64")
    frame = pd.DataFrame(list(records.values()), index=lines, columns=list(fields), dtype=object)
    refused = {(refusal.line, refusal.problem.field) for refusal in refusals}
    cells = _broken_cells(frame, schema(policy, kind))
    refusals += [cell for cell in cells if (cell.line, cell.problem.field) not in refused]
    refused |= {(refusal.line, refusal.problem.field) for refusal in refusals}
    refusals += [_Refusal(*found) for found in contradictions(records, policy, refused)]
    refusals.sort(key=lambda refusal: refusal.line)
    raise_if_any([f"{path}:{refusal.line} {refusal.problem}" for refusal in refusals])
    if frame.empty:
        raise DataError(f"{path} holds no line, expected at least one labelled escalation.")
    return frame.astype({**dict.fromkeys(WORDS, "str"), **({WEIGHT: "float64"} if kind == "verdicts" else {})})


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        DataError: naming one that cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def raise_if_any(problems: Sequence[str]) -> None:
    """Raise one error that lists problems, or as many as anybody reads; do nothing where there is none."""
    if not problems:
        return
    listed = list(problems[:MAX_LISTED])
    if len(problems) > MAX_LISTED:
        listed.append(f"... and {len(problems) - MAX_LISTED:,} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
    raise DataError("\n  ".join([f"The labelled escalations have {count}:", *listed]))


def _parse(content: bytes, fields: tuple[str, ...]) -> tuple[dict[int, dict[str, Any]], list[_Refusal]]:
    """Return the JSON object of each line that holds one, and what is wrong with lines and field names."""
    records: dict[int, dict[str, Any]] = {}
    refusals = []
    for line, raw in enumerate(content.removesuffix(b"\n").split(b"\n") if content else [], start=1):
        try:
            record = json.loads(raw.decode(), object_pairs_hook=_each_field_once)
        except (ValueError, RecursionError):
            problem = FieldProblem("record", "no valid JSON, or a field twice", "one JSON object in UTF-8")
            refusals.append(_Refusal(line, problem))
            continue
        if not isinstance(record, dict):
            refusals.append(_Refusal(line, FieldProblem("record", kind_of(record), "an object")))
            continue
        problems = _unreadable_fields(record, fields)
        refusals += [_Refusal(line, problem) for problem in problems]
        unreadable = {problem.field for problem in problems}
        records[line] = {name: None if name in unreadable else record[name] for name in fields}
    return records, refusals


def _unreadable_fields(record: dict[str, Any], fields: tuple[str, ...]) -> list[FieldProblem]:
    """Return the fields that are missing, unknown, or hold what is no Unicode text."""
    problems = []
    for name in dict.fromkeys([*fields, *record]):
        if name not in fields:
            name = name if name.isidentifier() and len(name) <= MAX_NAME else "record"
            problems.append(FieldProblem(name, "an unknown field", "one of " + ", ".join(fields)))
        elif name not in record:
            problems.append(FieldProblem(name, "no such field", "a value"))
        elif not _is_unicode(record[name]):
            problems.append(FieldProblem(name, f"{kind_of(record[name])} with a lone surrogate", "valid Unicode"))
    return problems


def _is_unicode(value: Any) -> bool:
    """Return whether a JSON value can be written as UTF-8; pandas and pandera fail on one that cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _each_field_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a field stands twice")
    return record


def _broken_cells(frame: pd.DataFrame, held: pa.DataFrameSchema) -> list[_Refusal]:
    """Return each value that its column's schema refuses, by its kind: the value itself may be a report."""
    try:
        held.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        # its own message repeats the values, so nothing is raised from it
        return [
            _Refusal(int(line), FieldProblem(error.schema.name, _kind_and_size(value), error.check.error))
            for error in errors.schema_errors
            for line, value in error.failure_cases[["index", "failure_case"]].itertuples(index=False)
        ]
    return []


def _kind_and_size(value: Any) -> str:
    if isinstance(value, str):
        return f"text of length {len(value):,}"
    return f"a list of {len(value)}" if isinstance(value, list) else kind_of(value)
