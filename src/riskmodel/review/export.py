"""Settled verdicts in, rows in the corpus's format out, who and when kept apart; each verdict once.

Personal data is masked unless told otherwise.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.reading import load
from riskmodel.casebook.records import Case
from riskmodel.casebook.tables import VERDICTS, micros_of
from riskmodel.records import LANGUAGES
from riskmodel.redaction import redact, redact_stretch
from riskmodel.review import reading
from riskmodel.review.opinions import opinions
from riskmodel.review.records import Verdict

MAX_EVIDENCE = 3  # pieces, in the corpus's format
ESCALATIONS_AT_ONCE = 200  # in memory


@dataclass(frozen=True)
class Exported:
    """A verdict for training.

    Attributes:
        id: of the escalation and of the verdict; a later verdict on the same escalation has the same beginning.
        day: on which it was given, UTC.
        row: in the corpus's format, with the number of escalations it stands for as ``weight``; 0 takes back.
        origin: of the row: who decided, when, and what for.
    """

    id: str
    day: date
    row: dict[str, Any] = field(repr=False)
    origin: dict[str, Any] = field(repr=False)


def export(database: Database, known: Collection[str], *, redacted: bool = True) -> Iterator[Exported]:
    """Return what counts as the verdict on each escalation, and what no longer does, but for the ids in ``known``.

    What is left out: golden cases, opinions that differ as long as no third settled them, and languages that
    the corpus does not have. Each chunk is read in a transaction of its own, so that nobody waits.
    """
    last = 0
    while True:
        found = database.read(partial(_chunk, after=last))
        if not found:
            return
        for case, verdicts in found:
            last = case.number
            verdict = _counts(verdicts)
            if verdict is None or _language(case) not in LANGUAGES:
                continue
            one = _exported(case, verdict, redacted=redacted)
            if one.id not in known and (verdict.kind != "retracted" or _knows(known, case, verdicts)):
                yield one


def _chunk(connection: sa.Connection, after: int) -> list[tuple[Case, list[Verdict]]]:
    """Return the next cases that anyone decided, with their verdicts."""
    numbers: Sequence[int] = (
        connection.execute(
            sa.select(VERDICTS.c.escalation)
            .where(VERDICTS.c.escalation > after)
            .distinct()
            .order_by(VERDICTS.c.escalation)
            .limit(ESCALATIONS_AT_ONCE)
        )
        .scalars()
        .all()
    )
    found = reading.verdicts(connection, VERDICTS.c.escalation.in_(numbers))
    found.sort(key=lambda verdict: verdict.escalation)
    by_escalation = {number: list(of_one) for number, of_one in groupby(found, lambda verdict: verdict.escalation)}
    return [(case, by_escalation[case.number]) for case in load(connection, numbers)]


def _counts(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the verdict that counts; the last retraction if none stands; None while opinions differ."""
    asked = [verdict for verdict in verdicts if verdict.purpose != "golden"]
    if asked and not reading.standing(asked):
        return asked[-1]
    return opinions(asked).settled


def _exported(case: Case, verdict: Verdict, *, redacted: bool) -> Exported:
    id_ = f"{_key(case)}.{verdict.number}"
    text = redact(case.text) if redacted else case.text
    row = {
        "id": id_,
        # The same report twice must not be learnt on one side of a fold and asked for on the other.
        "group": "v-" + hashlib.sha256(text.encode()).hexdigest()[:16],
        "text": text,
        "language": _language(case),
        "source": case.source,
        "market": case.market,
        "severity": verdict.severity,
        "proximity": verdict.proximity,
        "rating": verdict.rating,
        "categories": list(verdict.categories),
        "evidence": _pieces(case.text, verdict, redacted=redacted),
        "weight": 0.0 if verdict.kind == "retracted" else verdict.weight,
    }
    origin = {
        "id": id_,
        "client": case.client,
        "escalation": case.id,
        "analyst": verdict.analyst,
        "decided_at": verdict.decided_at.isoformat().replace("+00:00", "Z"),
        "seconds": verdict.seconds,
        "kind": verdict.kind,
        "purpose": verdict.purpose,
        "lifted": verdict.lifted,
        "model": verdict.model_version,
        "policy": verdict.policy_version,
    }
    return Exported(id_, verdict.decided_at.date(), row, origin)


def _key(case: Case) -> str:
    """Return a name for an escalation that tells nothing of it and that no other casebook gives."""
    named = json.dumps([case.client, case.id, micros_of(case.kept_at)])
    return "v-" + hashlib.sha256(named.encode()).hexdigest()[:16]


def _knows(known: Collection[str], case: Case, verdicts: Sequence[Verdict]) -> bool:
    """Return whether any of an escalation's verdicts was exported, so that there is something to take back."""
    return any(f"{_key(case)}.{verdict.number}" in known for verdict in verdicts)


def _language(case: Case) -> str:
    return case.assessments[0].assessment.language


def _pieces(text: str, verdict: Verdict, *, redacted: bool) -> list[str]:
    pieces = [redact_stretch(text, *at).text if redacted else text[slice(*at)] for at in verdict.evidence]
    return [piece for piece in dict.fromkeys(pieces) if piece.strip()][:MAX_EVIDENCE]


def jsonl(row: dict[str, Any]) -> str:
    """Return a line of a file."""
    return json.dumps(row, ensure_ascii=False) + "\n"
