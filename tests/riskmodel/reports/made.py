"""Cases that a model rated and a real casebook kept, for tests of reports."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import pandas as pd

from riskmodel import Escalation, RiskModel, read_escalation
from riskmodel.casebook import Filters, Rated, Sent, digest_of, open_casebook
from riskmodel.records import Assessment
from tests.riskmodel.casebook.made import make_assessment


def escalations_of(frame: pd.DataFrame) -> list[Escalation]:
    return [read_escalation(row) for row in frame[["id", "text", "source", "market"]].to_dict("records")]


def keep_assessed(
    url: str, escalations: Sequence[Escalation], assessments: Sequence[Assessment], kept_at: datetime
) -> None:
    """Keep escalations with their assessments as the service does, at a moment."""
    rated = [
        Rated(
            Sent("tool", escalation, None, digest_of(escalation), "a-request", None),
            assessment,
            assessment.model_dump_json(by_alias=True),
            received_at=kept_at,
            assessed_at=kept_at,
        )
        for escalation, assessment in zip(escalations, assessments, strict=True)
    ]
    with closing(open_casebook(url, clock=lambda: kept_at)) as casebook:
        casebook.keep(rated)


def keep_rated(url: str, model: RiskModel, escalations: Sequence[Escalation], kept_at: datetime) -> None:
    """Let a model rate escalations and keep them, at a moment."""
    keep_assessed(url, escalations, model.assess(escalations, kept_at), kept_at)


def exported(url: str) -> list[dict[str, Any]]:
    """Return everything that a casebook keeps, as reports read it."""
    with closing(open_casebook(url)) as casebook:
        return list(casebook.export(Filters(), redact=False))


def said(escalation: Escalation, language: str, category: str, rating: str, confidence: float) -> Assessment:
    """Return an assessment that says so of an escalation, without asking a model."""
    chosen = {"name": category, "probability": 0.9, "dsa": None}
    return make_assessment(
        escalation.id or "",
        escalation.text + " " * 60,  # it quotes characters 31 to 51
        language=language,
        rating=rating,
        confidence=confidence,
        categories=[chosen],
    )
