"""A verdict as an analyst sends it and the case in, the checked values of its row out; the rating is the table's."""

import json
from collections import Counter
from typing import Any

from riskmodel.casebook import Case
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES, Assessment, Rating
from riskmodel.review.records import Kind, NewVerdict, VerdictError

MAX_NOTE_CHARACTERS = 2_000
MAX_EVIDENCE = 20
MAX_SECONDS = 24 * 3600.0  # of active work on one case; more is a clock that ran on


def judged(new: NewVerdict, case: Case, assessment: Assessment, policy: Policy) -> dict[str, Any]:
    """Return the values that an analyst's answer gives.

    Raises:
        VerdictError: naming the field that cannot be.
    """
    _check(new, case, policy)
    rating = rating_of(new, policy)
    return {
        "analyst": new.analyst,
        "seconds": min(new.seconds, MAX_SECONDS),
        "kind": _kind(new, rating, assessment),
        "severity": new.severity,
        "proximity": new.proximity,
        "lifted": new.lifted,
        "rating": rating,
        "categories": json.dumps(list(new.categories)),
        "evidence": json.dumps(sorted(new.evidence)),
        "note": new.note,
        "client_token": new.client_token,
        "model_version": assessment.model.version,
        "policy_version": policy.version,
    }


def rating_of(new: NewVerdict, policy: Policy) -> Rating:
    """Return the rating that the policy's table gives, lifted by the floor if the analyst says so."""
    severity, proximity = SEVERITIES.index(new.severity), PROXIMITIES.index(new.proximity)
    return RATINGS[int(policy.rating_ranks[severity, proximity, int(new.lifted)])]


def _kind(new: NewVerdict, rating: Rating, assessment: Assessment) -> Kind:
    said = (assessment.rating, assessment.severity.value, assessment.proximity.value)
    names = {category.name for category in assessment.categories}
    same = said == (rating, new.severity, new.proximity) and names == set(new.categories)
    return "confirmed" if same else "changed"


def _check(new: NewVerdict, case: Case, policy: Policy) -> None:
    if new.severity not in SEVERITIES:
        raise VerdictError("severity", "another word", f"one of {', '.join(SEVERITIES)}")
    if new.proximity not in PROXIMITIES:
        raise VerdictError("proximity", "another word", f"one of {', '.join(PROXIMITIES)}")
    source = case.source
    if new.lifted and source is not None and source not in policy.floor.sources:
        raise VerdictError("lifted", f"the source {source}", f"one of {', '.join(policy.floor.sources)}")
    _check_categories(new.categories, policy)
    _check_evidence(new.evidence, len(case.text))
    if len(new.note) > MAX_NOTE_CHARACTERS or "\x00" in new.note:
        raise VerdictError("note", f"{len(new.note):,} characters", f"at most {MAX_NOTE_CHARACTERS:,}, none NUL")
    if not new.seconds >= 0:
        raise VerdictError("seconds", "less than none", "0 or more")


def _check_categories(categories: tuple[str, ...], policy: Policy) -> None:
    known = policy.category_names
    if not categories or not set(categories) <= set(known) or max(Counter(categories).values()) > 1:
        raise VerdictError("categories", "none, an unknown one, or one twice", f"some of {', '.join(known)}, each once")
    if NO_VIOLATION in categories and len(categories) > 1:
        raise VerdictError("categories", f"{NO_VIOLATION} beside others", f"{NO_VIOLATION} to stand alone")


def _check_evidence(evidence: tuple[tuple[int, int], ...], length: int) -> None:
    if len(evidence) > MAX_EVIDENCE:
        raise VerdictError("evidence", f"{len(evidence)} stretches", f"at most {MAX_EVIDENCE}")
    reached = 0
    for start, end in sorted(evidence):
        if not reached <= start < end <= length:
            raise VerdictError("evidence", f"a stretch from {start} to {end}", f"apart, within 0 to {length}")
        reached = end
