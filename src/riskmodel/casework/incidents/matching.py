"""A new report and what may be about the same event in, where it belongs out: incidents and lone reports, with why."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from riskmodel.casebook.incident_tables import INCIDENT_BARS, INCIDENT_MEMBERS, SIGNALS
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.casework.incidents.records import Evidence
from riskmodel.casework.incidents.signals import Signal
from riskmodel.casework.incidents.spaces import Floats
from riskmodel.casework.incidents.weighing import Levels, weigh
from riskmodel.casework.incidents.window import Window

APART = timedelta(days=14)  # reports of one event that lie further apart are not joined
MOST_HOLDERS = 100  # of a value that are looked at, the newest
COMMON = 30  # incidents and lone reports among these, from which on a value leads to none of them
ASKED = 12  # members of an incident that a report must mostly fit


@dataclass(frozen=True)
class Fit:
    """Where a report fits.

    Attributes:
        incident: its number; None where ``other`` stands alone.
        other: the report that it fits best.
    """

    incident: int | None
    other: int
    evidence: Evidence = field(repr=False)


@dataclass(frozen=True, eq=False)
class Named:
    """A report as it is compared: what it names, and its vector where it has one."""

    number: int
    signals: Sequence[Signal]
    vector: Floats | None


@dataclass(frozen=True)
class Rarity:
    """Of each value that a report names: how many incidents and lone reports name it; and which reports may match."""

    holders: Mapping[str, int]
    candidates: frozenset[int]
    reports: int


@dataclass(frozen=True, eq=False)
class Matching:
    """Compares reports within the transaction that joins them.

    Attributes:
        window: with the vectors that can be compared; None where none can.
        first: the number of the oldest report that counts.
    """

    connection: sa.Connection
    window: Window | None
    first: int
    levels: Levels

    def fits(self, one: Named, at: datetime, near: Iterable[int]) -> list[Fit]:
        """Return where a report belongs, the best first; nothing that a person keeps it out of.

        Args:
            one: the report, whose signals are kept already.
            at: when it arrived.
            near: the numbers of reports whose texts are close.
        """
        rare = self._rarity(one)
        numbers = ({int(number) for number in near} | rare.candidates) - {one.number}
        if not numbers:
            return []
        incidents = _incidents(self.connection, numbers, at)
        found = self._evidence(one, rare, list(incidents))
        best: dict[int, Fit] = {}
        for number, incident in incidents.items():
            party = -number if incident is None else incident
            score = found[number].score
            if score >= 0 and (party not in best or score > best[party].evidence.score):
                best[party] = Fit(incident, number, found[number])
        barred = _barred(self.connection, one.number)
        return sorted(
            (fit for fit in best.values() if fit.incident not in barred and self._is_supported(one, rare, fit)),
            key=lambda fit: -fit.evidence.score,
        )

    def nearly_fits(self, number: int, incident: int, but: int) -> bool:
        """Return whether a report by itself nearly fits most of an incident's other members.

        Without it one report that lies between two events would make one of them.
        """
        vectors = {} if self.window is None else self.window.vectors([number])
        one = Named(number, _signals(self.connection, [number])[number], vectors.get(number))
        members = [member for member in _members(self.connection, incident) if member != but]
        return self._nearly(one, self._rarity(one), members)

    def _is_supported(self, one: Named, rare: Rarity, fit: Fit) -> bool:
        return fit.incident is None or self._nearly(one, rare, _members(self.connection, fit.incident))

    def _nearly(self, one: Named, rare: Rarity, members: Sequence[int]) -> bool:
        found = self._evidence(one, rare, members)
        enough = sum(evidence.score >= -self.levels.slack for evidence in found.values())
        return enough >= self.levels.supported * len(members)

    def _rarity(self, one: Named) -> Rarity:
        holders, candidates = {}, set[int]()
        for signal in one.signals:
            asked = {"value": signal.value, "first": self.first, "number": one.number}
            rows = self.connection.execute(_HOLDERS, asked).all()
            parties = len({-row.escalation if row.incident is None else row.incident for row in rows})
            # Where more hold it than were looked at, it is as common among the others.
            holders[signal.value] = max(1, parties if len(rows) < MOST_HOLDERS or parties < COMMON else MOST_HOLDERS**2)
            if parties < COMMON:
                candidates |= {row.escalation for row in rows}
        return Rarity(holders, frozenset(candidates), max(1, one.number - self.first))

    def _evidence(self, one: Named, rare: Rarity, others: Sequence[int]) -> dict[int, Evidence]:
        named = _signals(self.connection, others)
        known = {} if self.window is None or one.vector is None else self.window.cosines(one.vector, others)
        return {
            other: weigh(one.signals, named[other], known.get(other), rare.holders, rare.reports, self.levels)
            for other in others
        }


def barred_from(connection: sa.Connection, incident: int, other: int) -> bool:
    """Return whether a person keeps a member of one incident out of the other."""
    statement = (
        sa.select(sa.literal(1))
        .join_from(INCIDENT_BARS, INCIDENT_MEMBERS, INCIDENT_BARS.c.escalation == INCIDENT_MEMBERS.c.escalation)
        .where(
            ((INCIDENT_MEMBERS.c.incident == incident) & (INCIDENT_BARS.c.incident == other))
            | ((INCIDENT_MEMBERS.c.incident == other) & (INCIDENT_BARS.c.incident == incident))
        )
        .limit(1)
    )
    return connection.execute(statement).scalar() is not None


def is_barred(connection: sa.Connection, escalation: int, incident: int) -> bool:
    """Return whether a person keeps a report out of an incident."""
    return incident in _barred(connection, escalation)


def _barred(connection: sa.Connection, escalation: int) -> set[int]:
    statement = sa.select(INCIDENT_BARS.c.incident).where(INCIDENT_BARS.c.escalation == escalation)
    return set(connection.execute(statement).scalars())


def _incidents(connection: sa.Connection, numbers: set[int], at: datetime) -> dict[int, int | None]:
    """Return the incident of each report that is kept and lies near in time; None for those that stand alone."""
    rows = connection.execute(_INCIDENTS, {"numbers": sorted(numbers)})
    return {row.number: row.incident for row in rows if abs(row.received_at - at) <= APART}


def _members(connection: sa.Connection, incident: int) -> list[int]:
    """Return the newest members of an incident."""
    return list(connection.execute(_MEMBERS, {"incident": incident}).scalars())


def _signals(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, list[Signal]]:
    """Return what each report names, in one order."""
    found: dict[int, list[Signal]] = defaultdict(list)
    for row in connection.execute(_SIGNALS, {"numbers": list(numbers)}):
        found[row.escalation].append(Signal(row.kind, row.value))
    return found


_HOLDERS = (
    sa.select(SIGNALS.c.escalation, INCIDENT_MEMBERS.c.incident)
    .outerjoin_from(SIGNALS, INCIDENT_MEMBERS, INCIDENT_MEMBERS.c.escalation == SIGNALS.c.escalation)
    .where(SIGNALS.c.value == sa.bindparam("value"), SIGNALS.c.escalation >= sa.bindparam("first"))
    .where(SIGNALS.c.escalation != sa.bindparam("number"))
    .order_by(SIGNALS.c.escalation.desc())
    .limit(MOST_HOLDERS)
)
_INCIDENTS = (
    sa.select(ESCALATIONS.c.number, ESCALATIONS.c.received_at, INCIDENT_MEMBERS.c.incident)
    .outerjoin_from(ESCALATIONS, INCIDENT_MEMBERS, INCIDENT_MEMBERS.c.escalation == ESCALATIONS.c.number)
    .where(ESCALATIONS.c.number.in_(sa.bindparam("numbers", expanding=True)))
)
_MEMBERS = (
    sa.select(INCIDENT_MEMBERS.c.escalation)
    .where(INCIDENT_MEMBERS.c.incident == sa.bindparam("incident"))
    .order_by(INCIDENT_MEMBERS.c.escalation.desc())
    .limit(ASKED)
)
_SIGNALS = sa.select(SIGNALS.c.escalation, SIGNALS.c.kind, SIGNALS.c.value).where(
    SIGNALS.c.escalation.in_(sa.bindparam("numbers", expanding=True))
)
