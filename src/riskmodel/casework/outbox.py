"""A message in, within the transaction that decides it; sent later, at least once; a dead letter if it cannot be.

One process at a time sends a message: who takes it holds a lease, and when the process dies, the lease ends.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import ATTEMPTS, IS_LEASED, IS_WAITING, MESSAGES
from riskmodel.casework.delivery import Channel, Ended, Leased, NewMessage, Outcome, Schedule, State
from riskmodel.errors import CasebookError
from riskmodel.review.turns import InTurn

LEASE_SECONDS = 80.0  # several times what an attempt may take
AT_ONCE = 2  # attempts at one destination; a slow one does not hold up the others
ID_BYTES = 16


@dataclass(frozen=True)
class Attempt:
    """One try to send a message; without an end it is under way, or was cut off with its process."""

    at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    status: int | None


@dataclass(frozen=True)
class Message:
    """A message as it stands, with its attempts, the oldest first; never what it says.

    Attributes:
        state: waiting, sent, dead (given up: a person may send it again) or withdrawn.
        due_at: of the next attempt, while it waits.
        tries: attempts since it was put there, or sent again by a person.
        ended_at: when it was sent, given up or withdrawn.
    """

    number: int
    id: str
    kind: str
    subject: int
    escalation: int | None
    channel: Channel
    destination: str
    put_at: datetime
    state: State
    due_at: datetime
    tries: int
    ended_at: datetime | None
    attempts: tuple[Attempt, ...]

    @property
    def is_failing(self) -> bool:
        """Return whether it was tried in vain and waits for another try."""
        return self.state == "waiting" and any(attempt.outcome is not None for attempt in self.attempts)


class UnknownMessageError(CasebookError):
    """No message has that number, or it is not a dead letter."""


def put(connection: sa.Connection, message: NewMessage, now: datetime) -> int:
    """Have a message sent if the transaction that is open succeeds; return its number."""
    row = {
        "id": f"msg_{secrets.token_hex(ID_BYTES)}",
        "kind": message.kind,
        "subject": message.subject,
        "escalation": message.escalation,
        "channel": message.channel,
        "destination": message.destination,
        "payload": json.dumps(message.payload, ensure_ascii=False, separators=(",", ":")),
        "put_at": now,
        "state": "waiting",
        "due_at": now,
        "tries": 0,
    }
    number: int = connection.execute(sa.insert(MESSAGES).values(**row).returning(MESSAGES.c.number)).scalar_one()
    return number


def withdraw(connection: sa.Connection, kind: str, subject: int, now: datetime) -> int:
    """Take back what was not sent yet, within the transaction that is open; return how many.

    What is just being sent may still arrive: its receiver must be told otherwise.
    """
    waiting = (MESSAGES.c.kind == kind) & (MESSAGES.c.subject == subject) & MESSAGES.c.state.in_(("waiting", "dead"))
    return connection.execute(sa.update(MESSAGES).where(waiting).values(_end("withdrawn", now))).rowcount


def messages(connection: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Message]:
    """Return the messages that a condition on the table holds for, the newest first."""
    found = connection.execute(_MESSAGES.where(condition).order_by(MESSAGES.c.number.desc()).limit(limit)).all()
    attempts: dict[int, list[Attempt]] = {row.number: [] for row in found}
    for number, *rest in connection.execute(_ATTEMPTS, {"numbers": list(attempts)}):
        attempts[number].append(Attempt(*rest))
    return [Message(**row._mapping, attempts=tuple(attempts[row.number])) for row in found]


class Outbox:
    """What is to be sent, and what became of it; threads and processes may share it.

    Args:
        database: of the casebook.
        schedule: of attempts.
        random: for the jitter.
        lease_seconds: longer than any attempt.
    """

    def __init__(
        self,
        database: Database,
        schedule: Schedule = Schedule(),  # noqa: B008  frozen
        random: Random = SystemRandom(),  # noqa: B008  holds nothing
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = InTurn(database)
        self._schedule = schedule
        self._random = random
        self._lease = timedelta(seconds=lease_seconds)

    def take(self, now: datetime) -> Leased | None:
        """Take what is most due and nobody else sends; None if nothing is."""
        if self._database.read(lambda connection: _first_due(connection, now)) is None:
            return None  # most of the time; a reader blocks nobody
        return self._database.write(lambda connection: self._take(connection, now))

    def end(self, message: Leased, ended: Ended, now: datetime) -> None:
        """Record how an attempt ended. Who lost the lease meanwhile changes nothing, unless it was delivered."""

        def work(connection: sa.Connection) -> None:
            values = {"ended_at": now, "outcome": ended.outcome, "status": ended.status}
            connection.execute(sa.update(ATTEMPTS).where(ATTEMPTS.c.number == message.attempt).values(values))
            mine = (MESSAGES.c.number == message.number) & MESSAGES.c.state.in_(("waiting", "dead"))
            if ended.outcome == "delivered":
                connection.execute(sa.update(MESSAGES).where(mine).values(_end("sent", now)))
                return
            next_at = self._schedule.next_at(message.tries, ended, now, self._random)
            values = _GIVEN_UP | {"ended_at": now} if next_at is None else {"due_at": next_at} | _NO_LEASE
            connection.execute(sa.update(MESSAGES).where(mine, MESSAGES.c.lease == message.lease).values(values))

        self._database.write(work)

    def send_again(self, number: int, event: AuditEvent) -> Message:
        """Have a dead letter sent again, with all its attempts before it; the event says who wants it.

        Raises:
            UnknownMessageError: if there is no dead letter of that number.
        """

        def work(connection: sa.Connection) -> Message:
            dead = (MESSAGES.c.number == number) & (MESSAGES.c.state == "dead")
            values = {"state": "waiting", "due_at": event.at, "tries": 0, "ended_at": None}
            if connection.execute(sa.update(MESSAGES).where(dead).values(values)).rowcount == 0:
                raise UnknownMessageError("A message: found no dead letter of that number, expected one that is.")
            append(connection, [event])
            (found,) = messages(connection, MESSAGES.c.number == number)
            return found

        return self._database.write(work)

    def of(self, kind: str, subject: int) -> list[Message]:
        """Return the messages of a hand-off, question or report, the newest first."""
        condition = (MESSAGES.c.kind == kind) & (MESSAGES.c.subject == subject)
        return self._database.read(lambda connection: messages(connection, condition))

    def dead(self, limit: int = 100) -> list[Message]:
        """Return the dead letters, the newest first."""
        return self._database.read(lambda connection: messages(connection, MESSAGES.c.state == "dead", limit))

    def counts(self) -> dict[str, int]:
        """Return how many messages wait, and how many are dead."""
        statement = (
            sa.select(MESSAGES.c.state, sa.func.count())
            .where(MESSAGES.c.state.in_(("waiting", "dead")))
            .group_by(MESSAGES.c.state)
        )
        rows: Sequence[Any] = self._database.read(lambda connection: connection.execute(statement).all())
        return {"waiting": 0, "dead": 0} | {str(state): int(count) for state, count in rows}

    def _take(self, connection: sa.Connection, now: datetime) -> Leased | None:
        while (number := _first_due(connection, now, locked=True)) is not None:
            row = connection.execute(sa.select(MESSAGES).where(MESSAGES.c.number == number)).one()
            mine = sa.update(MESSAGES).where(MESSAGES.c.number == number)
            if row.tries >= self._schedule.attempts:  # the last attempt was cut off with its process
                connection.execute(mine.values(_GIVEN_UP | {"ended_at": now}))
                continue
            lease, tries = secrets.token_hex(ID_BYTES), row.tries + 1
            connection.execute(mine.values(lease=lease, leased_until=now + self._lease, tries=tries))
            new = sa.insert(ATTEMPTS).values(message=number, at=now).returning(ATTEMPTS.c.number)
            attempt = connection.execute(new).scalar_one()
            payload = json.loads(row.payload)
            return Leased(number, row.id, row.kind, row.channel, row.destination, payload, tries, lease, attempt)
        return None


def _first_due(connection: sa.Connection, now: datetime, *, locked: bool = False) -> int | None:
    """Return the number of what is most due, is not being sent, and whose destination is not busy."""
    busy = connection.execute(_BUSY, {"now": now, "at_once": AT_ONCE}).all()
    statement = _DUE if not busy else _DUE.where(~sa.tuple_(MESSAGES.c.channel, MESSAGES.c.destination).in_(busy))
    if locked:
        statement = statement.with_for_update(skip_locked=True)
    return connection.execute(statement, {"now": now}).scalar()


def _end(state: State, now: datetime) -> dict[str, Any]:
    return {"state": state, "ended_at": now, "payload": None} | _NO_LEASE


_NO_LEASE: dict[str, Any] = {"lease": None, "leased_until": None}
_GIVEN_UP: dict[str, Any] = {"state": "dead"} | _NO_LEASE
_NOW = sa.bindparam("now", type_=MESSAGES.c.due_at.type)
_BUSY = (
    sa.select(MESSAGES.c.channel, MESSAGES.c.destination)
    .where(sa.text(IS_LEASED), MESSAGES.c.leased_until > _NOW)
    .group_by(MESSAGES.c.channel, MESSAGES.c.destination)
    .having(sa.func.count() >= sa.bindparam("at_once"))
)
_DUE = (
    sa.select(MESSAGES.c.number)
    .where(sa.text(IS_WAITING), MESSAGES.c.due_at <= _NOW)
    .where(MESSAGES.c.leased_until.is_(None) | (MESSAGES.c.leased_until <= _NOW))
    .order_by(MESSAGES.c.due_at, MESSAGES.c.number)
    .limit(1)
)
_MESSAGES = sa.select(*(MESSAGES.c[field.name] for field in fields(Message) if field.name != "attempts"))
_ATTEMPTS = (
    sa.select(ATTEMPTS.c.message, *(ATTEMPTS.c[field.name] for field in fields(Attempt)))
    .where(ATTEMPTS.c.message.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(ATTEMPTS.c.number)
)
