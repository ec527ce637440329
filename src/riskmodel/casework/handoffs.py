"""What analysts and teams do with hand-offs in; hand-offs with all that happened to them out."""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import HANDOFFS
from riskmodel.casework import handoff_reading as reading
from riskmodel.casework.announcing import take_back
from riskmodel.casework.basis import basis_of
from riskmodel.casework.contacts import Contacts
from riskmodel.casework.handoff_records import (
    KIND,
    Actor,
    Handoff,
    HandoffFilters,
    HandoffPage,
    HandoffStateError,
    Listed,
    Offer,
    UnknownHandoffError,
    WholeHandoff,
)
from riskmodel.casework.handoff_steps import check_actions, check_reason, open_handoff, step
from riskmodel.casework.links import follow_link
from riskmodel.policy import Policy
from riskmodel.review import Verdict
from riskmodel.review.turns import InTurn


class Handoffs:
    """Risks with the teams that mitigate them; threads and processes may share it.

    Every method may raise :class:`~riskmodel.errors.CasebookUnavailableError`; nothing was done then.

    Args:
        database: of the casebook.
        policy: names teams and deadlines.
        contacts: where teams are reached.
    """

    def __init__(self, database: Database, policy: Policy, contacts: Contacts) -> None:
        self._database = InTurn(database)
        self._policy = policy
        self._contacts = contacts

    def offer(self, escalation: int, verdict: Verdict | None = None) -> Offer:
        """Return what may be handed over of a case, and to whom: by a verdict, or by the one that counts.

        Raises:
            HandoffError: if it may not be; says why.
        """

        def work(connection: sa.Connection) -> Offer:
            basis = basis_of(connection, escalation, locked=False, verdict=verdict)
            team = self._policy.team_for(basis.category, basis.rating, basis.case.market)
            return Offer(basis.rating, basis.category, team, tuple(self._policy.teams))

        return self._database.read(work)

    def open(
        self, escalation: int, team: str, actor: Actor, now: datetime, *, note: str = "", follows: int | None = None
    ) -> Handoff:
        """Hand a case over to a team.

        Args:
            escalation: the number of the case.
            team: of the policy.
            actor: who does so.
            now: the moment.
            note: for the team.
            follows: the number of a hand-off of the same case that another team refused.

        Raises:
            HandoffError: if that cannot be; names the field.
            UnknownHandoffError: if the one that it follows is none of this case.
            HandoffStateError: if that one was not refused, or was handed on already.
        """

        def work(connection: sa.Connection) -> Handoff:
            basis = basis_of(connection, escalation)
            if follows is not None:
                _check_refused(connection, follows, escalation)
            return open_handoff(connection, basis, team, actor, note, follows, self._policy, self._contacts, now)

        return self._database.write(work)

    def acknowledge(
        self, number: int, actor: Actor, now: datetime, *, version: int | None = None, team: str | None = None
    ) -> Handoff:
        """Say that the team has it. Said again it changes nothing.

        Args:
            number: of the hand-off.
            actor: who says so.
            now: the moment.
            version: that was seen; None if it does not matter.
            team: whose it must be; None for anybody's.

        Raises:
            UnknownHandoffError: if there is none of that number, or it is another team's.
            HandoffStateError: if it changed since, or is past that step.
        """

        def work(connection: sa.Connection, found: Handoff) -> Handoff:
            if found.state == "acknowledged":
                return found
            return step(connection, found, "acknowledged", actor, now, version=version)

        return self._change(number, team, work)

    def refuse(
        self,
        number: int,
        actor: Actor,
        reason: str,
        now: datetime,
        *,
        version: int | None = None,
        team: str | None = None,
    ) -> Handoff:
        """Give a hand-off back to the desk, with a reason.

        Raises:
            HandoffError: if there is no reason, or too long a one.
            UnknownHandoffError, HandoffStateError: as :meth:`acknowledge`.
        """
        check_reason(reason)
        return self._change(
            number,
            team,
            lambda connection, found: step(connection, found, "refused", actor, now, note=reason, version=version),
        )

    def mitigate(
        self,
        number: int,
        actor: Actor,
        actions: Sequence[str],
        note: str,
        now: datetime,
        *,
        version: int | None = None,
        team: str | None = None,
    ) -> Handoff:
        """Record what was done, which ends a hand-off; one not acknowledged before is so by that.

        Raises:
            HandoffError: if nothing, something unknown or, without a reason, no action was entered.
            UnknownHandoffError, HandoffStateError: as :meth:`acknowledge`.
        """
        check_actions(actions, note)
        return self._change(
            number,
            team,
            lambda connection, found: step(
                connection, found, "mitigated", actor, now, note=note, actions=actions, version=version
            ),
        )

    def withdraw(self, number: int, actor: Actor, reason: str, now: datetime, *, version: int | None = None) -> Handoff:
        """Take back what its team did not acknowledge yet, and tell the team if it may have arrived.

        Raises:
            HandoffError, UnknownHandoffError, HandoffStateError: as :meth:`refuse`.
        """
        check_reason(reason)

        def work(connection: sa.Connection, found: Handoff) -> Handoff:
            withdrawn = step(connection, found, "withdrawn", actor, now, note=reason, version=version)
            take_back(connection, found, reason, self._contacts, now)
            return withdrawn

        return self._change(number, None, work)

    def whole(self, number: int, team: str | None = None) -> WholeHandoff:
        """Return a hand-off with everything that is known of it.

        Raises:
            UnknownHandoffError: if there is none of that number, or it is another team's.
        """
        found = self._database.read(lambda connection: reading.whole(connection, number))
        _check_team(found.handoff, team)
        return found

    def by_link(self, token: str, now: datetime) -> int:
        """Return the number of the hand-off that a link opens.

        Raises:
            UnknownLinkError: if it opens none now.
        """
        return self._database.read(lambda connection: follow_link(connection, KIND, token, now))

    def page(self, filters: HandoffFilters, cursor: str | None, limit: int, now: datetime) -> HandoffPage:
        """Return the hand-offs that pass, the newest first, from a cursor on.

        Raises:
            CursorError: if the cursor is not one that a page gave out.
        """
        return self._database.read(lambda connection: reading.page(connection, filters, cursor, limit, now))

    def of(self, escalation: int) -> list[Listed]:
        """Return the hand-offs of a case, the newest first."""

        def work(connection: sa.Connection) -> list[Listed]:
            found = reading.handoffs(connection, HANDOFFS.c.escalation == escalation)
            return reading.with_delivery(connection, found)

        return self._database.read(work)

    def _change(self, number: int, team: str | None, work: Callable[[sa.Connection, Handoff], Handoff]) -> Handoff:
        def change(connection: sa.Connection) -> Handoff:
            found = reading.handoff(connection, number, locked=True)
            _check_team(found, team)
            return work(connection, found)

        return self._database.write(change)


def _check_team(found: Handoff, team: str | None) -> None:
    if team is not None and found.team != team:
        raise UnknownHandoffError("A hand-off: found no such number of this team, expected that of one it has.")


def _check_refused(connection: sa.Connection, number: int, escalation: int) -> None:
    found = reading.handoff(connection, number, locked=True)
    if found.escalation != escalation:
        raise UnknownHandoffError("A hand-off: found one of another case, expected one of this.")
    if found.state != "refused" or reading.handoffs(connection, HANDOFFS.c.follows == number):
        raise HandoffStateError(found)
