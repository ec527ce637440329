"""Escalations that wait for a person, and verdicts on them, made for tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from riskmodel.casebook import Casebook, Rated
from riskmodel.review import NewVerdict, QueueItem
from tests.riskmodel.casebook.made import NOON, make_rated

REVIEW = {"route": "review", "reasons": ["uncertain rating"]}
CHANCES = {"low": 0.0, "medium": 0.0, "high": 0.0, "critical": 0.0}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def waiting(id_: str, *, hours: float = 8, harm: str = "low", **changes: Any) -> Rated:
    """Return an escalation for review, due in so many hours, that is certainly of a rating."""
    answer = {"decision": REVIEW, "act_by": NOON + timedelta(hours=hours), "probabilities": CHANCES | {harm: 1.0}}
    return make_rated(id_, **(answer | changes))


def keep(casebook: Casebook, *rated: Rated) -> None:
    casebook.keep(rated)


def answer(item: QueueItem, analyst: str = "ana", **changes: Any) -> NewVerdict:
    """Return the model's own answer as an analyst's."""
    said = NewVerdict(
        review=item.number,
        version=item.version,
        analyst=analyst,
        severity="severe",
        proximity="plausible",
        lifted=False,
        categories=("violence",),
        evidence=(),
        note="",
        seconds=12.5,
        client_token=f"{item.number}-{analyst}-{item.version}",
    )
    return replace(said, **changes)
