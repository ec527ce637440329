"""Figures, moments and rules in; what a page says of them out, as keys of the catalogue and plain values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from riskmodel.policy import Policy
from riskmodel.records import LANGUAGES, PROXIMITIES, RATINGS, SEVERITIES, UNDETERMINED, Assessment, Precedent, Rating

# Least chance of being right for each word, as on a terminal.
SURENESS = ((0.9, "very_sure"), (0.75, "fairly_sure"), (0.5, "not_sure"), (0.0, "a_guess"))
MOST_DIFFERING = 0.75  # of a precedent's words; where more differ, marking them says nothing
SOON = timedelta(minutes=30)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Cell:
    """A cell of the severity × proximity table.

    Attributes:
        rating: what it gives.
        lifted: what it gives where an authority or the press lifts it.
        is_models: whether the model chose it.
    """

    severity: str
    proximity: str
    rating: Rating
    lifted: Rating
    is_models: bool


@dataclass(frozen=True)
class Word:
    """A word of a precedent with what follows it, and whether the report lacks it."""

    text: str
    differs: bool


def sureness(confidence: float) -> str:
    """Return the key of the word for a confidence."""
    return next(word for least, word in SURENESS if confidence >= least)


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return f"{share:.0%}"


def fine_percent(share: float) -> str:
    """Return a share as a percentage with one digit behind the point."""
    return f"{share:.1%}"


def count(number: int) -> str:
    """Return a count, its thousands apart by a narrow space, as our three languages read alike."""
    return f"{number:,}".replace(",", "\u202f")


def utc(moment: datetime) -> str:
    """Return a moment for people."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Return a span of time in units that read the same in our languages; the page's script does the same."""
    minutes = int(abs(seconds) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def urgency(act_by: datetime, now: datetime) -> str:
    """Return how a deadline stands: late, soon or fine."""
    return "late" if act_by <= now else "soon" if act_by - now <= SOON else "fine"


def table(policy: Policy, assessment: Assessment) -> list[list[Cell]]:
    """Return the table, the worst first and the nearest last, as the guide prints it."""
    chosen = (assessment.severity.value, assessment.proximity.value)
    ranks = policy.rating_ranks
    return [
        [
            Cell(severity, proximity, RATINGS[ranks[s, p, 0]], RATINGS[ranks[s, p, 1]], chosen == (severity, proximity))
            for p, proximity in enumerate(PROXIMITIES)
        ]
        for s, severity in reversed(list(enumerate(SEVERITIES)))
    ]


def direction(language: str) -> str:
    """Return the writing direction of a report."""
    return "ltr" if language in LANGUAGES else "auto"


def tag(language: str) -> str:
    """Return the tag of a report's language; empty, as HTML has it, if none can be told."""
    return "" if language == UNDETERMINED else language


def compared(precedent: Precedent, text: str) -> list[Word]:
    """Return a precedent's words, and which of them the report lacks; none if nearly all, as in another language."""
    known = {word.casefold() for word in _WORD.findall(text)}
    words = re.findall(r"\S+\s*", precedent.excerpt)
    differs = [any(part.casefold() not in known for part in _WORD.findall(word)) for word in words]
    comparable = sum(differs) <= MOST_DIFFERING * len(words)
    return [Word(word, comparable and other) for word, other in zip(words, differs, strict=True)]


def against(rating: Rating, other: Rating) -> str:
    """Return how a precedent's rating lies to the model's: same, higher or lower."""
    here, there = RATINGS.index(rating), RATINGS.index(other)
    return "same" if here == there else "higher" if there > here else "lower"


def category_order(policy: Policy, assessment: Assessment) -> Sequence[str]:
    """Return all categories: those decided first, the main one at the head."""
    decided = [category.name for category in assessment.categories]
    return [*decided, *(name for name in policy.category_names if name not in decided)]
