"""What is to be forgotten in, how many escalations are gone for good out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import NO_BEGIN, Database
from riskmodel.casebook.faults import translate
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.errors import CasebookError, CasebookUnavailableError

CHUNK = 200  # escalations in one transaction; the service writes in between
PAUSE_SECONDS = 0.005  # so that a service that waits for SQLite's lock gets it
CHECKPOINT_SECONDS = 10.0
NAMED_IDS = 20  # in one entry of the audit trail


@dataclass(frozen=True)
class Criterion:
    """Which escalations: all that is given must hold."""

    before: datetime | None
    ids: tuple[str, ...] | None
    client: str | None

    def chunks(self) -> "Iterator[Criterion]":
        """Return the same criterion for some of the ids at a time."""
        if self.ids is None:
            yield self
            return
        for start in range(0, len(self.ids), CHUNK):
            yield Criterion(self.before, self.ids[start : start + CHUNK], self.client)

    def __str__(self) -> str:
        """Return the criterion for the audit trail."""
        parts = [] if self.before is None else [f"kept before {self.before.astimezone(UTC).isoformat()}"]
        if self.ids is not None:
            more = len(self.ids) - NAMED_IDS
            parts.append("with id " + ", ".join(self.ids[:NAMED_IDS]) + (f" and {more} more" if more > 0 else ""))
        return " ".join(parts if self.client is None else [*parts, f"of client {self.client}"])


def forget(database: Database, criterion: Criterion, actor: str, clock: Callable[[], datetime]) -> int:
    """Delete escalations with all that hangs on them, a chunk and its entry in the audit trail at a time.

    On SQLite nothing of them is left in the files then. PostgreSQL frees the space with its next vacuum.

    Raises:
        CasebookError: if neither a day nor ids are given.
        CasebookUnavailableError: if the database does not answer; what was deleted before stays deleted.
    """
    if criterion.before is None and criterion.ids is None:
        raise CasebookError("To forget: found neither a day nor ids, expected one of them.")
    total = 0
    for part in criterion.chunks():
        while True:
            forgotten = database.write(partial(_forget_chunk, criterion=part, actor=actor, now=clock()))
            total += forgotten
            if forgotten < CHUNK:
                break
            time.sleep(PAUSE_SECONDS)
    if database.is_sqlite:
        _empty_log(database)
    return total


def _forget_chunk(connection: sa.Connection, criterion: Criterion, actor: str, now: datetime) -> int:
    statement = _numbers(criterion).limit(CHUNK)
    numbers = connection.execute(statement).scalars().all()
    if not numbers:
        return 0
    deleted = connection.execute(sa.delete(ESCALATIONS).where(ESCALATIONS.c.number.in_(numbers))).rowcount
    if deleted:
        subject = f"{deleted} escalations {criterion}"
        append(connection, [AuditEvent(now, actor, None, None, "forget", subject, None)])
    return deleted


def _numbers(criterion: Criterion) -> "sa.Select[int]":
    statement = sa.select(ESCALATIONS.c.number)
    if criterion.client is not None:
        statement = statement.where(ESCALATIONS.c.client == criterion.client)
    if criterion.before is not None:
        statement = statement.where(ESCALATIONS.c.kept_at < criterion.before)
    if criterion.ids is not None:
        return statement.where(ESCALATIONS.c.id.in_(criterion.ids))
    return statement.order_by(ESCALATIONS.c.kept_at, ESCALATIONS.c.number)


def _empty_log(database: Database) -> None:
    """Write the log back to SQLite's file, where what was deleted is overwritten, and cut the log to nothing."""
    give_up = time.monotonic() + CHECKPOINT_SECONDS
    try:
        with database.engine.connect().execution_options(begin=NO_BEGIN) as connection:
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one() != 0:
                if time.monotonic() > give_up:
                    raise CasebookUnavailableError(
                        f"{database.name} is read by another program for too long: the escalations are forgotten, but "
                        "their traces are still in its log. Run the same again."
                    )
                time.sleep(0.05)
    except sa.exc.SQLAlchemyError as error:
        raise translate(error, database.name) from None
