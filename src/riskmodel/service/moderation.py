"""OpenAI's moderation requests in, escalations out; their assessments in, results in OpenAI's shape out.

What each score and boolean means stands in docs/moderations.md; a test holds its table to ``RULES``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.policy import NO_VIOLATION
from riskmodel.records import Assessment, Decision, Escalation, Rating, Record, kind_of, read_escalation
from riskmodel.service.envelope import MAX_BATCH_ESCALATIONS
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.moderation_rules import (
    UNKNOWABLE,
    Rule,
    answered,
    both,
    category,
    either,
)

FIELDS = ("input", "model")
INPUT_EXPECTED = "text, a list of texts, or a list of parts of type text"
BETWEEN_PARTS = "\n"  # words of two parts must not run together

_VIOLENT = either(category("violence"), answered("severity", "serious", "severe"))
_ILLICIT = either(category("illegal_goods"), category("scams_fraud"), category("exploitation"))
RULES: Mapping[str, Rule] = {
    "harassment": category("harassment"),
    "harassment/threatening": both(category("harassment"), _VIOLENT),
    "hate": category("hate"),
    "hate/threatening": both(category("hate"), _VIOLENT),
    "illicit": _ILLICIT,
    "illicit/violent": both(_ILLICIT, either(category("violence"), category("extremism"))),
    "self-harm": category("self_harm"),
    "self-harm/instructions": UNKNOWABLE,
    "self-harm/intent": both(
        category("self_harm"), answered("severity", "severe"), answered("proximity", "plausible", "active")
    ),
    "sexual": category("sexual_content"),
    "sexual/minors": both(category("child_safety"), answered("severity", "severe")),
    "violence": category("violence"),
    "violence/graphic": UNKNOWABLE,
}
# Ours under OpenAI's spelling: both would be one attribute of the official client.
SPELT_OTHERWISE = {"self_harm"}


class Extension(Record):
    """What OpenAI's shape has no place for."""

    id: str
    rating: Rating
    confidence: float
    decision: Decision


class ModerationResult(Record):
    """One input's result; every category is a key of all three mappings."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text"]]]
    riskmodel: Extension


class ModerationAnswer(Record):
    """One result for each input, in order."""

    id: str
    model: str
    results: list[ModerationResult]


def read_inputs(raw: Any) -> list[Escalation]:
    """Read a moderation request; a list of parts is one input, as it is for OpenAI.

    Raises:
        EnvelopeError: if it has another shape, holds an image, or more inputs than a batch may.
        EscalationError: naming the place of each text that was refused.
    """
    if not isinstance(raw, dict):
        raise EnvelopeError(FieldProblem("body", kind_of(raw), "an object with the field input"))
    unknown = [
        FieldProblem(name, f"an unknown field with {kind_of(value)}", "one of " + ", ".join(FIELDS))
        for name, value in raw.items()
        if name not in FIELDS
    ]
    if unknown:
        raise EnvelopeError(*unknown)
    if not isinstance(raw.get("model"), str | None):
        raise EnvelopeError(FieldProblem("model", kind_of(raw["model"]), "text, which is not used"))
    if "input" not in raw:
        raise EnvelopeError(FieldProblem("input", "no such field", INPUT_EXPECTED))
    return _read_texts(_texts(raw["input"]))


def _texts(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list):
        raise EnvelopeError(FieldProblem("input", kind_of(found), INPUT_EXPECTED))
    if not found:
        raise EnvelopeError(FieldProblem("input", "an empty list", "at least one text"))
    if len(found) > MAX_BATCH_ESCALATIONS:
        expected = f"at most {MAX_BATCH_ESCALATIONS} of them"
        raise EnvelopeError(FieldProblem("input", f"a list of {len(found):,}", expected))
    if all(isinstance(item, str) for item in found):
        return found
    return [BETWEEN_PARTS.join(_part(item, at) for at, item in enumerate(found, 1))]


def _part(part: Any, at: int) -> str:
    if isinstance(part, dict) and part.get("type") == "image_url":
        raise EnvelopeError(FieldProblem("input", f"an image (part {at})", "text only"))
    if isinstance(part, dict) and part.get("type") == "text" and set(part) == {"type", "text"}:
        if isinstance(part["text"], str):
            return part["text"]
        raise EnvelopeError(FieldProblem("input", f"{kind_of(part['text'])} as the text of part {at}", "text"))
    raise EnvelopeError(FieldProblem("input", f"{kind_of(part)} of another form (item {at})", INPUT_EXPECTED))


def _read_texts(texts: Sequence[str]) -> list[Escalation]:
    escalations, problems = [], []
    for at, text in enumerate(texts, 1):
        try:
            escalations.append(read_escalation({"text": text}))
        except EscalationError as error:
            place = f" (text {at})" if len(texts) > 1 else ""
            problems += [FieldProblem("input", problem.found + place, problem.expected) for problem in error.problems]
    if problems:
        raise EscalationError(problems)
    return escalations


def moderate(assessments: Sequence[Assessment], id: str) -> ModerationAnswer:
    """Return the answer to a request: the results of its assessments, at least one, under a name of its own."""
    model = assessments[0].model
    return ModerationAnswer(
        id=f"modr-{id}", model=f"{model.name}-{model.version}", results=[_result(found) for found in assessments]
    )


def _result(assessment: Assessment) -> ModerationResult:
    own = assessment.category_probabilities.keys() - RULES.keys() - SPELT_OTHERWISE - {NO_VIOLATION}
    rules = dict(RULES) | {name: category(name) for name in assessment.category_probabilities if name in own}
    return ModerationResult(
        flagged=any(decided.name != NO_VIOLATION for decided in assessment.categories),
        categories={name: rule.holds(assessment) for name, rule in rules.items()},
        category_scores={name: round(rule.score(assessment), 4) for name, rule in rules.items()},
        category_applied_input_types={name: [] if rule is UNKNOWABLE else ["text"] for name, rule in rules.items()},
        riskmodel=Extension(
            id=assessment.id,
            rating=assessment.rating,
            confidence=assessment.confidence,
            decision=assessment.decision,
        ),
    )
