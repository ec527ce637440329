"""What a person knows better in, incidents put right out: joined, split, named, with an entry in both trails."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from riskmodel.casebook import AuditEvent
from riskmodel.casebook.audit import append
from riskmodel.casebook.database import Database
from riskmodel.casebook.incident_tables import INCIDENT_BARS, INCIDENT_MEMBERS, INCIDENTS
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.casework.incidents import turns
from riskmodel.casework.incidents.joining import merge, open_incident, place
from riskmodel.casework.incidents.reading import read_incident
from riskmodel.casework.incidents.records import EditError, Incident, UnknownIncidentError
from riskmodel.casework.incidents.refreshing import append_event, refresh

MAX_NAME_CHARACTERS = 120


class Editing:
    """Joining, splitting and naming by hand; threads may share it.

    Each takes what goes to the audit trail, whose actor is who did it, and writes it in the same transaction. Every
    method may raise :class:`~riskmodel.errors.CasebookUnavailableError`; nothing was done then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, incident: int, escalation: int, by: AuditEvent) -> Incident:
        """Put a report into an incident, whatever kept it out; out of the one it was in.

        Raises:
            UnknownIncidentError: if there is no such incident or report.
            EditError: if the incident is part of another now, or has the report already.
        """

        def work(connection: sa.Connection) -> None:
            _check_own(connection, incident)
            before = _incident_of(connection, escalation)
            if before == incident:
                raise EditError("reports", "one that is in it already", "another")
            if before is not None:
                gone = INCIDENT_MEMBERS.c.escalation == escalation
                connection.execute(sa.delete(INCIDENT_MEMBERS).where(gone))
                append_event(connection, before, by.at, by.actor, "split", escalation=escalation, into=incident)
                refresh(connection, before, by.at)
            bar = (INCIDENT_BARS.c.escalation == escalation) & (INCIDENT_BARS.c.incident == incident)
            connection.execute(sa.delete(INCIDENT_BARS).where(bar))
            place(connection, incident, escalation, by.actor, by.at)
            append_event(connection, incident, by.at, by.actor, "added", escalation=escalation)
            refresh(connection, incident, by.at)

        return self._edit(work, incident, by)

    def open(self, escalation: int, by: AuditEvent) -> Incident:
        """Make an incident of a report that is in none, to which others can be added.

        Raises:
            UnknownIncidentError: if there is no such report.
            EditError: if it is in an incident.
        """

        def work(connection: sa.Connection) -> int:
            if _incident_of(connection, escalation) is not None:
                raise EditError("reports", "one that is in an incident", "one that is in none")
            number = open_incident(connection, by.at)
            place(connection, number, escalation, by.actor, by.at)
            append_event(connection, number, by.at, by.actor, "added", escalation=escalation)
            refresh(connection, number, by.at)
            return number

        return self._edit_to(work, by)

    def merge(self, incident: int, other: int, by: AuditEvent) -> Incident:
        """Make another incident part of an incident, whatever kept them apart.

        Raises:
            UnknownIncidentError: if there is none of these numbers.
            EditError: if they are one, or one of them is part of another now.
        """

        def work(connection: sa.Connection) -> None:
            if incident == other:
                raise EditError("other", "the same number", "another incident")
            for number in (incident, other):
                _check_own(connection, number)
            for here, there in ((incident, other), (other, incident)):
                members = sa.select(INCIDENT_MEMBERS.c.escalation).where(INCIDENT_MEMBERS.c.incident == there)
                apart = (INCIDENT_BARS.c.incident == here) & INCIDENT_BARS.c.escalation.in_(members)
                connection.execute(sa.delete(INCIDENT_BARS).where(apart))
            merge(connection, incident, other, by.actor, by.at)
            refresh(connection, incident, by.at)

        return self._edit(work, incident, by)

    def split(self, incident: int, escalations: Sequence[int], by: AuditEvent) -> Incident:
        """Take reports out of an incident into one of their own, which is returned; only a person may put them back.

        Raises:
            UnknownIncidentError: if there is no such incident.
            EditError: if none or all of its reports are named, or others.
        """
        chosen = sorted(set(escalations))

        def work(connection: sa.Connection) -> int:
            _check_own(connection, incident)
            of = sa.select(INCIDENT_MEMBERS.c.escalation).where(INCIDENT_MEMBERS.c.incident == incident)
            members = set(connection.execute(of).scalars())
            if not chosen or not set(chosen) < members:
                raise EditError("reports", "none, all, or others", f"some of its {len(members)}")
            number = open_incident(connection, by.at)
            gone = INCIDENT_MEMBERS.c.escalation.in_(chosen)
            connection.execute(sa.update(INCIDENT_MEMBERS).where(gone).values(incident=number))
            connection.execute(sa.insert(INCIDENT_BARS), [{"escalation": one, "incident": incident} for one in chosen])
            for one in chosen:
                append_event(connection, incident, by.at, by.actor, "split", escalation=one, into=number)
                append_event(connection, number, by.at, by.actor, "added", escalation=one, out_of=incident)
            refresh(connection, incident, by.at)
            refresh(connection, number, by.at)
            return number

        return self._edit_to(work, by)

    def rename(self, incident: int, name: str, by: AuditEvent) -> Incident:
        """Give an incident a name; an empty one takes it away.

        Raises:
            UnknownIncidentError: if there is none of that number.
            EditError: if the name cannot be used.
        """
        kept = " ".join(name.split())
        if len(kept) > MAX_NAME_CHARACTERS or not kept.isprintable():
            found = f"{len(kept)} characters, or some that do not show"
            raise EditError("name", found, f"at most {MAX_NAME_CHARACTERS} printable ones")

        def work(connection: sa.Connection) -> None:
            read_incident(connection, incident)
            here = INCIDENTS.c.number == incident
            connection.execute(sa.update(INCIDENTS).where(here).values(name=kept or None))
            append_event(connection, incident, by.at, by.actor, "named", name=kept)

        return self._edit(work, incident, by)

    def _edit(self, change: Callable[[sa.Connection], None], incident: int, by: AuditEvent) -> Incident:
        def work(connection: sa.Connection) -> int:
            change(connection)
            return incident

        return self._edit_to(work, by)

    def _edit_to(self, change: Callable[[sa.Connection], int], by: AuditEvent) -> Incident:
        def work(connection: sa.Connection) -> Incident:
            turns.shut_out_others(connection)
            number = change(connection)
            append(connection, [by])
            return read_incident(connection, number)

        return self._database.write(work)


def _check_own(connection: sa.Connection, incident: int) -> None:
    into = read_incident(connection, incident).merged_into
    if into is not None:
        raise EditError("number", "one that is part of another now", f"that one, {into}")


def _incident_of(connection: sa.Connection, escalation: int) -> int | None:
    statement = (
        sa.select(ESCALATIONS.c.number, INCIDENT_MEMBERS.c.incident)
        .outerjoin_from(ESCALATIONS, INCIDENT_MEMBERS, INCIDENT_MEMBERS.c.escalation == ESCALATIONS.c.number)
        .where(ESCALATIONS.c.number == escalation)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise UnknownIncidentError("A report: found no such number, expected that of one that is kept.")
    incident: int | None = row.incident
    return incident
