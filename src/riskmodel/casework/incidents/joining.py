"""Escalations as they are kept in, incidents out: each report joined once, however many processes and crashes."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.incident_tables import INCIDENT_BARS, INCIDENT_MEMBERS, INCIDENTS, IS_STALE, SIGNALS
from riskmodel.casebook.tables import ESCALATIONS, VECTORS
from riskmodel.casebook.vectors import unpacked
from riskmodel.casework.incidents import turns
from riskmodel.casework.incidents.arrivals import Arrival, next_arrivals
from riskmodel.casework.incidents.campaigns import look_for_campaign
from riskmodel.casework.incidents.matching import APART, Fit, Matching, Named, barred_from, is_barred
from riskmodel.casework.incidents.records import JOINER, EventKind
from riskmodel.casework.incidents.refreshing import append_event, refresh
from riskmodel.casework.incidents.spaces import Floats, Space
from riskmodel.casework.incidents.weighing import Levels, read_levels
from riskmodel.casework.incidents.window import Near, Window
from riskmodel.errors import CasebookUnavailableError

READ_AT_ONCE = 256  # reports whose vectors are compared together
JOINED_AT_ONCE = 4  # in one transaction: on SQLite nobody else writes meanwhile
REST = 1.0  # after it, as a share of the time it took: others, who wait two seconds at most, get in
PATIENCE = timedelta(seconds=60)  # with which a version is waited for whose space nobody has kept yet
LOADED_AT_ONCE = 4_096  # vectors, when a window is filled

Spaces = Callable[[str], Space | None]


@dataclass(frozen=True, eq=False)
class _Placed:
    """A report with its vector in the space of its version, and what lies near it."""

    arrival: Arrival
    vector: Floats | None = field(repr=False, default=None)
    near: Near | None = field(repr=False, default=None)


class Joiner:
    """Goes through the escalations in the order they were kept, behind whoever keeps them; for one thread.

    Args:
        database: of the casebook.
        spaces: gives the space of a model version; None where it is not known, so that its vectors are not compared.
        levels: when two reports are about one event.
        clock: says when something was joined.
    """

    def __init__(
        self,
        database: Database,
        spaces: Spaces,
        levels: Levels | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._spaces = spaces
        self._levels = levels or read_levels()
        self._clock = clock
        self._holder = secrets.token_hex(8)
        self._windows: dict[str, Window] = {}
        self._position: int | None = None  # up to which the windows hold what was kept
        self._stopped = threading.Event()

    def round(self) -> int:
        """Join all that was kept since the last round, by whichever process, and return how many reports were read.

        Raises:
            CasebookUnavailableError: if the database does not answer; the next round goes on.
        """
        self._tidy()
        done = 0
        while not self._stopped.is_set():
            read = self._some()
            if not read:
                break
            done += read
        return done

    def stop(self) -> None:
        """End a round that is under way soon, and let another process go on at once."""
        self._stopped.set()
        with suppress(CasebookUnavailableError):
            turns.give_back(self._database, self._holder)

    def _tidy(self) -> None:
        """Make anew what followed from reports that were forgotten; an incident without any goes."""
        while numbers := self._database.read(lambda connection: connection.execute(_STALE).scalars().all()):
            self._database.write(partial(_make_anew, numbers=numbers, now=self._clock()))

    def _some(self) -> int:
        """Join the next reports; return how many, 0 if there are none or another process is at it."""
        now = self._clock()
        here = self._database.read(turns.position)
        if not self._database.read(partial(next_arrivals, after=here, limit=1, now=now)):
            return 0
        turn = turns.take(self._database, self._holder, now)
        if turn is None:
            return 0
        found = partial(next_arrivals, after=turn.position, limit=READ_AT_ONCE, now=now)
        arrivals = self._placeable(self._database.read(found), now)
        if not arrivals:
            return 0
        first = self._database.read(partial(_first_since, moment=arrivals[-1].kept_at - APART))
        if self._position != turn.position:  # another process joined meanwhile, or this one starts
            self._windows = {}
        placed = self._placed(arrivals, first, turn.position)
        done = 0
        for part in _parts(placed):
            began = time.perf_counter()
            if self._stopped.is_set() or not self._database.write(
                partial(self._join_all, part=part, turn=turn, first=first, now=now)
            ):
                break
            turn = turns.Turn(turn.holder, part[-1].arrival.number)
            done += len(part)
            self._stopped.wait(REST * (time.perf_counter() - began))
        self._position = turn.position
        if done < len(placed):
            self._windows = {}  # they hold what was not joined
        return done

    def _placeable(self, arrivals: Sequence[Arrival], now: datetime) -> Sequence[Arrival]:
        """Return the first reports: as far as their spaces are known, or have been waited for long enough."""
        for at, one in enumerate(arrivals):
            if one.version is not None and one.kept_at > now - PATIENCE and self._spaces(one.version) is None:
                return arrivals[:at]
        return arrivals

    def _placed(self, arrivals: Sequence[Arrival], first: int, position: int) -> list[_Placed]:
        """Return reports with what lies near them, and add them to the windows."""
        placed: dict[int, _Placed] = {one.number: _Placed(one) for one in arrivals}
        versions = {one.version for one in arrivals if one.version is not None and not one.is_golden}
        for version in sorted(versions):
            space = self._spaces(version)
            if space is None:
                continue
            mine = [one for one in arrivals if one.version == version and not one.is_golden]
            vectors = space.place(unpacked([one.vector or b"" for one in mine]))
            window = self._window(space, first, position)
            window.drop_before(first)
            window.add([one.number for one in mine], [one.received_at.timestamp() for one in mine], vectors)
            near = window.near(vectors, self._levels.alike)
            for one, vector, close in zip(mine, vectors, near, strict=True):
                placed[one.number] = _Placed(one, vector, close)
        return [placed[one.number] for one in arrivals]

    def _window(self, space: Space, first: int, position: int) -> Window:
        """Return the window of a version, filled with what was gone through before."""
        window = self._windows.get(space.version)
        if window is None:
            window = self._windows[space.version] = Window(space.matrix.shape[1])
            for numbers, moments, kept in _vectors(self._database, space.version, first, position):
                window.add(numbers, moments, space.place(unpacked(kept)))
        return window

    def _join_all(
        self, connection: sa.Connection, part: Sequence[_Placed], turn: turns.Turn, first: int, now: datetime
    ) -> bool:
        """Join some reports in one transaction; False, with nothing done, if another process went on meanwhile."""
        turns.shut_out_others(connection)
        if not turns.go_on(connection, turn, part[-1].arrival.number):
            return False
        here = set(connection.execute(_HERE, {"numbers": [one.arrival.number for one in part]}).scalars())
        for one in part:
            if one.arrival.number in here and not one.arrival.is_golden:
                self._join(connection, one, first, now)
        return True

    def _join(self, connection: sa.Connection, placed: _Placed, first: int, now: datetime) -> None:
        arrival, near = placed.arrival, placed.near
        if arrival.signals:
            rows = [{"escalation": arrival.number, "value": one.value, "kind": one.kind} for one in arrival.signals]
            connection.execute(sa.insert(SIGNALS), rows)
        window = self._windows.get(arrival.version or "") if near is not None else None
        matching = Matching(connection, window, first, self._levels)
        earlier = [] if near is None else [int(one) for one in near.numbers if one < arrival.number]
        named = Named(arrival.number, arrival.signals, placed.vector)
        by_hand = connection.execute(_PLACED, {"escalation": arrival.number}).scalar() is not None
        found = [] if by_hand else matching.fits(named, arrival.received_at, earlier)
        if found:
            _enter(connection, matching, arrival.number, found, now)
        if near is not None and window is not None:
            look_for_campaign(connection, arrival, near, window, now)


def _enter(connection: sa.Connection, matching: Matching, number: int, found: Sequence[Fit], now: datetime) -> None:
    """Put a report where it fits best, and bring together what it shows to be one."""
    best, *others = found
    kind: EventKind = "joined" if best.incident is not None else "opened"
    incident = open_incident(connection, now) if best.incident is None else best.incident
    if best.incident is None:
        place(connection, incident, best.other, JOINER, now)
    place(connection, incident, number, JOINER, now)
    evidence = best.evidence.as_json()
    append_event(connection, incident, now, JOINER, kind, escalation=number, other=best.other, **evidence)
    for fit in others:
        if not matching.nearly_fits(fit.other, incident, number):
            continue
        why = {"escalation": fit.other, "other": number, **fit.evidence.as_json()}
        if fit.incident is None:
            if not is_barred(connection, fit.other, incident):
                place(connection, incident, fit.other, JOINER, now)
                append_event(connection, incident, now, JOINER, "joined", **why)
        elif not barred_from(connection, incident, fit.incident):
            into, out = sorted((incident, fit.incident))
            merge(connection, into, out, JOINER, now, **why)
            incident = into
    refresh(connection, incident, now)


def open_incident(connection: sa.Connection, now: datetime) -> int:
    """Make an incident without members, and return its number; :func:`refresh` fills in what follows from them."""
    values = {
        "words": "[]",
        "category": "none",
        "rating": "low",
        "reports": 0,
        "sources": 0,
        "opened_at": now,
        "first_at": now,
        "last_at": now,
    }
    number: int = connection.execute(sa.insert(INCIDENTS).values(**values).returning(INCIDENTS.c.number)).scalar_one()
    return number


def place(connection: sa.Connection, incident: int, escalation: int, actor: str, now: datetime) -> None:
    """Make a report a member of an incident that was in none."""
    row = {"escalation": escalation, "incident": incident, "joined_at": now, "actor": actor}
    connection.execute(sa.insert(INCIDENT_MEMBERS).values(**row))


def merge(
    connection: sa.Connection,
    into: int,
    out: int,
    actor: str,
    now: datetime,
    *,
    escalation: int | None = None,
    other: int | None = None,
    **evidence: object,
) -> None:
    """Make the members of one incident those of another; whoever asks for the one is led to the other."""
    members, bars = INCIDENT_MEMBERS.c.incident == out, INCIDENT_BARS.c.incident == out
    connection.execute(sa.update(INCIDENT_MEMBERS).where(members).values(incident=into))
    known = sa.select(INCIDENT_BARS.c.escalation).where(INCIDENT_BARS.c.incident == into)
    connection.execute(sa.delete(INCIDENT_BARS).where(bars, INCIDENT_BARS.c.escalation.in_(known)))
    connection.execute(sa.update(INCIDENT_BARS).where(bars).values(incident=into))
    connection.execute(sa.update(INCIDENTS).where(INCIDENTS.c.merged_into == out).values(merged_into=into))
    gone = {"merged_into": into, "reports": 0, "sources": 0}
    connection.execute(sa.update(INCIDENTS).where(INCIDENTS.c.number == out).values(**gone))
    append_event(connection, out, now, actor, "merged", into=into)
    append_event(connection, into, now, actor, "merged", escalation=escalation, other=other, merged=out, **evidence)


def _make_anew(connection: sa.Connection, numbers: Sequence[int], now: datetime) -> None:
    turns.shut_out_others(connection)
    for number in numbers:
        refresh(connection, number, now)
    empty = (INCIDENTS.c.reports == 0) & INCIDENTS.c.merged_into.is_(None)
    connection.execute(sa.delete(INCIDENTS).where(INCIDENTS.c.number.in_(numbers), empty))


def _parts(placed: Sequence[_Placed]) -> Iterator[Sequence[_Placed]]:
    for start, end in pairwise([*range(0, len(placed), JOINED_AT_ONCE), len(placed)]):
        yield placed[start:end]


def _first_since(connection: sa.Connection, moment: datetime) -> int:
    """Return the number of the first escalation that was kept from a moment on."""
    statement = sa.select(ESCALATIONS.c.number).where(ESCALATIONS.c.kept_at >= moment)
    found = connection.execute(statement.order_by(ESCALATIONS.c.kept_at, ESCALATIONS.c.number).limit(1)).scalar()
    return 0 if found is None else found


def _vectors(
    database: Database, version: str, first: int, last: int
) -> Iterator[tuple[list[int], list[float], list[bytes]]]:
    """Yield numbers, moments and vectors of what was kept, each escalation once, in order."""
    while True:
        rows = database.read(partial(_some_vectors, version=version, first=first, last=last))
        if not rows:
            return
        once = {row.escalation: row for row in rows}
        yield list(once), [row.received_at.timestamp() for row in once.values()], [row.vector for row in once.values()]
        first = rows[-1].escalation + 1


def _some_vectors(connection: sa.Connection, version: str, first: int, last: int) -> Sequence[Any]:
    return connection.execute(_VECTORS, {"version": version, "first": first, "last": last}).all()


_STALE = sa.select(INCIDENTS.c.number).where(sa.text(IS_STALE)).limit(JOINED_AT_ONCE)
_HERE = sa.select(ESCALATIONS.c.number).where(ESCALATIONS.c.number.in_(sa.bindparam("numbers", expanding=True)))
_PLACED = sa.select(INCIDENT_MEMBERS.c.incident).where(INCIDENT_MEMBERS.c.escalation == sa.bindparam("escalation"))
_VECTORS = (
    sa.select(VECTORS.c.escalation, ESCALATIONS.c.received_at, VECTORS.c.vector)
    .join_from(VECTORS, ESCALATIONS, ESCALATIONS.c.number == VECTORS.c.escalation)
    .where(VECTORS.c.escalation >= sa.bindparam("first"), VECTORS.c.escalation <= sa.bindparam("last"))
    .where(VECTORS.c.model_version == sa.bindparam("version"))
    .order_by(VECTORS.c.escalation, VECTORS.c.assessment)
    .limit(LOADED_AT_ONCE)
)
