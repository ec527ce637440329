"""Worked examples for the API's documentation: an invented escalation a language in, what is answered out."""

from dataclasses import dataclass
from typing import Any

from riskmodel.records import Language, Proximity, Rating, ReviewReason, Severity


@dataclass(frozen=True)
class Example:
    """One request with its answer, as JSON values. The figures are invented; a test holds the rest to the policy."""

    language: Language
    title: str
    request: dict[str, Any]
    response: dict[str, Any]


RATING_POLICY, POLICY = "1.1", "1.1.2"
CATEGORIES = [
    "violence",
    "extremism",
    "hate",
    "harassment",
    "self_harm",
    "child_safety",
    "sexual_content",
    "exploitation",
    "scams_fraud",
    "illegal_goods",
    "civic_integrity",
    "privacy",
    "dangerous_acts",
    "intellectual_property",
    "none",
]


def _example(
    language: Language,
    title: str,
    *,
    text: str,
    source: str,
    market: str,
    rating: tuple[Rating, float],
    severity: tuple[Severity, float],
    proximity: tuple[Proximity, float],
    category: tuple[str, str, str],
    probabilities: tuple[float, float, float, float],
    act_by: str,
    phrase: str,
    summary: str,
    counterfactuals: dict[str, Rating],
    precedent: str,
    plausible: tuple[Rating, ...] = (),
    reasons: tuple[ReviewReason, ...] = (),
    **origin: str | int,
) -> Example:
    name, team, dsa = category
    start = text.index(phrase)
    identifier = f"example-{language}"
    others = dict.fromkeys(CATEGORIES, 0.01)
    explanation = {
        "summary": summary,
        "rule": f"policy {RATING_POLICY}: {severity[0]} × {proximity[0]} → {rating[0]}",
        "evidence": [{"start": start, "end": start + len(phrase), "text": phrase, "weight": 0.58}],
        "counterfactuals": [{"if": answer, "then": other} for answer, other in counterfactuals.items()],
        "precedents": [{"id": "en-0001", "rating": rating[0], "similarity": 0.91, "excerpt": precedent}],
    }
    response = {
        "id": identifier,
        "language": language,
        "rating": rating[0],
        "act_by": act_by,
        "team": team,
        "confidence": rating[1],
        "probabilities": dict(zip(("low", "medium", "high", "critical"), probabilities, strict=True)),
        "plausible_ratings": [*plausible] or [rating[0]],
        "severity": {"value": severity[0], "confidence": severity[1]},
        "proximity": {"value": proximity[0], "confidence": proximity[1]},
        "categories": [{"name": name, "probability": 0.97, "dsa": dsa}],
        "category_probabilities": others | {name: 0.97},
        "explanation": explanation,
        "decision": {"route": "review" if reasons else "auto", "reasons": [*reasons]},
        "model": {"name": "riskmodel", "version": "2026.1", "policy": POLICY},
    }
    request = {"text": text, "source": source, "market": market, "id": identifier, "received_at": RECEIVED_AT} | origin
    return Example(language, title, request, response)


RECEIVED_AT = "2026-03-02T09:00:00Z"
EXAMPLES = (
    _example(
        "en",
        "English: a scam that is still running",
        text="Twelve buyers lost money on a fake courier page that asks for card details; it is still online.",
        source="partner",
        market="GB",
        reliability="B",
        credibility=2,
        reporter="partner-desk-12",
        rating=("high", 0.91),
        severity=("serious", 0.92),
        proximity=("active", 0.94),
        category=("scams_fraud", "fraud_operations", "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"),
        probabilities=(0.01, 0.06, 0.91, 0.02),
        act_by="2026-03-02T13:00:00Z",
        phrase="fake courier page that asks for card details",
        summary=(
            "Rated high: the report describes serious harm (scams and fraud) that is happening or close; someone must "
            "act within 4 hours. Decisive words: “fake courier page that asks for card details”."
        ),
        counterfactuals={
            "contained": "low",
            "plausible": "medium",
            "minor": "low",
            "moderate": "medium",
            "severe": "critical",
        },
        precedent="A copy of a bank's page collects card numbers; customers report losses since Monday.",
    ),
    _example(
        "es",
        "Spanish: personal data that is still visible, a case for a person",
        text="Publicaron mi domicilio y mi teléfono sin permiso en un grupo de vecinos y la publicación sigue visible.",
        source="user_report",
        market="MX",
        rating=("medium", 0.88),
        severity=("moderate", 0.9),
        proximity=("active", 0.86),
        category=("privacy", "privacy_and_accounts", "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"),
        probabilities=(0.05, 0.88, 0.06, 0.01),
        act_by="2026-03-03T22:00:00Z",
        phrase="Publicaron mi domicilio y mi teléfono sin permiso",
        summary=(
            "Calificación media: el reporte describe un daño moderado (privacidad) que ocurre ahora o está cerca; hay "
            "que actuar en 24 horas hábiles. Palabras decisivas: «Publicaron mi domicilio y mi teléfono sin permiso»."
        ),
        counterfactuals={"contained": "low", "minor": "low", "serious": "high", "severe": "critical"},
        precedent="Someone posted the phone number of a shop assistant after a complaint.",
        plausible=("medium", "high"),
        reasons=("may be rated too low",),
    ),
    _example(
        "pt",
        "Portuguese: a copyright claim that is settled",
        text="Uma conta vendia cópias de apostilas da editora; o anúncio já foi removido e o vendedor pediu desculpas.",
        source="legal",
        market="BR",
        rating=("low", 0.96),
        severity=("moderate", 0.81),
        proximity=("contained", 0.95),
        category=(
            "intellectual_property",
            "legal_operations_brazil",
            "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
        ),
        probabilities=(0.96, 0.03, 0.01, 0.0),
        act_by="2026-03-09T23:00:00Z",
        phrase="o anúncio já foi removido",
        summary=(
            "Classificação baixa: o relato descreve um dano moderado (propriedade intelectual) que já acabou ou não é "
            "crível; é preciso agir em 72 horas úteis. Palavras decisivas: “o anúncio já foi removido”."
        ),
        counterfactuals={"plausible": "medium", "active": "medium", "severe": "medium"},
        precedent="A seller removed copied study notes after the publisher's notice.",
    ),
)
