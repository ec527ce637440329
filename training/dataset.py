"""Files of labelled escalations in, checked frames out; what is refused is named by file, line and field.

A frame has one row per line of its file; its index, ``line``, counts from 1.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import inf
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pandera.pandas as pa
from sklearn.feature_extraction.text import TfidfVectorizer

from riskmodel.errors import DataError, EscalationError, FieldProblem
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import (
    LANGUAGES,
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    PROXIMITIES,
    RATINGS,
    SEVERITIES,
    SOURCES,
    kind_of,
    read_escalation,
)

SPLITS = {"train": Path("data/escalations/train.jsonl"), "test": Path("data/escalations/test.jsonl")}
WORDS = ("id", "group", "text", "language", "source", "market", "severity", "proximity", "rating")
FIELDS = (*WORDS, "categories", "evidence")
VERDICTS = Path("data/verdicts")  # what analysts decided, as `riskmodel export verdicts` writes it
WEIGHT = "weight"  # how many escalations a row stands for; a verdict of 0 takes back the earlier ones of its escalation
Kind = Literal["corpus", "verdicts"]
CONTRAST_UNITS = (5, 6, 8)
POST_UNITS = (7,)
MAX_EVIDENCE = 3
MAX_LISTED = 20  # a message that lists more is no longer read
MAX_NAME = 40  # characters; a longer name of an unknown field may be somebody's report, so it is not repeated
# Measured on the corpus: no test text reaches more than 0.42 to any train text, while each test text of which
# a tenth of the words were replaced keeps 0.62 or more to itself.
NEAR_DUPLICATE_COSINE = 0.6


@dataclass(frozen=True)
class Overlap:
    """A test record that a train record gives away: the field they share, both lines, their cosine."""

    field: str
    train_line: int
    test_line: int
    cosine: float = 1.0


@dataclass(frozen=True)
class _Refusal:
    line: int
    problem: FieldProblem


def read_labelled(path: Path, policy: Policy, kind: Kind = "corpus") -> pd.DataFrame:
    """Read one file of labelled escalations and check every line of it against the policy.

    Args:
        path: of the file.
        policy: whose words and table it must keep to.
        kind: ``verdicts`` have a weight, and may lack source and market (null) and evidence (an empty list).

    Returns:
        One row per line: the text columns ``WORDS``, then ``categories`` and ``evidence`` as lists of text, and the
        weight of verdicts.

    Raises:
        DataError: naming file, line and field of what was refused, and what is expected there.
    """
    fields = FIELDS if kind == "corpus" else (*FIELDS, WEIGHT)
    records, refusals = _parse(_read_bytes(path), fields)
    lines = pd.Index(list(records), name="line", dtype="int64")
    frame = pd.DataFrame(list(records.values()), index=lines, columns=list(fields), dtype=object)
    refused = {(refusal.line, refusal.problem.field) for refusal in refusals}
    cells = _broken_cells(frame, _schema(policy, kind))
    refusals += [cell for cell in cells if (cell.line, cell.problem.field) not in refused]
    refused |= {(refusal.line, refusal.problem.field) for refusal in refusals}
    refusals += _contradictions(records, policy, refused)
    refusals.sort(key=lambda refusal: refusal.line)
    _raise_if_any([f"{path}:{refusal.line} {refusal.problem}" for refusal in refusals])
    if frame.empty:
        raise DataError(f"{path} holds no line, expected at least one labelled escalation.")
    return frame.astype({**dict.fromkeys(WORDS, "str"), **({} if kind == "corpus" else {WEIGHT: "float64"})})


def read_splits(root: Path, policy: Policy) -> dict[str, pd.DataFrame]:
    """Read and check every split below ``root``, and that no split gives another away; verdicts go to train.

    Returns:
        Frames with a weight. The lines of train go on through the verdicts.

    Raises:
        DataError: as :func:`read_labelled` and :func:`check_splits`.
    """
    frames = {name: read_labelled(root / path, policy) for name, path in SPLITS.items()}
    check_splits(frames, root=root)
    frames = {name: frame.assign(weight=1.0) for name, frame in frames.items()}
    verdicts = read_verdicts(root, policy)
    if verdicts is not None:
        known = {overlap.train_line for overlap in near_duplicates(verdicts, frames["test"])}
        train = pd.concat([frames["train"], verdicts.drop(index=list(known))], ignore_index=True)
        frames["train"] = train.set_index(pd.RangeIndex(1, len(train) + 1, name="line"))
    return frames


def verdict_files(root: Path) -> list[Path]:
    """Return the files of verdicts below ``root``, the oldest day first."""
    return sorted((root / VERDICTS).glob("*.jsonl"))


def read_verdicts(root: Path, policy: Policy) -> pd.DataFrame | None:
    """Read and check what analysts decided: of each escalation the newest verdict; None if there is none.

    Raises:
        DataError: as :func:`read_labelled`.
    """
    frames = [read_labelled(path, policy, "verdicts") for path in verdict_files(root)]
    if not frames:
        return None
    every = pd.concat(frames, ignore_index=True)
    named = every["id"].str.rsplit(".", n=1, expand=True).reindex(columns=[0, 1])
    order = pd.to_numeric(named[1], errors="coerce").fillna(0).sort_values(kind="stable").index
    newest = every.loc[order].loc[~named.loc[order, 0].duplicated(keep="last")].sort_index()
    found = newest[newest[WEIGHT] > 0].reset_index(drop=True)
    return None if found.empty else found


def check_splits(
    frames: Mapping[str, pd.DataFrame], threshold: float = NEAR_DUPLICATE_COSINE, root: Path = Path()
) -> None:
    """Check that no id, group or near-duplicate text stands in two splits; ``frames`` is keyed as ``SPLITS``.

    Raises:
        DataError: naming both files, both lines and the field of each overlap.
    """
    problems = []
    for (one, train), (other, test) in combinations(frames.items(), 2):
        shared = [*shared_values(train, test, "id"), *shared_values(train, test, "group")]
        for overlap in [*shared, *near_duplicates(train, test, threshold)]:
            where, twin = (
                f"{root / SPLITS[other]}:{overlap.test_line}",
                f"{root / SPLITS[one]}:{overlap.train_line}",
            )
            found, expected = f"the {overlap.field} of {twin}", f"each {overlap.field} in one split only"
            if overlap.field == "text":
                found = f"a near-duplicate of {twin} (cosine {overlap.cosine:.2f})"
                expected = f"a cosine below {threshold:g} to any text of another split"
            problems.append(f"{where} {FieldProblem(overlap.field, found, expected)}")
    _raise_if_any(problems)


def near_duplicates(train: pd.DataFrame, test: pd.DataFrame, threshold: float = NEAR_DUPLICATE_COSINE) -> list[Overlap]:
    """Return the pairs of texts that share so many 4-character pieces of words: TF-IDF cosine >= threshold."""
    if train.empty or test.empty:
        return []
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4)).fit_transform([*train["text"], *test["text"]])
    cosines = (vectors[len(train) :] @ vectors[: len(train)].T).tocoo()
    return [
        Overlap("text", int(train.index[column]), int(test.index[row]), float(cosine))
        for row, column, cosine in zip(cosines.row, cosines.col, cosines.data, strict=True)
        if cosine >= threshold
    ]


def shared_values(train: pd.DataFrame, test: pd.DataFrame, field: str) -> list[Overlap]:
    """Return the test records whose ``field`` also stands in train, each with the first train record of it."""
    first = train[field].drop_duplicates()
    train_lines = dict(zip(first, first.index, strict=True))
    both = [
        (train_lines[value], line) for value, line in zip(test[field], test.index, strict=True) if value in train_lines
    ]
    return [Overlap(field, int(train_line), int(test_line)) for train_line, test_line in both]


def data_digest(paths: Iterable[Path]) -> str:
    """Return the SHA-256 (hexadecimal) of the files' bytes, whatever the order in which they are named.

    Raises:
        DataError: naming a file that cannot be read.
    """
    digests = sorted(hashlib.sha256(_read_bytes(path)).hexdigest() for path in paths)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def unit(frame: pd.DataFrame) -> "pd.Series[int]":
    """Return the corpus unit in each id (``pt-5-188`` → 5), missing where an id has another form."""
    form = rf"^(?:{'|'.join(LANGUAGES)})-([0-9]{{1,3}})-[0-9]+$"
    return frame["id"].str.extract(form, expand=False).astype("Int64").rename("unit")


def is_contrast(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each record was written to contrast with others; False for ids of another form."""
    return unit(frame).isin(CONTRAST_UNITS).astype(bool)


def is_post(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each record is content itself, not a report about it; False for ids of another form."""
    return unit(frame).isin(POST_UNITS).astype(bool)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _raise_if_any(problems: list[str]) -> None:
    if not problems:
        return
    listed = problems[:MAX_LISTED]
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


def _broken_cells(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> list[_Refusal]:
    """Return each value that its column's schema refuses, by its kind: the value itself may be a report."""
    try:
        schema.validate(frame, lazy=True)
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


def _schema(policy: Policy, kind: Kind) -> pa.DataFrameSchema:
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
    if kind == "verdicts":
        few = f"a list of at most {MAX_EVIDENCE} texts"
        checks |= {
            "source": [_check(_may_lack(lambda value: value in SOURCES), "null or one of " + ", ".join(SOURCES))],
            "market": [_check(_may_lack(_passes_the_door("market")), "null or an ISO 3166-1 alpha-2 country code")],
            "evidence": [_check(lambda value: value == [] or (_is_texts(value) and len(value) <= MAX_EVIDENCE), few)],
            WEIGHT: [_check(lambda value: type(value) in (int, float) and 0 <= value < inf, "a number from 0 on")],
        }
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


def _contradictions(
    records: Mapping[int, dict[str, Any]], policy: Policy, refused: Collection[tuple[int, str]]
) -> list[_Refusal]:
    """Return what does not fit together between sound fields: ids, evidence and text, rating and table."""
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
        found += [_Refusal(line, problem) for problem in problems]
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
