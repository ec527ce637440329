"""Mitigated hand-offs in; drafts of statements of reasons in the field names of the EU's DSA Transparency Database out.

Fields and values are those of its API (https://transparency.dsa.ec.europa.eu/page/api-documentation, read in 2026).
What the desk does not know stays empty, and each draft says which required fields these are. No text of a report, no
note and no name of a person gets in.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.tables import ESCALATIONS, HANDOFF_EVENTS, HANDOFFS, VERDICTS
from riskmodel.policy import Policy
from riskmodel.records import Source
from riskmodel.reports.insight.periods import periods
from riskmodel.reports.insight.records import Asked, AsOf

EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
SOURCE_TYPES: Mapping[Source, str] = {
    "user_report": "SOURCE_ARTICLE_16",
    "trusted_flagger": "SOURCE_TRUSTED_FLAGGER",
    "press": "SOURCE_TYPE_OTHER_NOTIFICATION",
    "government": "SOURCE_TYPE_OTHER_NOTIFICATION",
    "law_enforcement": "SOURCE_TYPE_OTHER_NOTIFICATION",
    "partner": "SOURCE_TYPE_OTHER_NOTIFICATION",
    "legal": "SOURCE_TYPE_OTHER_NOTIFICATION",
    "moderation_queue": "SOURCE_VOLUNTARY",
    "employee": "SOURCE_VOLUNTARY",
    "automated_detection": "SOURCE_VOLUNTARY",
}
VISIBILITY = {
    "removed": "DECISION_VISIBILITY_CONTENT_REMOVED",
    "labelled": "DECISION_VISIBILITY_CONTENT_LABELLED",
}
SUSPENDED, LIMITED = "account suspended", "limited"
RESTRICTIONS = frozenset({*VISIBILITY, SUSPENDED, LIMITED})  # what else a team does restricts nobody
LISTS = ("decision_visibility", "content_type", "category_addition", "category_specification", "territorial_scope")
FIELDS = (
    "decision_visibility", "decision_visibility_other", "end_date_visibility_restriction", "decision_monetary",
    "decision_monetary_other", "end_date_monetary_restriction", "decision_provision", "end_date_service_restriction",
    "decision_account", "end_date_account_restriction", "account_type", "decision_facts", "decision_ground",
    "decision_ground_reference_url", "illegal_content_legal_ground", "illegal_content_explanation",
    "incompatible_content_ground", "incompatible_content_explanation", "incompatible_content_illegal", "content_type",
    "content_type_other", "content_id", "category", "category_addition", "category_specification",
    "category_specification_other", "territorial_scope", "content_language", "content_date", "application_date",
    "source_type", "source_identity", "automated_detection", "automated_decision", "puid",
)  # fmt: skip
WHY_EMPTY = {
    "decision_visibility": "The team wrote that content was limited, not how: disabled, demoted, restricted by age.",
    "decision_ground": "The desk does not record whether the law or the terms and conditions were relied on.",
    "content_type": "The desk keeps reports, not what they are about: not whether it was text, image or video.",
    "content_date": "The desk does not know when the content was posted.",
    "territorial_scope": "The desk knows which market a report concerns, not where the restriction holds.",
    "category": "The policy gives this category no code of the database.",
    "source_type": "The sender did not say who reported it.",
    "automated_detection": "The sender did not say who reported it, or it came out of a moderation queue.",
    "automated_decision": "The team's own system recorded the mitigation: whether a person decided is not known.",
}


@dataclass(frozen=True)
class Draft:
    """A statement of reasons that somebody must complete; ``missing`` names the required fields that are empty."""

    handoff: int
    fields: Mapping[str, Any]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Drafts:
    """All drafts of a period, and how many mitigated hand-offs need none, by the reason."""

    drafts: tuple[Draft, ...]
    left_out: Mapping[str, int]

    @property
    def missing(self) -> Mapping[str, int]:
        """Return how many drafts lack each required field."""
        return Counter(field for draft in self.drafts for field in draft.missing)


def drafts(connection: sa.Connection, asked: Asked, as_of: AsOf, policy: Policy) -> Drafts:
    """Return the drafts of what was mitigated in a period, in its order."""
    spans, numbers = periods(asked), as_of.numbers
    condition = [
        HANDOFF_EVENTS.c.kind == "mitigated",
        HANDOFF_EVENTS.c.at >= spans.begin,
        HANDOFF_EVENTS.c.at < spans.end,
        HANDOFF_EVENTS.c.number <= numbers.get("handoff_events", 0),
    ]
    if asked.market is not None:
        condition.append(HANDOFFS.c.market == asked.market)
    if asked.language is not None:
        condition.append(HANDOFFS.c.language == asked.language)
    found, left_out = [], Counter[str]()
    for row in connection.execute(_MITIGATED.where(*condition).order_by(HANDOFF_EVENTS.c.number)):
        actions = json.loads(row.actions or "[]")
        if not RESTRICTIONS & set(actions):
            left_out["no restriction was placed on anybody"] += 1
        elif row.market is not None and row.market not in EEA:
            left_out["the market is outside the EU and the EEA"] += 1
        else:
            found.append(_draft(row, actions, policy))
    return Drafts(tuple(found), left_out)


def _draft(row: Any, actions: Iterable[str], policy: Policy) -> Draft:
    filled: dict[str, Any] = {field: [] if field in LISTS else None for field in FIELDS}
    codes = _codes(row, policy)
    filled |= {
        "decision_visibility": [VISIBILITY[action] for action in actions if action in VISIBILITY],
        "decision_account": "DECISION_ACCOUNT_SUSPENDED" if SUSPENDED in actions else None,
        "decision_facts": _facts(row, policy),
        "category": codes[0] if codes else None,
        "category_addition": codes[1:],
        "application_date": _day(row.at),
        "source_type": SOURCE_TYPES.get(row.source),
        "automated_detection": _detection(row.source),
        "automated_decision": None if row.way == "key" else "AUTOMATED_DECISION_PARTIALLY",
        "puid": f"riskmodel-handoff-{row.handoff}",
    }
    missing = [field for field in WHY_EMPTY if not filled[field] and field != "decision_visibility"]
    if not filled["decision_visibility"] and not filled["decision_account"]:
        missing.insert(0, "decision_visibility")
    return Draft(row.handoff, filled, tuple(missing))


def _codes(row: Any, policy: Policy) -> list[str]:
    """Return the database's codes of the categories that were decided, the main one first."""
    names = json.loads(row.categories) if row.categories else [row.category]
    ordered = [row.category, *(name for name in names if name != row.category)]
    found = [policy.categories[name].dsa for name in ordered if name in policy.categories]
    return list(dict.fromkeys(code for code in found if code is not None))


def _facts(row: Any, policy: Policy) -> str:
    """Return what was relied on, from what was chosen from lists alone."""
    known = row.source.replace("_", " ") if row.source else "a source that was not stated"
    who = "a person decided so" if row.verdict is not None else "the model's rating was accepted without review"
    ground = f" ({row.severity} × {row.proximity})" if row.verdict is not None else ""
    category = row.category.replace("_", " ")
    version = row.policy_version or policy.version
    return f"Reported by: {known}. Category: {category}. Rated {row.rating}{ground} by policy {version}; {who}."


def _detection(source: str | None) -> str | None:
    if source is None or source == "moderation_queue":
        return None
    return "Yes" if source == "automated_detection" else "No"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


_MITIGATED = sa.select(
    HANDOFF_EVENTS.c.handoff,
    HANDOFF_EVENTS.c.at,
    HANDOFF_EVENTS.c.way,
    HANDOFF_EVENTS.c.actions,
    HANDOFFS.c.category,
    HANDOFFS.c.rating,
    HANDOFFS.c.market,
    HANDOFFS.c.verdict,
    ESCALATIONS.c.source,
    VERDICTS.c.categories,
    VERDICTS.c.severity,
    VERDICTS.c.proximity,
    VERDICTS.c.policy_version,
).select_from(
    HANDOFF_EVENTS.join(HANDOFFS, HANDOFFS.c.number == HANDOFF_EVENTS.c.handoff)
    .join(ESCALATIONS, ESCALATIONS.c.number == HANDOFFS.c.escalation)
    .outerjoin(VERDICTS, VERDICTS.c.number == HANDOFFS.c.verdict)
)
