"""Escalations and assessments made for tests of the casebook, and the moments they were made at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from riskmodel.casebook import Rated, Sent, digest_of
from riskmodel.records import Assessment, Escalation

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "Vai na escola amanhã às 18:00, ligue 11 98765-4321."
START, END = 31, 51  # "ligue 11 98765-4321"


class Clock:
    """A clock that goes on a minute whenever someone looks."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def make_assessment(id_: str, text: str = TEXT, **changes: Any) -> Assessment:
    answer = {
        "id": id_,
        "language": "pt",
        "rating": "high",
        "act_by": NOON + timedelta(hours=8),
        "team": "crisis_response",
        "confidence": 0.75,
        "probabilities": {"low": 0.0, "medium": 0.05, "high": 0.75, "critical": 0.2},
        "plausible_ratings": ["high", "critical"],
        "severity": {"value": "severe", "confidence": 0.9},
        "proximity": {"value": "plausible", "confidence": 0.8},
        "categories": [{"name": "violence", "probability": 0.97, "dsa": "STATEMENT_CATEGORY_VIOLENCE"}],
        "category_probabilities": {"violence": 0.97, "none": 0.01},
        "explanation": {
            "summary": f"Alta: «{text[START:END]}».",
            "rule": "severe × plausible → high",
            "evidence": [{"start": START, "end": END, "text": text[START:END], "weight": 0.4}],
            "counterfactuals": [{"if": "active", "then": "critical"}],
            "precedents": [{"id": "p-1", "rating": "high", "similarity": 0.9, "excerpt": "escreva a eu@exemplo.org"}],
        },
        "decision": {"route": "auto", "reasons": []},
        "model": {"name": "riskmodel", "version": "v1", "policy": "1.0"},
    }
    return Assessment.model_validate(answer | changes)


def make_sent(
    id_: str | None = None, *, client: str = "desk", key: str | None = None, text: str = TEXT, **fields: Any
) -> Sent:
    escalation = Escalation(text=text, id=id_, **fields)
    return Sent(client, escalation, key, digest_of(escalation), "request-1", "key00001")


def make_rated(
    id_: str,
    *,
    own_id: bool = True,
    client: str = "desk",
    key: str | None = None,
    text: str = TEXT,
    source: Any = "user_report",
    market: str | None = "BR",
    received_at: datetime = NOON,
    vector: bytes | None = None,
    reliability: Any = None,
    credibility: Any = None,
    reporter: str | None = None,
    **answer: Any,
) -> Rated:
    """Return an escalation that carried the id itself, or was given it when it was rated."""
    origin = {"source": source, "reliability": reliability, "credibility": credibility, "reporter": reporter}
    sent = make_sent(id_ if own_id else None, client=client, key=key, text=text, market=market, **origin)
    assessment = make_assessment(id_, text, **answer)
    return Rated(sent, assessment, assessment.model_dump_json(by_alias=True), received_at, received_at, vector)
