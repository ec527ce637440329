"""An escalation and its assessment in, what a person reads on a terminal out; colours only underline what is said."""

import re

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from riskmodel.policy import Policy
from riskmodel.records import Assessment, Decision, Evidence, Rating

COLOURS: dict[Rating, str] = {"low": "green", "medium": "yellow", "high": "dark_orange", "critical": "red"}
# Least chance of being right for each word.
SURENESS = ((0.9, "very sure"), (0.75, "fairly sure"), (0.5, "not sure"), (0.0, "a guess"))
# Least share of the support for each way to highlight, the strongest first.
HIGHLIGHTS = ((0.3, "bold reverse"), (0.1, "bold underline"), (0.0, "underline"))
# Would move the cursor, change colours or turn the reading direction: everything but line breaks and tabs.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text of the same length without anything that could steer a terminal."""
    return _STEERING.sub(lambda match: " " if match[0] == "\r" else "\N{REPLACEMENT CHARACTER}", text)


def in_words(confidence: float) -> str:
    """Return a confidence as a number and in words."""
    return f"{confidence:.0%}, {next(words for least, words in SURENESS if confidence >= least)}"


def deadline_in_words(assessment: Assessment, policy: Policy) -> str:
    """Return how soon someone must act, and whether only the team's working hours count."""
    hours = policy.ratings[assessment.rating].act_within_hours
    working = "" if policy.working_hours(assessment.rating, assessment.team) is None else "working "
    return f"{hours} {working}hour{'' if hours == 1 else 's'}"


def decision_in_words(decision: Decision) -> str:
    """Return who decides, and why."""
    return "accepted" if decision.route == "auto" else f"a person must look: {', '.join(decision.reasons)}"


def highlighted(text: str, evidence: list[Evidence]) -> Text:
    """Return a text in which its evidence stands out, the more the more it weighs."""
    result = Text(visible(text))
    for item in evidence:
        style = next(style for least, style in HIGHLIGHTS if item.weight >= least)
        result.stylize(style, item.start, item.end)
    return result


def decisive_words(evidence: list[Evidence], separator: str = ", ") -> str:
    """Return the evidence as a list in words, the weightiest first."""
    ordered = sorted(evidence, key=lambda item: -item.weight)
    return separator.join(f"“{' '.join(visible(item.text).split())}” {item.weight:.0%}" for item in ordered) or "none"


def panel(text: str, assessment: Assessment, policy: Policy) -> Panel:
    """Return the whole answer: rating, deadline and team above, then how sure and why, then the text itself."""
    rating = assessment.rating
    title = (
        f" {rating.upper()} · act within {deadline_in_words(assessment, policy)}, by "
        f"{assessment.act_by:%Y-%m-%d %H:%M} UTC · {assessment.team} "
    )
    model = assessment.model
    return Panel(
        Group(_facts(assessment), Text(), highlighted(text, assessment.explanation.evidence), Text(), _why(assessment)),
        title=Text(title, style="bold"),
        title_align="left",
        subtitle=Text(f" {model.name} {model.version}, policy {model.policy} ", style="dim"),
        subtitle_align="right",
        border_style=COLOURS[rating],
        padding=(1, 2),
    )


def _facts(assessment: Assessment) -> RenderableType:
    severity, proximity = assessment.severity, assessment.proximity
    others = [rating for rating in assessment.plausible_ratings if rating != assessment.rating]
    confidence = in_words(assessment.confidence) + (f"; could be {' or '.join(others)}" if others else "")
    categories = ", ".join(f"{item.name} {item.probability:.0%}" for item in assessment.categories)
    return _grid(
        ("Confidence", confidence),
        ("Rule", assessment.explanation.rule),
        (
            "",
            f"severity {severity.value} {severity.confidence:.0%} × proximity {proximity.value} "
            f"{proximity.confidence:.0%}",
        ),
        ("Categories", categories),
        ("Decision", decision_in_words(assessment.decision)),
    )


def _why(assessment: Assessment) -> RenderableType:
    explanation = assessment.explanation
    changes = [f"{item.then} if {item.if_}" for item in explanation.counterfactuals]
    near = [f"{item.similarity:.2f} {item.rating}: {visible(item.excerpt)}" for item in explanation.precedents]
    return _grid(
        ("In short", visible(explanation.summary)),
        ("Decisive words", decisive_words(explanation.evidence)),
        ("It would be", "; ".join(changes) or "the same whatever one answer were"),
        ("Precedents", "\n".join(near) or "none"),
    )


def _grid(*rows: tuple[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, width=14)
    grid.add_column(ratio=1)
    for label, value in rows:
        grid.add_row(Text(label), Text(value))
    return grid
