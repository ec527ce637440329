"""Filters in, cases as JSON objects out, one at a time; personal data masked unless told otherwise."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from riskmodel.casebook.database import Database
from riskmodel.casebook.paging import Filters, page
from riskmodel.casebook.records import Case, KeptAssessment
from riskmodel.redaction import redact, redact_stretch

CASES_AT_ONCE = 200  # in memory
REPORTER_MASK = "[reporter]"


def export(database: Database, filters: Filters, *, redacted: bool = True) -> Iterator[dict[str, Any]]:
    """Return cases, the newest first, each page read in a transaction of its own, so that nobody waits."""
    cursor: str | None = None
    while True:
        found = database.read(partial(page, filters=filters, before=cursor, limit=CASES_AT_ONCE))
        for case in found.cases:
            yield exported(case, redacted=redacted)
        cursor = found.next_cursor
        if cursor is None:
            return


def exported(case: Case, *, redacted: bool) -> dict[str, Any]:
    """Return the fields as sent, and the assessments, the newest first, as a JSON object."""
    return {
        "id": case.id,
        "client": case.client,
        "received_at": _written(case.received_at),
        "kept_at": _written(case.kept_at),
        "text": redact(case.text) if redacted else case.text,
        "source": case.source,
        "market": case.market,
        "reliability": case.reliability,
        "credibility": case.credibility,
        "reporter": REPORTER_MASK if redacted and case.reporter is not None else case.reporter,
        "assessments": [_assessment(kept, case.text, redacted=redacted) for kept in case.assessments],
    }


def _assessment(kept: KeptAssessment, text: str, *, redacted: bool) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(kept.document)
    answer["assessed_at"] = _written(kept.assessed_at)
    if kept.learnt:
        answer["answers_read"] = len(kept.learnt)
        evidence = answer["explanation"]["evidence"]
        answer["explanation"]["evidence"] = [stretch for stretch in evidence if stretch["end"] <= len(text)]
    if redacted:
        _redact_explanation(answer["explanation"], text)
    return answer


def _redact_explanation(explanation: dict[str, Any], text: str) -> None:
    """Mask every word of a report in an explanation: what is personal is decided on the whole text, not on a stretch.

    Offsets count characters of the masked text.
    """
    summary = str(explanation["summary"])
    for stretch in explanation["evidence"]:
        masked = redact_stretch(text, stretch["start"], stretch["end"])
        summary = summary.replace(stretch["text"], masked.text) if stretch["text"] else summary
        stretch |= {"start": masked.start, "end": masked.start + len(masked.text), "text": masked.text}
    explanation["summary"] = redact(summary)
    for precedent in explanation["precedents"]:
        precedent["excerpt"] = redact(precedent["excerpt"])


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
