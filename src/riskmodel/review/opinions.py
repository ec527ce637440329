"""A verdict in; whom else to ask, and what an escalation's opinions come to, out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Generic

import sqlalchemy as sa

from riskmodel.casebook.tables import REVIEWS, VERDICTS
from riskmodel.policy import Policy
from riskmodel.review import reading
from riskmodel.review.reading import AnyVerdict
from riskmodel.review.records import FIRST, Purpose, Verdict

_COPIED = ("escalation", "text_digest", "language", "category", "source", "market", "rating", "reasons", "weight")
_PLACE = ("queued_at", "act_by", "harm", "order_at")


@dataclass(frozen=True)
class Opinions(Generic[AnyVerdict]):
    """The verdicts on one escalation that stand; what was not asked or is not yet given is None."""

    first: AnyVerdict | None
    second: AnyVerdict | None
    third: AnyVerdict | None

    @property
    def differ(self) -> bool:
        """Return whether first and second give different ratings."""
        return self.first is not None and self.second is not None and self.first.rating != self.second.rating

    @property
    def settled(self) -> AnyVerdict | None:
        """Return the verdict that counts: the third if there is one, else the first unless the second differs."""
        if self.third is not None:
            return self.third
        return None if self.differ else self.first


def opinions(verdicts: Iterable[AnyVerdict]) -> Opinions[AnyVerdict]:
    """Return what the verdicts on one escalation come to."""
    by_purpose: dict[Purpose, AnyVerdict] = {verdict.purpose: verdict for verdict in reading.standing(verdicts)}
    first = next((by_purpose[purpose] for purpose in FIRST if purpose in by_purpose), None)
    return Opinions(first, by_purpose.get("second"), by_purpose.get("third"))


def ask_others(
    connection: sa.Connection, verdict: Verdict, now: datetime, policy: Policy, share: float, random: Random
) -> None:
    """Queue a second opinion if chance draws the case, a third where two differ, and no third where they agree."""
    if verdict.purpose not in (*FIRST, "second"):
        return
    asked = connection.execute(sa.select(REVIEWS.c.purpose).where(REVIEWS.c.escalation == verdict.escalation)).scalars()
    purposes = set(asked)
    found = opinions(reading.verdicts(connection, VERDICTS.c.escalation == verdict.escalation))
    may_draw = verdict.purpose in FIRST and "second" not in purposes and not _was_drawn_before(connection, verdict)
    if may_draw and random.random() < share:
        _queue(connection, verdict, "second", now, policy)
    if found.differ and "third" not in purposes:
        _queue(connection, verdict, "third", now, policy)
    if not found.differ and "third" in purposes:
        third = (REVIEWS.c.escalation == verdict.escalation) & (REVIEWS.c.purpose == "third")
        unjudged = ~sa.exists().where(VERDICTS.c.review == REVIEWS.c.number)
        connection.execute(sa.delete(REVIEWS).where(third, REVIEWS.c.state == "waiting", unjudged))


def _was_drawn_before(connection: sa.Connection, verdict: Verdict) -> bool:
    """Return whether chance had its say at an earlier verdict on this review, which was taken back."""
    earlier = (VERDICTS.c.review == verdict.review) & (VERDICTS.c.number < verdict.number)
    return bool(reading.verdicts(connection, earlier))


def _queue(connection: sa.Connection, verdict: Verdict, purpose: Purpose, now: datetime, policy: Policy) -> None:
    """Queue another opinion.

    A second one gets the row of the first to the letter, deadline and harm included, or its reader would know it for a
    test. A third one is told as such, and is not urgent, as the case is decided: it comes after what waits for a first.
    """
    row = connection.execute(_TO_COPY.where(REVIEWS.c.number == verdict.review)).one()
    place: dict[str, Any] = {}
    if purpose == "third":
        act_by = policy.act_by("low", now)
        place = {"queued_at": now, "act_by": act_by, "harm": 0.0, "order_at": act_by}
    values = {**row._mapping, **place, "purpose": purpose, "state": "waiting", "version": 1}
    connection.execute(sa.insert(REVIEWS).values(**values))


_TO_COPY = sa.select(*(REVIEWS.c[name] for name in (*_COPIED, *_PLACE)))
