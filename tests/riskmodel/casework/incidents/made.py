"""Reports whose vectors are made, kept and joined, and what came of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from riskmodel.casebook import AuditEvent, Casebook, packed
from riskmodel.casebook.incident_tables import INCIDENT_EVENTS, INCIDENT_MEMBERS
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.casework.incidents import Editing, Event, Filters, Incident, Incidents, Joiner
from riskmodel.casework.incidents.spaces import Space
from tests.riskmodel.casebook.made import NOON, make_rated

DIMENSIONS = 384
LATER = datetime(2027, 1, 1, tzinfo=UTC)  # so late that no number can be missing any more
PLAIN = Space("v1", np.zeros(DIMENSIONS, np.float32), np.eye(DIMENSIONS, dtype=np.float32))


def story(seed: int) -> NDArray[np.float32]:
    """Return the vector of a story: nearly at right angles to any other's."""
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def told(seed: int, cosine: float = 0.9, by: int = 1_000) -> NDArray[np.float32]:
    """Return the vector of a story as somebody else tells it."""
    original, noise = story(seed), story(by)
    noise = noise - (noise @ original) * original
    return cosine * original + np.float32(np.sqrt(1 - cosine**2)) * noise / np.linalg.norm(noise)


class Reports:
    """A casebook that reports are added to, and its joiner."""

    def __init__(self, casebook: Casebook) -> None:
        self.casebook = casebook
        self.incidents, self.editing = Incidents(casebook.database), Editing(casebook.database)
        self.joiner = self.new_joiner()

    def new_joiner(self, **changes: Any) -> Joiner:
        """Return the joiner of another process."""
        arguments = {"spaces": lambda version: PLAIN if version == "v1" else None, "clock": lambda: LATER} | changes
        return Joiner(self.casebook.database, **arguments)

    def add(self, id_: str, vector: NDArray[np.float32] | None = None, *, hours: float = 0, **changes: Any) -> int:
        """Keep a report, and return the number of its case."""
        kept = None if vector is None else packed(vector)
        client = changes.get("client", "desk")
        text = changes.pop("text", f"nothing is named here, says {id_}")
        received_at = NOON + timedelta(hours=hours)
        self.casebook.keep([make_rated(id_, vector=kept, text=text, received_at=received_at, **changes)])
        return self.casebook.get(id_, client).number

    def groups(self) -> list[list[str]]:
        """Return which reports are together, by their ids."""
        rows = self._all(sa.select(INCIDENT_MEMBERS.c.incident, INCIDENT_MEMBERS.c.escalation))
        names = self.ids()
        groups: dict[int, list[str]] = {}
        for row in rows:
            groups.setdefault(row.incident, []).append(names[row.escalation])
        return sorted(sorted(group) for group in groups.values())

    def ids(self) -> dict[int, str]:
        """Return the ids of all reports by their numbers."""
        return {row.number: row.id for row in self._all(sa.select(ESCALATIONS.c.number, ESCALATIONS.c.id))}

    def only(self) -> Incident:
        """Return the one incident that there is."""
        (incident,) = self.incidents.page(Filters(), None, 10).incidents
        return incident

    def timeline(self) -> tuple[Event, ...]:
        """Return the events of the one incident that there is."""
        return self.incidents.get(self.only().number).events

    def events(self) -> list[Any]:
        """Return all that happened to incidents, in order."""
        return self._all(sa.select(INCIDENT_EVENTS).order_by(INCIDENT_EVENTS.c.number))

    def _all(self, statement: Any) -> list[Any]:
        return list(self.casebook.database.read(lambda connection: connection.execute(statement).all()))


def by(actor: str, action: str = "edit incident") -> AuditEvent:
    return AuditEvent(LATER, actor, None, "analyst", action, "incident", None)
