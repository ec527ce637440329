"""Our categories, severity and proximity in; rules out that give a score, a boolean and their own wording.

A score is a chance, or the most that the chances allow: of two things together at most the less likely one, of either
at least the likelier one. A boolean is that of what was decided. Both are built alike, so that what a rule asks for in
addition can only lower a score and turn a boolean to false.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from riskmodel.records import Assessment


@dataclass(frozen=True)
class Rule:
    """How one of OpenAI's categories follows from an assessment; ``wording`` is what the documentation says."""

    wording: str
    score: Callable[[Assessment], float]
    holds: Callable[[Assessment], bool]


UNKNOWABLE = Rule("not known", lambda _: 0.0, lambda _: False)


def category(name: str) -> Rule:
    """Return the rule of one of our categories: its probability, and whether it was decided."""
    return Rule(
        f"`{name}`",
        lambda assessment: assessment.category_probabilities.get(name, 0.0),
        lambda assessment: any(decided.name == name for decided in assessment.categories),
    )


def answered(question: Literal["severity", "proximity"], *answers: str) -> Rule:
    """Return the rule that a question of the guide has one of some answers.

    Its score is the confidence where one of them was given, and what that leaves over where another was.
    """

    def score(assessment: Assessment) -> float:
        factor = getattr(assessment, question)
        return float(factor.confidence if factor.value in answers else 1 - factor.confidence)

    return Rule(
        f"{question} {' or '.join(f'`{answer}`' for answer in answers)}",
        score,
        lambda assessment: getattr(assessment, question).value in answers,
    )


def both(*rules: Rule) -> Rule:
    """Return the rule that all of some hold."""
    return Rule(
        " and ".join(f"({rule.wording})" if " or " in rule.wording else rule.wording for rule in rules),
        lambda assessment: min(rule.score(assessment) for rule in rules),
        lambda assessment: all(rule.holds(assessment) for rule in rules),
    )


def either(*rules: Rule) -> Rule:
    """Return the rule that one of some holds."""
    return Rule(
        " or ".join(rule.wording for rule in rules),
        lambda assessment: max(rule.score(assessment) for rule in rules),
        lambda assessment: any(rule.holds(assessment) for rule in rules),
    )
