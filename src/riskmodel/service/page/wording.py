"""What is known of a case in, sentences in the language of the interface out."""

from datetime import timedelta

from riskmodel.casework.incidents import MOST_SOURCES
from riskmodel.records import PROXIMITIES, SEVERITIES, Assessment, Severity
from riskmodel.review import QueueItem
from riskmodel.service.page import views
from riskmodel.service.page.catalogue import Catalogue

# The keys of the page, by where they work; each with the words that explain it. The page's script listens to them.
SHORTCUTS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "anywhere": ((("?",), "help"), (("G",), "queue"), (("U",), "undo"), (("Esc",), "close")),
    "queue": (
        (("N",), "next"),
        (("J", "K"), "move"),
        (("Enter",), "open"),
        (("T",), "take"),
        (("/",), "filters"),
    ),
    "case": (
        (("Enter", "Enter"), "confirm"),
        (("1", "2", "3", "4"), "severity"),
        (("Q", "W", "E"), "proximity"),
        (("F",), "lifted"),
        (("C",), "categories"),
        (("I",), "note"),
        (("V",), "show"),
        (("H",), "hold"),
        (("O",), "hand"),
        (("X",), "release"),
        (("T",), "take"),
    ),
    "marking": (
        (("M",), "mark"),
        (("←", "→"), "move"),
        (("Shift", "←", "→"), "extend"),
        (("Enter", "Space"), "set"),
        (("Z",), "undo"),
        (("Esc",), "leave"),
    ),
}
# What a note says before a text of a category; any other is about a life.
_NOTES = {"child_safety": "child", "self_harm": "self", "sexual_content": "sexual", "exploitation": "sexual"}


def why_here(t: Catalogue, item: QueueItem) -> str:
    """Return why a person must look, as it was asked; samples look alike, so that nobody judges them otherwise."""
    if item.asked_as == "audit":
        return t("why.sample")
    reasons = [t.name("reasons", reason) for reason in item.reasons]
    return ", ".join([t.name("purposes", item.asked_as), *reasons] if item.asked_as in ("third", "answer") else reasons)


def order_in_words(t: Catalogue, item: QueueItem) -> str:
    """Return what explains a case's place in the queue, in numbers."""
    why = item.why
    order = t("queue.order", due=views.utc(why.act_by), harm=f"{why.harm:.2f}", credit=_hours(why.credit))
    if why.sources < 2:
        return order
    return f"{order} {t('queue.sources', sources=sources_in_words(why.sources), credit=_hours(why.sources_credit))}"


def sources_in_words(sources: int) -> str:
    """Return how many independent sources there are; they are counted only so far."""
    return f"{sources}+" if sources >= MOST_SOURCES else str(sources)


def _hours(credit: timedelta) -> str:
    return f"{credit.total_seconds() / 3600:.1f}"


def is_lifted(assessment: Assessment) -> bool:
    """Return whether the model lifted its rating by the floor."""
    return "+ floor" in assessment.explanation.rule


def rule_in_words(t: Catalogue, assessment: Assessment) -> str:
    """Return the row of the table that gave the rating, with how sure the model was of each answer."""
    severity, proximity = assessment.severity, assessment.proximity
    floor = f" + {t('why.floor')}" if is_lifted(assessment) else ""
    return (
        f"{answer(t, severity.value)} ({views.percent(severity.confidence)}) × {answer(t, proximity.value)} "
        f"({views.percent(proximity.confidence)}){floor} → {t.name('ratings', assessment.rating)}"
    )


def is_severe(assessment: Assessment, least: Severity) -> bool:
    """Return whether a text is veiled until asked for."""
    return SEVERITIES.index(assessment.severity.value) >= SEVERITIES.index(least)


def answer(t: Catalogue, value: str) -> str:
    """Return what an answer to one of the guide's two questions is called."""
    return t.name("proximities" if value in PROXIMITIES else "severities", value)


def content_note(assessment: Assessment) -> str:
    """Return the key of the words that prepare for a text."""
    return next((_NOTES[one.name] for one in assessment.categories if one.name in _NOTES), "life")
