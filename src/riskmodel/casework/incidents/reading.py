"""Filters, a cursor or a number in; pages of incidents and campaigns, and each with all that is known of it, out."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.incident_tables import (
    CAMPAIGN_MEMBERS,
    CAMPAIGNS,
    INCIDENT_EVENTS,
    INCIDENT_MEMBERS,
    INCIDENTS,
)
from riskmodel.casebook.paging import read_cursor, write_cursor
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS
from riskmodel.casework.incidents.records import (
    Campaign,
    CampaignCase,
    CampaignPage,
    Event,
    Evidence,
    Filters,
    Incident,
    IncidentCase,
    IncidentPage,
    Member,
    Shared,
    UnknownIncidentError,
)
from riskmodel.casework.incidents.refreshing import sources_of

MOST_MEMBERS = 200  # of one incident or campaign that are shown, the newest
MOST_EVENTS = 500  # of one incident that are shown, the newest


class Incidents:
    """What was joined; threads may share it.

    Every method may raise :class:`~riskmodel.errors.CasebookUnavailableError`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, filters: Filters, cursor: str | None, limit: int) -> IncidentPage:
        """Return the incidents of two reports and more that pass, those with the newest report first.

        Raises:
            CursorError: if the cursor is not one that a page gave out.
        """
        statement = sa.select(*_INCIDENT).where(*_conditions(filters))
        rows, following = self._database.read(lambda connection: _page(connection, statement, INCIDENTS, cursor, limit))
        return IncidentPage(tuple(_incident(row) for row in rows), following)

    def campaigns(self, cursor: str | None, limit: int) -> CampaignPage:
        """Return the campaigns, those with the newest report first.

        Raises:
            CursorError: if the cursor is not one that a page gave out.
        """
        statement = sa.select(*_CAMPAIGN).where(CAMPAIGNS.c.reports > 0)
        rows, following = self._database.read(lambda connection: _page(connection, statement, CAMPAIGNS, cursor, limit))
        return CampaignPage(tuple(_campaign(row) for row in rows), following)

    def get(self, number: int) -> IncidentCase:
        """Return an incident with its newest members and events; one that was merged, as it is now, has neither.

        Raises:
            UnknownIncidentError: if there is none of that number.
        """
        return self._database.read(lambda connection: read_case(connection, number))

    def campaign(self, number: int) -> CampaignCase:
        """Return a campaign with its newest reports.

        Raises:
            UnknownIncidentError: if there is none of that number.
        """

        def work(connection: sa.Connection) -> CampaignCase:
            row = connection.execute(sa.select(*_CAMPAIGN).where(CAMPAIGNS.c.number == number)).one_or_none()
            if row is None:
                raise UnknownIncidentError("A campaign: found no such number, expected that of one that is kept.")
            of = sa.select(CAMPAIGN_MEMBERS.c.escalation).where(CAMPAIGN_MEMBERS.c.campaign == number)
            newest = of.order_by(CAMPAIGN_MEMBERS.c.escalation.desc()).limit(MOST_MEMBERS)
            numbers = list(connection.execute(newest).scalars())
            return CampaignCase(_campaign(row), tuple(_members(connection, numbers, frozenset())))

        return self._database.read(work)

    def of(self, escalation: int) -> Incident | None:
        """Return the incident that an escalation, by its number, is in with others."""
        statement = (
            sa.select(*_INCIDENT)
            .join_from(INCIDENT_MEMBERS, INCIDENTS, INCIDENTS.c.number == INCIDENT_MEMBERS.c.incident)
            .where(INCIDENT_MEMBERS.c.escalation == escalation, INCIDENTS.c.reports > 1)
        )
        row = self._database.read(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else _incident(row)

    def campaign_of(self, escalation: int) -> Campaign | None:
        """Return the campaign that an escalation, by its number, is in."""
        statement = (
            sa.select(*_CAMPAIGN)
            .join_from(CAMPAIGN_MEMBERS, CAMPAIGNS, CAMPAIGNS.c.number == CAMPAIGN_MEMBERS.c.campaign)
            .where(CAMPAIGN_MEMBERS.c.escalation == escalation)
        )
        row = self._database.read(lambda connection: connection.execute(statement).one_or_none())
        return None if row is None else _campaign(row)


def read_incident(connection: sa.Connection, number: int) -> Incident:
    """Return an incident.

    Raises:
        UnknownIncidentError: if there is none of that number.
    """
    row = connection.execute(sa.select(*_INCIDENT).where(INCIDENTS.c.number == number)).one_or_none()
    if row is None:
        raise UnknownIncidentError("An incident: found no such number, expected that of one that is kept.")
    return _incident(row)


def read_case(connection: sa.Connection, number: int) -> IncidentCase:
    """Return an incident with its newest members and events."""
    incident = read_incident(connection, number)
    of = sa.select(INCIDENT_MEMBERS.c.escalation).where(INCIDENT_MEMBERS.c.incident == number)
    numbers = connection.execute(of.order_by(INCIDENT_MEMBERS.c.escalation.desc()).limit(MOST_MEMBERS)).scalars()
    counted = frozenset(origin.escalation for origin in sources_of(connection, number))
    events = connection.execute(_EVENTS, {"incident": number}).all()
    return IncidentCase(
        incident, tuple(_members(connection, list(numbers), counted)), tuple(_event(row) for row in reversed(events))
    )


def _page(
    connection: sa.Connection, statement: "sa.Select[Any]", table: sa.Table, cursor: str | None, limit: int
) -> tuple[Sequence[Any], str | None]:
    last_at, number = table.c.last_at, table.c.number
    if cursor is not None:
        last_number, last = read_cursor(cursor)
        place = sa.tuple_(sa.literal(last, last_at.type), sa.literal(last_number))
        statement = statement.where(sa.tuple_(last_at, number) < place)
    rows = connection.execute(statement.order_by(last_at.desc(), number.desc()).limit(limit + 1)).all()
    more = len(rows) > limit
    return rows[:limit], write_cursor(rows[limit - 1].number, rows[limit - 1].last_at) if more else None


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [INCIDENTS.c.reports > 1]
    for name in ("category", "rating"):
        if (value := getattr(filters, name)) is not None:
            found.append(INCIDENTS.c[name] == value)
    if filters.corroborated is not None:
        found.append(INCIDENTS.c.sources > 1 if filters.corroborated else INCIDENTS.c.sources <= 1)
    if filters.seen_from is not None:
        found.append(INCIDENTS.c.last_at >= filters.seen_from)
    if filters.seen_before is not None:
        found.append(INCIDENTS.c.last_at < filters.seen_before)
    return found


def _incident(row: Any) -> Incident:
    return Incident(**{**row._mapping, "words": tuple(json.loads(row.words))})


def _campaign(row: Any) -> Campaign:
    return Campaign(**{**row._mapping, "words": tuple(json.loads(row.words))})


def _event(row: Any) -> Event:
    details = json.loads(row.evidence)
    shared = details.pop("shared", None)
    evidence = None
    if shared is not None:
        evidence = Evidence(details.pop("score"), tuple(Shared(**one) for one in shared))
    return Event(**{**row._mapping, "evidence": evidence}, details=details)


def _members(connection: sa.Connection, numbers: Sequence[int], counted: frozenset[int]) -> list[Member]:
    """Return reports in the order of their numbers as given."""
    rows = {row.escalation: row for row in connection.execute(_MEMBERS, {"numbers": list(numbers)})}
    return [Member(**rows[number]._mapping, counted=number in counted) for number in numbers if number in rows]


_INCIDENT = [INCIDENTS.c[field.name] for field in fields(Incident)]
_CAMPAIGN = [CAMPAIGNS.c[field.name] for field in fields(Campaign)]
_OTHER = ESCALATIONS.alias("other_escalation")
_EVENTS = (
    sa.select(
        *(INCIDENT_EVENTS.c[name] for name in ("number", "incident", "at", "actor", "kind", "escalation", "other")),
        INCIDENT_EVENTS.c.evidence,
        ESCALATIONS.c.id,
        _OTHER.c.id.label("other_id"),
    )
    .outerjoin_from(INCIDENT_EVENTS, ESCALATIONS, ESCALATIONS.c.number == INCIDENT_EVENTS.c.escalation)
    .outerjoin(_OTHER, _OTHER.c.number == INCIDENT_EVENTS.c.other)
    .where(INCIDENT_EVENTS.c.incident == sa.bindparam("incident"))
    .order_by(INCIDENT_EVENTS.c.number.desc())
    .limit(MOST_EVENTS)
)
_LATER = ASSESSMENTS.alias("later")
_REVIEW = (
    sa.select(sa.func.max(REVIEWS.c.number))
    .where(REVIEWS.c.escalation == ESCALATIONS.c.number, REVIEWS.c.purpose.in_(("review", "audit")))
    .scalar_subquery()
)
_MEMBERS = (
    sa.select(
        ESCALATIONS.c.number.label("escalation"),
        *(
            ESCALATIONS.c[name]
            for name in ("client", "id", "source", "reporter", "reliability", "credibility", "market", "received_at")
        ),
        ASSESSMENTS.c.language,
        ASSESSMENTS.c.rating,
        ASSESSMENTS.c.category,
        ESCALATIONS.c.text,
        sa.func.coalesce(INCIDENT_MEMBERS.c.joined_at, ESCALATIONS.c.kept_at).label("joined_at"),
        sa.func.coalesce(INCIDENT_MEMBERS.c.actor, "").label("actor"),
        _REVIEW.label("review"),
    )
    .join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    .outerjoin(INCIDENT_MEMBERS, INCIDENT_MEMBERS.c.escalation == ESCALATIONS.c.number)
    .where(
        ESCALATIONS.c.number.in_(sa.bindparam("numbers", expanding=True)),
        ~sa.exists().where(_LATER.c.escalation == ASSESSMENTS.c.escalation, _LATER.c.number > ASSESSMENTS.c.number),
    )
)
