"""What analysts decide in, appended verdicts out; a case that changed underneath is shown, never overwritten."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from random import Random
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.reading import load
from riskmodel.casebook.tables import REVIEWS, VERDICTS
from riskmodel.policy import Policy
from riskmodel.review import reading
from riskmodel.review.judging import judged
from riskmodel.review.opinions import ask_others
from riskmodel.review.records import (
    ChangedError,
    NewVerdict,
    TakenError,
    UnknownReviewError,
    Verdict,
)
from riskmodel.review.turns import InTurn

# Told of each verdict, and of each that is taken back, within its transaction.
Told = Callable[[sa.Connection, Verdict, datetime], None]


def untold(_: sa.Connection, __: Verdict, ___: datetime) -> None:
    """Tell nobody."""


class Verdicts:
    """What was decided.

    Args:
        database: of the casebook, in turn.
        policy: whose table gives the ratings.
        second_opinion_share: of the decided cases that are drawn for a second person.
        random: draws them.
        told: does what else follows from a verdict, in the same transaction.
    """

    def __init__(
        self, database: InTurn, policy: Policy, second_opinion_share: float, random: Random, told: Told = untold
    ) -> None:
        self._database = database
        self._policy = policy
        self._share = second_opinion_share
        self._random = random
        self._told = told

    def decide(self, new: NewVerdict, now: datetime) -> Verdict:
        """Append a verdict; sent again with the same token, it returns the first one.

        Raises:
            UnknownReviewError: if there is no such review.
            ChangedError: if the review changed since the analyst saw it; holds what it is now.
            NotForYouError: if another's opinion is asked for.
            VerdictError: naming the field that cannot be.
        """
        return self._database.write(lambda connection: self._decide(connection, new, now))

    def undo(self, number: int, analyst: str, now: datetime) -> Verdict:
        """Append a retraction of an analyst's own newest verdict; the review is the analyst's again.

        Raises:
            UnknownReviewError: if there is no such verdict.
            TakenError: if it is another's, or not the one that stands.
        """

        def work(connection: sa.Connection) -> Verdict:
            retraction = _undo(connection, number, analyst, now)
            self._told(connection, retraction, now)
            return retraction

        return self._database.write(work)

    def of(self, escalation: int) -> tuple[Verdict, ...]:
        """Return the verdicts on an escalation, by its number, the oldest first."""
        condition = VERDICTS.c.escalation == escalation
        return tuple(self._database.read(lambda connection: reading.verdicts(connection, condition)))

    def _decide(self, connection: sa.Connection, new: NewVerdict, now: datetime) -> Verdict:
        # The lock first: the same verdict may be on its way twice, and the second must find the first.
        review = reading.item(connection, new.review, locked=True)
        same = (VERDICTS.c.review == new.review) & (VERDICTS.c.analyst == new.analyst)
        sent = reading.verdicts(connection, same & (VERDICTS.c.client_token == new.client_token))
        if sent:
            return sent[0]
        if review.version != new.version or review.state == "decided" or review.analyst not in (None, new.analyst):
            raise ChangedError(reading.case(connection, new.review))
        reading.check_may_judge(connection, review, new.analyst)
        (case,) = load(connection, [review.escalation])
        newest = reading.rated(case, review.purpose)
        row = judged(new, case, newest.assessment, self._policy) | {
            "review": review.number,
            "escalation": review.escalation,
            "assessment": newest.number,
            "decided_at": now,
            "purpose": review.purpose,
            "weight": review.weight,
        }
        verdict = _append(connection, row)
        changes = {"state": "decided", "analyst": new.analyst, "claimed_at": None, "heartbeat_at": None}
        _change(connection, new.review, changes)
        ask_others(connection, verdict, now, self._policy, self._share, self._random)
        self._told(connection, verdict, now)
        return verdict


def _undo(connection: sa.Connection, number: int, analyst: str, now: datetime) -> Verdict:
    found = reading.verdicts(connection, VERDICTS.c.number == number)
    if not found:
        raise UnknownReviewError("A verdict: found no such number, expected that of one that is kept.")
    (verdict,) = found
    review = reading.item(connection, verdict.review, locked=True)
    of_review = reading.verdicts(connection, VERDICTS.c.review == verdict.review)
    if verdict.analyst != analyst or review.state != "decided" or verdict not in reading.standing(of_review):
        raise TakenError(review.number, review.state, review.analyst)
    row = asdict(verdict) | {
        "categories": json.dumps(list(verdict.categories)),
        "evidence": json.dumps(list(verdict.evidence)),
        "kind": "retracted",
        "retracts": verdict.number,
        "decided_at": now,
        "seconds": 0.0,
        "note": "",
        "client_token": None,
    }
    del row["number"]
    moments = dict.fromkeys(("assigned_at", "claimed_at", "heartbeat_at", "last_claim_at"), now)
    _change(connection, review.number, {"state": "claimed", "analyst": analyst, **moments})
    return _append(connection, row)


def _append(connection: sa.Connection, row: dict[str, Any]) -> Verdict:
    number = connection.execute(sa.insert(VERDICTS).values(**row).returning(VERDICTS.c.number)).scalar_one()
    (verdict,) = reading.verdicts(connection, VERDICTS.c.number == number)
    return verdict


def _change(connection: sa.Connection, number: int, changes: dict[str, Any]) -> None:
    statement = sa.update(REVIEWS).where(REVIEWS.c.number == number)
    connection.execute(statement.values(**changes, version=REVIEWS.c.version + 1))
