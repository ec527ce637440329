"""A process's name in, its turn out: one process at a time works through the escalations, and goes on where it was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from riskmodel.casebook.database import Database
from riskmodel.casebook.incident_tables import POSITIONS

NAME = "incidents"
HELD = timedelta(seconds=60)  # after so long without a sign of life another process goes on


@dataclass(frozen=True)
class Turn:
    """The right to go on after an escalation, by its number."""

    holder: str
    position: int


def take(database: Database, holder: str, now: datetime) -> Turn | None:
    """Return the turn of a process, new or longer; None while another has it."""

    def work(connection: sa.Connection) -> Turn | None:
        connection.execute(_INSERT[connection.dialect.name])
        free = POSITIONS.c.holder.is_(None) | (POSITIONS.c.holder == holder) | (POSITIONS.c.held_until < now)
        taken = connection.execute(
            sa.update(POSITIONS)
            .where(POSITIONS.c.name == NAME, free)
            .values(holder=holder, held_until=now + HELD)
            .returning(POSITIONS.c.escalation)
        ).scalar()
        return None if taken is None else Turn(holder, taken)

    return database.write(work)


def position(connection: sa.Connection) -> int:
    """Return the number of the escalation that was gone through last; 0 if none was."""
    found = connection.execute(sa.select(POSITIONS.c.escalation).where(POSITIONS.c.name == NAME)).scalar()
    return 0 if found is None else found


def go_on(connection: sa.Connection, turn: Turn, to: int) -> bool:
    """Move on to an escalation within the transaction that joins it; False if another process did, or has the turn."""
    return bool(
        connection.execute(
            sa.update(POSITIONS)
            .where(POSITIONS.c.name == NAME, POSITIONS.c.holder == turn.holder, POSITIONS.c.escalation == turn.position)
            .values(escalation=to)
        ).rowcount
    )


def shut_out_others(connection: sa.Connection) -> None:
    """Keep everyone else from changing incidents until the transaction ends; on SQLite whoever writes is alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(_INSERT["postgresql"])
        connection.execute(sa.select(POSITIONS.c.name).where(POSITIONS.c.name == NAME).with_for_update())


def give_back(database: Database, holder: str) -> None:
    """Let others go on at once."""
    mine = (POSITIONS.c.name == NAME) & (POSITIONS.c.holder == holder)
    statement = sa.update(POSITIONS).where(mine).values(holder=None, held_until=None)
    database.write(lambda connection: connection.execute(statement))


_INSERT = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(POSITIONS)
    .values(name=NAME, escalation=0)
    .on_conflict_do_nothing()
    for dialect in (sqlite, postgresql)
}
