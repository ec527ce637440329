"""A hand-off in, the messages that bring it to its team out, put down in the transaction that opens it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from riskmodel.calendars import Calendar
from riskmodel.casebook.tables import MESSAGES
from riskmodel.casework.contacts import Contacts
from riskmodel.casework.delivery import Channel, NewMessage
from riskmodel.casework.handoff_records import KIND, WITHDRAWAL, Handoff
from riskmodel.casework.links import make_link
from riskmodel.casework.outbox import put, withdraw
from riskmodel.catalogue import Catalogue, read_catalogue
from riskmodel.policy import Policy
from riskmodel.records import Language

WORDS = Path(__file__).with_name("words")
LINK_DAYS = 30  # that a link in a message opens its hand-off
PATH = "/handoffs/t/"


@cache
def words(language: Language) -> Catalogue:
    """Return the words of messages in a language."""
    return read_catalogue(WORDS, language)


def announce(
    connection: sa.Connection, handoff: Handoff, document: Mapping[str, Any], contacts: Contacts, policy: Policy
) -> None:
    """Have a hand-off sent to its team by every channel it has."""
    channels = contacts.channels_of(handoff.team)
    link = None
    if channels and contacts.base_url is not None:
        now, until = handoff.opened_at, handoff.opened_at + timedelta(days=LINK_DAYS)
        link = contacts.base_url + PATH + make_link(connection, KIND, handoff.number, handoff.escalation, until, now)
    payloads: dict[Channel, dict[str, Any]] = {
        "webhook": {
            "type": "handoff.opened",
            "timestamp": written(handoff.opened_at),
            "data": {**_facts(handoff), "link": link, **document},
        },
        "email": _letter(handoff, document, link, contacts, policy),
    }
    for channel in channels:
        message = NewMessage(KIND, handoff.number, handoff.escalation, channel, handoff.team, payloads[channel])
        put(connection, message, handoff.opened_at)


def take_back(connection: sa.Connection, handoff: Handoff, reason: str, contacts: Contacts, now: datetime) -> None:
    """Have nothing sent of a hand-off that was withdrawn; where something may have arrived, have the team told."""
    of_it = (MESSAGES.c.kind == KIND) & (MESSAGES.c.subject == handoff.number)
    tried = connection.execute(sa.select(MESSAGES.c.channel).where(of_it, MESSAGES.c.tries > 0)).scalars().all()
    withdraw(connection, KIND, handoff.number, now)
    t = words(contacts.language_of(handoff.team))
    payloads: dict[Channel, dict[str, Any]] = {
        "webhook": {
            "type": "handoff.withdrawn",
            "timestamp": written(now),
            "data": {**_facts(handoff), "reason": reason},
        },
        "email": {
            "subject": t("withdrawn.subject", number=handoff.number),
            "text": t("withdrawn.text", number=handoff.number, reason=reason or "–"),
        },
    }
    for channel in tried:
        message = NewMessage(WITHDRAWAL, handoff.number, handoff.escalation, channel, handoff.team, payloads[channel])
        put(connection, message, now)


def written(moment: datetime) -> str:
    """Return a moment as JSON has it."""
    return moment.isoformat().replace("+00:00", "Z")


def in_words(moment: datetime, team: str, policy: Policy) -> str:
    """Return a moment in UTC and, where the team's calendar has another zone, in its own time."""
    told = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    rule = policy.teams.get(team)
    calendar = policy.calendars.get(rule.calendar) if rule is not None else None
    if not isinstance(calendar, Calendar):
        return told
    return f"{told} ({moment.astimezone(ZoneInfo(calendar.time_zone)):%Y-%m-%d %H:%M} {calendar.time_zone})"


def _facts(handoff: Handoff) -> dict[str, Any]:
    return {
        "number": handoff.number,
        "team": handoff.team,
        "act_by": written(handoff.act_by),
        "opened_at": written(handoff.opened_at),
        "follows": handoff.follows,
    }


def _letter(
    handoff: Handoff, document: Mapping[str, Any], link: str | None, contacts: Contacts, policy: Policy
) -> dict[str, Any]:
    t = words(contacts.language_of(handoff.team))
    values = {
        "number": handoff.number,
        "rating": t.name("ratings", handoff.rating),
        "category": t.name("categories", handoff.category),
        "market": handoff.market or t("opened.no_market"),
        "act_by": in_words(handoff.act_by, handoff.team, policy),
    }
    assessment = document["assessment"]
    parts = [
        t("opened.text", **values),
        t("opened.link", link=link) if link else t("opened.no_link"),
        t("opened.why", summary=assessment["explanation"]["summary"], rule=assessment["explanation"]["rule"]),
    ]
    if document["note"]:
        parts.append(t("opened.note", note=document["note"]))
    parts.append(t("opened.report", report=document["escalation"]["text"]))
    return {"subject": t("opened.subject", **values), "text": "\n\n".join(parts) + "\n"}
