"""What is kept, decided or taken back in; what follows for hand-offs out, within the same transaction.

By the desk file a rating is handed over by itself from a level on. What rested on a verdict that was taken back, or
that another one replaced, is withdrawn unless its team has acknowledged it.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT, Rated
from riskmodel.casebook.tables import HANDOFFS
from riskmodel.casework import handoff_reading as reading
from riskmodel.casework.announcing import take_back, words
from riskmodel.casework.basis import Basis, basis_of
from riskmodel.casework.contacts import Contacts
from riskmodel.casework.handoff_records import RULE, WITH_TEAM, Handoff
from riskmodel.casework.handoff_steps import append, open_handoff, step
from riskmodel.policy import Policy
from riskmodel.records import RATINGS, Rating
from riskmodel.review import Verdict


class Automatic:
    """Hands over by rule.

    Args:
        policy: names teams and deadlines.
        contacts: from which ratings on, and where teams are reached.
    """

    def __init__(self, policy: Policy, contacts: Contacts) -> None:
        self._policy = policy
        self._contacts = contacts

    def kept(self, connection: sa.Connection, new: Sequence[tuple[Rated, int]], now: datetime) -> None:
        """Hand over what was just kept, with its number, where the model's rating is accepted and high enough."""
        least = self._contacts.handoffs.accepted_from
        for rated, number in new:
            assessment = rated.assessment
            if assessment.decision.route == "auto" and _reaches(assessment.rating, least):
                self._hand_over(connection, basis_of(connection, number), now)

    def decided(self, connection: sa.Connection, verdict: Verdict, now: datetime) -> None:
        """Hand over, or take back, what follows from a verdict or a retraction."""
        if verdict.kind == "retracted":
            self._undo(connection, verdict, now)
            return
        basis = basis_of(connection, verdict.escalation)
        if basis.case.client == GOLDEN_CLIENT:  # its rating was known before: nothing came in
            return
        team = self._policy.team_for(basis.category, basis.rating, basis.case.market)
        others = ~((HANDOFFS.c.team == team) & (HANDOFFS.c.rating == basis.rating))
        by_rule = (HANDOFFS.c.escalation == verdict.escalation) & HANDOFFS.c.opened_by.is_(None) & others
        for found in reading.handoffs(connection, by_rule, HANDOFFS.c.state == "open"):
            self._withdraw(connection, found, "superseded", now)
        if _reaches(basis.rating, self._contacts.handoffs.decided_from):
            self._hand_over(connection, basis, now)

    def _hand_over(self, connection: sa.Connection, basis: Basis, now: datetime) -> None:
        """Hand over to the team that the policy names, unless it has, or had, the risk at this rating."""
        team = self._policy.team_for(basis.category, basis.rating, basis.case.market)
        same = (HANDOFFS.c.escalation == basis.case.number) & (HANDOFFS.c.team == team)
        has_it = HANDOFFS.c.state.in_(WITH_TEAM)
        had_it = (HANDOFFS.c.rating == basis.rating) & (HANDOFFS.c.state != "withdrawn")
        if not reading.handoffs(connection, same, has_it | had_it):
            open_handoff(connection, basis, team, RULE, "", None, self._policy, self._contacts, now)

    def _undo(self, connection: sa.Connection, verdict: Verdict, now: datetime) -> None:
        rested = (HANDOFFS.c.verdict == verdict.retracts) & HANDOFFS.c.state.in_(WITH_TEAM)
        for found in reading.handoffs(connection, rested):
            if found.state == "open":
                self._withdraw(connection, found, "undone", now)
            else:
                append(connection, found, "verdict undone", RULE, now)

    def _withdraw(self, connection: sa.Connection, found: Handoff, why: str, now: datetime) -> None:
        reason = words(self._contacts.language_of(found.team))(f"reasons.{why}")
        step(connection, found, "withdrawn", RULE, now, note=reason)
        take_back(connection, found, reason, self._contacts, now)


def _reaches(rating: Rating, least: Rating | None) -> bool:
    return least is not None and RATINGS.index(rating) >= RATINGS.index(least)
