"""An incident whose members changed in, what follows from them made anew out: name words, rating, sources, credit."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.incident_tables import INCIDENT_EVENTS, INCIDENT_MEMBERS, INCIDENTS, SIGNALS
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS
from riskmodel.casework.incidents.independence import MOST_COMPARED, Origin, independent
from riskmodel.casework.incidents.records import JOINER, EventKind
from riskmodel.casework.incidents.signals import REPORTER, SOFT
from riskmodel.records import RATINGS
from riskmodel.review.corroborating import credit_sources

MOST_WORDS = 3
LEAST_SHARE = 0.5  # of the members that name a value which names the incident


def append_event(
    connection: sa.Connection,
    incident: int,
    at: datetime,
    actor: str,
    kind: EventKind,
    *,
    escalation: int | None = None,
    other: int | None = None,
    **evidence: Any,
) -> None:
    """Append to the timeline of an incident."""
    row = {
        "incident": incident,
        "at": at,
        "actor": actor,
        "kind": kind,
        "escalation": escalation,
        "other": other,
        "evidence": json.dumps(evidence, ensure_ascii=False),
    }
    connection.execute(sa.insert(INCIDENT_EVENTS).values(**row))


def refresh(connection: sa.Connection, incident: int, now: datetime) -> None:
    """Make anew what follows from the members of an incident, and bring its reviews forward if it is corroborated."""
    rows = connection.execute(_MEMBERS, {"incident": incident}).all()
    if not rows:
        connection.execute(
            sa.update(INCIDENTS).where(INCIDENTS.c.number == incident).values(reports=0, sources=0, stale=False)
        )
        return
    before = connection.execute(sa.select(INCIDENTS.c.sources).where(INCIDENTS.c.number == incident)).scalar_one()
    sources = len(sources_of(connection, incident))
    values = {
        "words": json.dumps(words(connection, incident, len(rows)), ensure_ascii=False),
        "category": Counter(row.category for row in rows).most_common(1)[0][0],
        "rating": max((row.rating for row in rows), key=RATINGS.index),
        "reports": len(rows),
        "stale": False,
        "sources": sources,
        "first_at": min(row.received_at for row in rows),
        "last_at": max(row.received_at for row in rows),
    }
    connection.execute(sa.update(INCIDENTS).where(INCIDENTS.c.number == incident).values(**values))
    if sources > max(before, 1):
        append_event(connection, incident, now, JOINER, "corroborated", sources=sources)
    credit_sources(connection, [row.escalation for row in rows], sources)


def sources_of(connection: sa.Connection, incident: int) -> list[Origin]:
    """Return the reports of an incident that count as independent sources."""
    rows = connection.execute(_ORIGINS, {"incident": incident})
    return independent([Origin(**row._mapping) for row in rows])


def words(connection: sa.Connection, incident: int, reports: int) -> Sequence[str]:
    """Return what most reports of an incident name, what identifies by itself first."""
    rows = connection.execute(_NAMED, {"incident": incident}).all()
    found = [row for row in rows if row.times > 1 and row.times >= LEAST_SHARE * reports]
    found.sort(key=lambda row: (row.kind in SOFT, row.value.isdigit(), -row.times, row.value))
    return [row.value for row in found[:MOST_WORDS]]


_LATER = ASSESSMENTS.alias("later")
_NEWEST = ~sa.exists().where(_LATER.c.escalation == ASSESSMENTS.c.escalation, _LATER.c.number > ASSESSMENTS.c.number)
_OF = INCIDENT_MEMBERS.c.incident == sa.bindparam("incident")
_MEMBERS = (
    sa.select(INCIDENT_MEMBERS.c.escalation, ESCALATIONS.c.received_at, ASSESSMENTS.c.category, ASSESSMENTS.c.rating)
    .join_from(INCIDENT_MEMBERS, ESCALATIONS, ESCALATIONS.c.number == INCIDENT_MEMBERS.c.escalation)
    .join(ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    .where(_OF, _NEWEST)
    .order_by(INCIDENT_MEMBERS.c.escalation)
)
_ORIGINS = (
    sa.select(
        ESCALATIONS.c.number.label("escalation"),
        *(ESCALATIONS.c[name] for name in ("client", "source", "reporter", "reliability", "credibility", "text")),
    )
    .join_from(INCIDENT_MEMBERS, ESCALATIONS, ESCALATIONS.c.number == INCIDENT_MEMBERS.c.escalation)
    .where(_OF)
    .order_by(ESCALATIONS.c.reporter.is_(None), ESCALATIONS.c.number)
    .limit(MOST_COMPARED)
)
_TIMES = sa.func.count().label("times")
_NAMED = (
    sa.select(SIGNALS.c.value, sa.func.min(SIGNALS.c.kind).label("kind"), _TIMES)
    .join_from(INCIDENT_MEMBERS, SIGNALS, SIGNALS.c.escalation == INCIDENT_MEMBERS.c.escalation)
    .where(_OF, SIGNALS.c.kind != REPORTER)
    .group_by(SIGNALS.c.value)
    .order_by(_TIMES.desc(), SIGNALS.c.value)
    .limit(10 * MOST_WORDS)
)
