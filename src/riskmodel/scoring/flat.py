"""An assessment in, one flat row of columns out; several names in one column are joined by ``|``."""

import json
from typing import Any

from riskmodel.records import RATINGS, Assessment

SEPARATOR = "|"
NUMBERS = ("confidence", *(f"p_{rating}" for rating in RATINGS), "severity_confidence", "proximity_confidence")
ROW_NUMBER, TIME = "row", "act_by"
FLAT_COLUMNS = (
    "id",
    ROW_NUMBER,
    "language",
    "rating",
    TIME,
    "team",
    "confidence",
    *(f"p_{rating}" for rating in RATINGS),
    "plausible_ratings",
    "severity",
    "severity_confidence",
    "proximity",
    "proximity_confidence",
    "categories",
    "evidence",
    "rule",
    "summary",
    "route",
    "reasons",
    "model",
    "policy",
)


def flatten(number: int, assessment: Assessment) -> dict[str, Any]:
    """Return the values of ``FLAT_COLUMNS``: text, but for the row, ``NUMBERS`` and the time."""
    explanation, decision = assessment.explanation, assessment.decision
    evidence = [item.model_dump() for item in explanation.evidence]
    return {
        "id": assessment.id,
        ROW_NUMBER: number,
        "language": assessment.language,
        "rating": assessment.rating,
        TIME: assessment.act_by,
        "team": assessment.team,
        "confidence": assessment.confidence,
        **{f"p_{rating}": assessment.probabilities[rating] for rating in RATINGS},
        "plausible_ratings": SEPARATOR.join(assessment.plausible_ratings),
        "severity": assessment.severity.value,
        "severity_confidence": assessment.severity.confidence,
        "proximity": assessment.proximity.value,
        "proximity_confidence": assessment.proximity.confidence,
        "categories": SEPARATOR.join(category.name for category in assessment.categories),
        "evidence": json.dumps(evidence, ensure_ascii=False),
        "rule": explanation.rule,
        "summary": explanation.summary,
        "route": decision.route,
        "reasons": SEPARATOR.join(decision.reasons),
        "model": f"{assessment.model.name} {assessment.model.version}",
        "policy": assessment.model.policy,
    }
