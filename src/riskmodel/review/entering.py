"""A rated escalation in; its row of the queue out: because a person must look, or drawn for audit."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom
from typing import Any, Protocol

from riskmodel.casebook import Rated
from riskmodel.records import Assessment, Rating
from riskmodel.review.ordering import order_at
from riskmodel.review.records import Purpose, ReviewSettings

COST: dict[Rating, float] = {
    "low": 0,
    "medium": 1,
    "high": 4,
    "critical": 16,
}  # each is four of the one before


class Report(Protocol):
    """What an escalation, and the case that is kept of it, have in common."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def source(self) -> str | None: ...  # noqa: D102

    @property
    def market(self) -> str | None: ...  # noqa: D102


def expected_harm(probabilities: Mapping[Rating, float]) -> float:
    """Return the expected cost of an escalation, from 0 (certainly low) to 1 (certainly critical)."""
    return sum(COST[rating] * chance for rating, chance in probabilities.items()) / max(COST.values())


def digest_of_text(text: str) -> bytes:
    """Return the SHA-256 of a text, the same whatever its case and spaces."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).digest()


def row_of(rated: Rated, purpose: Purpose, weight: float, now: datetime) -> dict[str, Any]:
    """Return the values of the row of ``reviews`` for an escalation that waits from now on."""
    return row_for(rated.sent.escalation, rated.assessment, purpose, weight, now)


def row_for(report: Report, assessment: Assessment, purpose: Purpose, weight: float, now: datetime) -> dict[str, Any]:
    """Return the same for a report and its assessment, wherever they come from."""
    harm = expected_harm(assessment.probabilities)
    return {
        "purpose": purpose,
        "weight": weight,
        "known": None,
        "text_digest": digest_of_text(report.text),
        "language": assessment.language,
        "category": assessment.categories[0].name,
        "source": report.source,
        "market": report.market,
        "rating": assessment.rating,
        "reasons": json.dumps(assessment.decision.reasons),
        "queued_at": now,
        "act_by": assessment.act_by,
        "harm": harm,
        "order_at": order_at(assessment.act_by, harm),
        "state": "waiting",
        "version": 1,
    }


@dataclass(frozen=True)
class Entering:
    """Says of each escalation that is kept whether it enters the queue; called within the keeping transaction."""

    settings: ReviewSettings
    random: Random = field(default_factory=SystemRandom, repr=False)

    def __call__(self, rated: Rated, now: datetime) -> dict[str, Any] | None:
        """Return the row of a review, of an audit that chance has drawn, or None."""
        if rated.assessment.decision.route == "review":
            return row_of(rated, "review", 1.0, now)
        share = self.settings.audit_share
        if self.random.random() < share:
            return row_of(rated, "audit", 1 / share, now)
        return None
