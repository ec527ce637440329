"""What a hand-off rests on in, the document that its team is given out: the whole assessment, personal data masked."""

from typing import Any

from riskmodel.casebook.exporting import exported
from riskmodel.casework.basis import Basis
from riskmodel.policy import Policy
from riskmodel.redaction import redact, redact_stretch
from riskmodel.review import Verdict


def snapshot(basis: Basis, note: str, policy: Policy, *, masked: bool) -> dict[str, Any]:
    """Return a JSON object: ``escalation``, ``assessment``, ``verdict`` (or None) and what the desk adds."""
    whole = exported(basis.case, redacted=masked)
    newest = whole.pop("assessments")[0]
    return {
        "escalation": whole,
        "assessment": newest,
        "verdict": None if basis.verdict is None else _verdict(basis, basis.verdict, masked=masked),
        "rating": basis.rating,
        "category": basis.category,
        "dsa": policy.categories[basis.category].dsa if basis.category in policy.categories else None,
        "note": redact(note) if masked else note,
    }


def _verdict(basis: Basis, verdict: Verdict, *, masked: bool) -> dict[str, Any]:
    """Return a verdict without the analyst's name, which is nobody's business outside."""
    text = basis.case.text
    stretches = []
    for start, end in verdict.evidence:
        found = redact_stretch(text, start, end) if masked else None
        begin, words = (start, text[start:end]) if found is None else (found.start, found.text)
        stretches.append({"start": begin, "end": begin + len(words), "text": words})
    return {
        "rating": verdict.rating,
        "severity": verdict.severity,
        "proximity": verdict.proximity,
        "lifted": verdict.lifted,
        "categories": list(verdict.categories),
        "evidence": stretches,
        "note": redact(verdict.note) if masked else verdict.note,
        "decided_at": verdict.decided_at.isoformat().replace("+00:00", "Z"),
        "policy": verdict.policy_version,
    }
