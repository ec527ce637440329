"""What is due in, reminders before and after the breach out: each once, whatever processes run and however often.

Every open thing has a clock, which says how much of its time is over, and when the next reminder is due. Who makes a
reminder locks its clock, and records it in the transaction that puts the message into the outbox.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from riskmodel.calendars import FAR
from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import CLOCKS, IS_RUNNING, QUESTIONS, REMINDERS
from riskmodel.casework import letters
from riskmodel.casework.contacts import DESK, Contacts, is_address
from riskmodel.casework.due import KINDS, QUESTION, Due, open_of
from riskmodel.casework.links import make_link
from riskmodel.casework.outbox import put
from riskmodel.policy import RANKS, Policy, Rank, ReminderRule
from riskmodel.records import LAST_YEAR
from riskmodel.review.turns import InTurn

AT_ONCE = 500  # clocks in one transaction
OVERLAP = (
    1_000  # numbers below the newest clock that are looked at again: others may commit later what they began before
)
ACTOR = "deadlines"
LAST = datetime(LAST_YEAR, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Reminder:
    """A reminder as it was made.

    Attributes:
        share: of the time until the deadline that had passed, by the policy.
        rank: how high it was raised.
        destination: who was told: the desk, a team or an address.
        batch: what went out together; the outbox knows it as ``("reminder", batch)``. None: nobody could be reached.
    """

    number: int
    kind: str
    subject: int
    escalation: int
    at: datetime
    act_by: datetime
    share: float
    rank: Rank
    destination: str
    batch: int | None


class Deadlines:
    """Reminds of what is due; threads and processes may share it.

    Args:
        database: of the casebook.
        policy: says when it is reminded, and by whose hours time counts.
        contacts: where the desk and the teams are reached; who cannot be is reminded on the pages only.
    """

    def __init__(self, database: Database, policy: Policy, contacts: Contacts) -> None:
        self._database = InTurn(database)
        self._policy = policy
        self._contacts = contacts

    def remind(self, now: datetime) -> int:
        """Start the clocks of what is new, make every reminder that is due, and return how many."""
        count = 0
        for kind in KINDS:
            while self._database.read(partial(_unclocked, kind=kind, limit=1)):
                self._database.write(partial(self._start, kind=kind))
            stopped = self._database.read(partial(self._stopped, kind=kind))
            if stopped:  # opened again, such as by a verdict that was taken back
                self._database.write(partial(wake, kind=kind, subjects=stopped, now=now))
        while self._database.read(partial(_ringing, now=now, limit=1)):
            count += self._database.write(partial(self._ring, now=now))
        return count

    def of(self, escalation: int) -> list[Reminder]:
        """Return the reminders about an escalation, the newest first."""
        return self._database.read(lambda connection: reminders(connection, CLOCKS.c.escalation == escalation))

    def _start(self, connection: sa.Connection, kind: str) -> None:
        for due in open_of(connection, kind, _unclocked(connection, kind, AT_ONCE), self._policy):
            values = {"share": 0.0, "act_by": due.act_by, "next_at": self._next_at(due, 0.0)}
            row = {"kind": kind, "subject": due.subject, "escalation": due.escalation, **values}
            with connection.begin_nested() as mine:
                try:
                    connection.execute(sa.insert(CLOCKS).values(**row))
                except sa.exc.IntegrityError:  # another process started it in this moment
                    mine.rollback()

    def _stopped(self, connection: sa.Connection, kind: str) -> list[int]:
        """Return the numbers of open things whose clocks stand still, though they were not reminded of to the end."""
        found, last = KINDS[kind], max((rule.at for rule in self._policy.reminders), default=0.0)
        same = (CLOCKS.c.kind == kind) & (CLOCKS.c.subject == found.subject) & CLOCKS.c.next_at.is_(None)
        statement = found.open.join(CLOCKS, same).where(CLOCKS.c.share < last)
        return [row.subject for row in connection.execute(statement)]

    def _ring(self, connection: sa.Connection, now: datetime) -> int:
        clocks = _ringing(connection, now, AT_ONCE, locked=True)
        made: list[tuple[Due, ReminderRule, int]] = []
        for kind, of_kind in groupby(sorted(clocks, key=lambda row: row.kind), key=lambda row: row.kind):
            rows = list(of_kind)
            found = {due.subject: due for due in open_of(connection, kind, [row.subject for row in rows], self._policy)}
            for row in rows:
                made += self._advance(connection, row, found.get(row.subject), now)
        self._tell(connection, made, now)
        return len(made)

    def _advance(
        self, connection: sa.Connection, clock: Any, due: Due | None, now: datetime
    ) -> list[tuple[Due, ReminderRule, int]]:
        """Set a clock on, and return the reminder that is due by it; only the last, if time passed several."""
        mine = sa.update(CLOCKS).where(CLOCKS.c.number == clock.number)
        if due is None:  # done meanwhile; it rings no more unless the same thing is opened again
            connection.execute(mine.values(next_at=None))
            return []
        share = clock.share if clock.act_by == due.act_by else 0.0  # a deadline that moved counts from the beginning
        passed = [rule for rule in self._policy.reminders if rule.at > share and self._moment(due, rule) <= now]
        if passed:
            share = passed[-1].at
        values: dict[str, Any] = {"act_by": due.act_by, "share": share, "next_at": self._next_at(due, share)}
        rank = max((clock.rank or RANKS[0], *(rule.rank for rule in passed)), key=RANKS.index)
        connection.execute(mine.values(values | ({"rank": rank} if passed else {})))
        if passed and rank != (clock.rank or RANKS[0]):
            subject = f"{due.kind} {due.subject} of escalation {due.escalation}"
            append(connection, [AuditEvent(now, ACTOR, None, None, f"raise to {rank}", subject, None)])
        return [(due, passed[-1], clock.number)] if passed else []

    def _tell(self, connection: sa.Connection, made: Sequence[tuple[Due, ReminderRule, int]], now: datetime) -> None:
        """Record reminders, and put what tells of them into the outbox: one message for all that one place is told."""

        def place(one: tuple[Due, ReminderRule, int]) -> tuple[str, str, int]:
            due, rule, _ = one
            return due.destination, rule.rank, due.subject if due.kind == QUESTION else 0

        for (destination, _, question), of_place in groupby(sorted(made, key=place), key=place):
            told = list(of_place)
            first, rank = told[0][0], told[0][1].rank
            channels = _channels(self._contacts, destination, rank)
            numbers = [_record(connection, one, now) for one in told]
            batch = numbers[0]
            if channels:
                connection.execute(sa.update(REMINDERS).where(REMINDERS.c.number.in_(numbers)).values(batch=batch))
            items = [due for due, _, _ in told]
            for channel, to in channels:
                if question and to == destination:
                    row = connection.execute(sa.select(QUESTIONS).where(QUESTIONS.c.number == question)).one()
                    token = make_link(connection, QUESTION, question, row.escalation, row.expires_at, now)
                    message = letters.question(row, first.id, channel, self._contacts, token, batch=batch)
                else:
                    message = letters.reminder(items, rank, channel, destination, to, self._contacts, batch, now)
                put(connection, message, now)

    def _moment(self, due: Due, rule: ReminderRule) -> datetime:
        span = due.act_by - due.started_at
        if span <= timedelta(0):  # late before it was there: whatever the share, now
            return due.started_at
        if due.calendar is None or span > FAR:
            return due.started_at + min(span * rule.at, LAST - due.started_at)
        return due.calendar.at_share(due.started_at, due.act_by, rule.at)

    def _next_at(self, due: Due, share: float) -> datetime | None:
        return next((self._moment(due, rule) for rule in self._policy.reminders if rule.at > share), None)


def wake(connection: sa.Connection, kind: str, subjects: Sequence[int], now: datetime) -> None:
    """Have the clocks of things looked at again: they were opened again, or their deadlines moved."""
    mine = (CLOCKS.c.kind == kind) & CLOCKS.c.subject.in_(subjects)
    connection.execute(sa.update(CLOCKS).where(mine).values(next_at=now))


def _channels(contacts: Contacts, destination: str, rank: Rank) -> list[tuple[Any, str]]:
    """Return by which channels a reminder goes to whom."""
    if is_address(destination):
        by: list[tuple[Any, str]] = [("email", destination)] if contacts.smtp is not None else []
        return by + (_channels(contacts, DESK, rank) if rank != RANKS[0] else [])
    found: list[tuple[Any, str]] = [(channel, destination) for channel in contacts.channels_of(destination)]
    second = contacts.second_of(destination)
    return found + ([("email", second)] if rank != RANKS[0] and second is not None else [])


def _unclocked(connection: sa.Connection, kind: str, limit: int) -> list[int]:
    """Return the numbers of open things that have no clock yet."""
    found = KINDS[kind]
    newest = connection.execute(sa.select(sa.func.max(CLOCKS.c.subject)).where(CLOCKS.c.kind == kind)).scalar() or 0
    clocked = sa.exists().where(CLOCKS.c.kind == kind, CLOCKS.c.subject == found.subject)
    statement = found.open.where(~clocked, found.subject > newest - OVERLAP).order_by(found.subject).limit(limit)
    return [row.subject for row in connection.execute(statement)]


def _ringing(connection: sa.Connection, now: datetime, limit: int, *, locked: bool = False) -> Sequence[Any]:
    statement = sa.select(CLOCKS).where(sa.text(IS_RUNNING), CLOCKS.c.next_at <= now)
    statement = statement.order_by(CLOCKS.c.next_at, CLOCKS.c.number).limit(limit)
    return connection.execute(statement.with_for_update(skip_locked=True) if locked else statement).all()


def _record(connection: sa.Connection, made: tuple[Due, ReminderRule, int], now: datetime) -> int:
    due, rule, clock = made
    row = {"clock": clock, "at": now, "act_by": due.act_by, "share": rule.at, "rank": rule.rank}
    statement = sa.insert(REMINDERS).values(**row, destination=due.destination).returning(REMINDERS.c.number)
    number: int = connection.execute(statement).scalar_one()
    return number


def reminders(connection: sa.Connection, condition: sa.ColumnElement[bool], limit: int = 100) -> list[Reminder]:
    """Return the reminders that a condition on the tables holds for, the newest first."""
    columns = (CLOCKS.c.kind, CLOCKS.c.subject, CLOCKS.c.escalation)
    own = (REMINDERS.c[name] for name in ("number", "at", "act_by", "share", "rank", "destination", "batch"))
    statement = sa.select(*own, *columns).join_from(REMINDERS, CLOCKS, REMINDERS.c.clock == CLOCKS.c.number)
    rows: Iterable[Any] = connection.execute(
        statement.where(condition).order_by(REMINDERS.c.number.desc()).limit(limit)
    )
    return [Reminder(**row._mapping) for row in rows]
