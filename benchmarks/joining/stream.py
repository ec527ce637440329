"""Labelled reports in; kept as the service keeps them, joined by the joiner; which are in one incident out."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks.joining.reports import Report
from riskmodel import RiskModel, read_escalation
from riskmodel.casebook import Casebook, Rated, Sent, digest_of, open_casebook, packed
from riskmodel.casebook.incident_tables import (
    CAMPAIGN_MEMBERS,
    CAMPAIGNS,
    INCIDENT_MEMBERS,
    INCIDENTS,
    POSITIONS,
    SIGNALS,
)
from riskmodel.casebook.tables import ESCALATIONS
from riskmodel.casework.incidents import Joiner, KeptSpaces
from riskmodel.casework.incidents.weighing import Levels

FIELDS = ("id", "text", "source", "market", "reporter", "received_at")


class _Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


class Stream:
    """A casebook that holds reports in the order of their arrival, to be joined again and again."""

    def __init__(self, model: RiskModel, casebook: Casebook, clock: _Clock, reports: Sequence[Report]) -> None:
        self._casebook = casebook
        KeptSpaces(casebook.database).keep(model.version, model.precedents.vectors)
        for report in sorted(reports, key=lambda one: one.received_at):
            clock.now = report.received_at
            casebook.keep([_rated(model, report)])
        self._last = clock.now

    def join(self, levels: Levels | None = None, *, vectors: bool = True) -> dict[str, int]:
        """Return the incident of each report that is in one, by its id; ``vectors``: whether they can be compared."""
        database = self._casebook.database
        for table in (CAMPAIGN_MEMBERS, CAMPAIGNS, INCIDENT_MEMBERS, INCIDENTS, POSITIONS, SIGNALS):
            database.write(lambda connection, table=table: connection.execute(sa.delete(table)))  # type: ignore[misc]
        spaces = KeptSpaces(database) if vectors else lambda _: None
        # An hour later, as the joiner waits for a version that nobody knows.
        Joiner(database, spaces, levels, lambda: self._last.replace(year=self._last.year + 1)).round()
        of = sa.select(ESCALATIONS.c.id, INCIDENT_MEMBERS.c.incident).join_from(
            INCIDENT_MEMBERS, ESCALATIONS, ESCALATIONS.c.number == INCIDENT_MEMBERS.c.escalation
        )
        rows = database.read(lambda connection: connection.execute(of).all())
        return {row.id: row.incident for row in rows}


@contextmanager
def streaming(model: RiskModel, reports: Sequence[Report]) -> Iterator[Stream]:
    """Keep reports in a scratch casebook until the block ends."""
    with tempfile.TemporaryDirectory(prefix="riskmodel-") as folder:
        clock = _Clock()
        casebook = open_casebook(f"sqlite:///{Path(folder) / 'casebook.db'}", clock)
        try:
            yield Stream(model, casebook, clock, reports)
        finally:
            casebook.close()


def joined_by_id(joined: dict[str, int]) -> dict[str, int]:
    """Return incidents by the reports' own ids; the casebook has them with their events, for those who look."""
    return {name.rpartition(".")[2]: incident for name, incident in joined.items()}


def _rated(model: RiskModel, report: Report) -> Rated:
    """Return a report as the service would keep it; rated by the model, with the vector that is here already."""
    fields = {name: getattr(report, name) for name in FIELDS} | {"id": f"{report.event}.{report.id}"}
    escalation = read_escalation(fields)
    (assessment,) = model.assess([escalation], report.received_at)
    sent = Sent(report.client, escalation, None, digest_of(escalation), None, None)
    document, at = assessment.model_dump_json(by_alias=True), report.received_at
    return Rated(sent, assessment, document, at, at, packed(report.vector))
