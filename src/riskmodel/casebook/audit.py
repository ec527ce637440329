"""What someone did in, the trail of who did what out; appended only, and the database refuses anything else."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import AUDIT


@dataclass(frozen=True)
class AuditEvent:
    """Who did what to what, when; never a text.

    Attributes:
        actor: the name of the key's owner, or ``command line``.
        action: what was done, such as ``create key``.
        subject: to what, such as a key's id.
    """

    at: datetime
    actor: str
    key_id: str | None
    role: str | None
    action: str
    subject: str
    request_id: str | None


@dataclass(frozen=True)
class AuditEntry:
    """An event in its place on the trail."""

    number: int
    event: AuditEvent


def append(connection: sa.Connection, events: Sequence[AuditEvent]) -> None:
    """Append to the trail within the transaction that is open."""
    if events:
        connection.execute(sa.insert(AUDIT), [_row(event) for event in events])


class Trail:
    """The audit trail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, events: Sequence[AuditEvent]) -> None:
        """Append events in one transaction."""
        if events:
            self._database.write(lambda connection: append(connection, events))

    def has(self, action: str) -> bool:
        """Return whether anything of that name was done."""
        statement = sa.select(AUDIT.c.number).where(AUDIT.c.action == action).limit(1)
        return self._database.read(lambda connection: connection.execute(statement).first()) is not None

    def page(self, before_number: int | None = None, limit: int = 100) -> list[AuditEntry]:
        """Return entries, the newest first, older than a number."""
        statement = sa.select(AUDIT.c.number, *(AUDIT.c[field.name] for field in fields(AuditEvent)))
        statement = statement.order_by(AUDIT.c.number.desc()).limit(limit)
        if before_number is not None:
            statement = statement.where(AUDIT.c.number < before_number)
        rows = self._database.read(lambda connection: connection.execute(statement).all())
        return [AuditEntry(number, AuditEvent(*rest)) for number, *rest in rows]


def _row(event: AuditEvent) -> dict[str, Any]:
    return {field.name: getattr(event, field.name) for field in fields(event)}
