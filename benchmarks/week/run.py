"""A seed and a number of escalations in, a week of the desk lived through and accounted for out."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from benchmarks.texts import ROOT
from benchmarks.week.arrivals import CAMPAIGN_NAME, DAYS, Arrival, arrivals
from benchmarks.week.desk import Clock, Week
from benchmarks.week.teams import SECRET, Inbox, Places, teams_listening
from riskmodel import load_model, load_policy
from riskmodel.casebook import open_casebook
from riskmodel.casebook.incident_tables import CAMPAIGN_MEMBERS, CAMPAIGNS, INCIDENT_MEMBERS
from riskmodel.casebook.tables import ATTEMPTS, ESCALATIONS, HANDOFFS, MESSAGES, REVIEWS, VERDICTS
from riskmodel.casework import Automatic, Contacts
from riskmodel.casework.incidents import Joiner, KeptSpaces
from riskmodel.review import Entering, ReviewSettings
from training.dataset import SPLITS, read_labelled
from training.progress import progress

SEED = 7
START = datetime(2026, 11, 9, tzinfo=UTC)  # a Monday
AFTERWARDS = timedelta(days=2)  # for what came in at the end of the week
OUTAGES = {  # of a channel, from so long after the beginning, for so long
    "webhook": (timedelta(days=1, hours=14), timedelta(hours=6)),
    "email": (timedelta(days=4, hours=9), timedelta(hours=9)),
}
BY_WEBHOOK = ("crisis_response", "child_protection", "abuse_response", "fraud_operations")
BY_EMAIL = ("privacy_and_accounts",)


def measure_week(folder: Path, database: Path, count: int, seed: int = SEED) -> dict[str, Any]:
    """Live through a week and return what became of everything.

    Args:
        folder: of the model.
        database: a file that does not exist yet; the week's casebook stays there.
        count: escalations.
        seed: of the arrivals and of what people do.
    """
    began = time.perf_counter()
    policy = load_policy()
    model = load_model(folder, policy)
    coming = arrivals(read_labelled(ROOT / SPLITS["train"], policy), count, START, seed)
    clock = Clock(START)

    def is_down(channel: str) -> bool:
        since, span = OUTAGES[channel]
        return START + since <= clock.now < START + since + span

    inbox = Inbox(is_down)
    with teams_listening(inbox, clock) as places:
        contacts = _contacts(places)
        automatic = Automatic(policy, contacts)
        draw = Random(seed)
        entering = Entering(ReviewSettings(), draw)
        casebook = open_casebook(f"sqlite:///{database}", clock, entering, automatic.kept)
        spaces = KeptSpaces(casebook.database)
        spaces.keep(model.version, model.precedents.vectors)
        joiner = Joiner(casebook.database, spaces, clock=clock)
        week = Week(model, casebook, contacts, inbox, clock, joiner, automatic, draw)
        try:
            with progress("A week of the desk") as report:
                week.live(coming, START + timedelta(days=DAYS) + AFTERWARDS, lambda done, all_: report(done, all_, ""))
            found = casebook.database.read(lambda connection: _account(connection, coming, inbox))
        finally:
            casebook.close()
    return found | {"reminders": week.reminders, "seconds": round(time.perf_counter() - began, 1), "seed": seed}


def _contacts(places: Places) -> Contacts:
    teams: dict[str, Any] = {name: {"webhook": places.webhook, "secrets": [SECRET]} for name in BY_WEBHOOK}
    teams |= {name: {"email": f"{name}@teams.example"} for name in BY_EMAIL}
    return Contacts.model_validate(
        {
            "base_url": "https://desk.example",
            "private_addresses": True,
            "handoffs": {"accepted_from": "high", "decided_from": "medium"},
            "smtp": {"host": "127.0.0.1", "port": places.smtp_port, "sender": "desk@desk.example"},
            "teams": teams,
        }
    )


def _account(connection: sa.Connection, coming: Sequence[Arrival], inbox: Inbox) -> dict[str, Any]:
    """Return where everything is."""

    def by(column: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]) -> dict[str, int]:
        statement = sa.select(column, sa.func.count()).where(*conditions).group_by(column)
        return {str(name): int(count) for name, count in connection.execute(statement)}

    ids = [f"week-{at:05}" for at in range(len(coming))]
    kept = {
        str(id_): int(number) for id_, number in connection.execute(sa.select(ESCALATIONS.c.id, ESCALATIONS.c.number))
    }
    sent = set(connection.execute(sa.select(MESSAGES.c.id).where(MESSAGES.c.state == "sent")).scalars())
    arrived = Counter(inbox.ids)
    ended = sa.func.count().filter(HANDOFFS.c.state == "mitigated", HANDOFFS.c.ended_at <= HANDOFFS.c.act_by)
    return {
        "escalations": len(coming),
        "lost": sum(one not in kept for one in ids),
        "reviews": by(REVIEWS.c.state),
        "verdicts": by(VERDICTS.c.kind),
        "handoffs": by(HANDOFFS.c.state),
        "handoffs mitigated in time": int(connection.execute(sa.select(ended)).scalar_one()),
        "messages": by(MESSAGES.c.state),
        "attempts": by(ATTEMPTS.c.outcome),
        "attempts turned away in outages": inbox.turned_away,
        "deliveries lost": len(sent - set(arrived)),
        "deliveries nobody sent": len(set(arrived) - sent),
        "deliveries twice": sum(count - 1 for count in arrived.values()),
        "incidents": _incidents(connection, coming, kept),
        "campaign": _campaign(connection, coming, kept),
    }


def _incidents(connection: sa.Connection, coming: Sequence[Arrival], kept: dict[str, int]) -> dict[str, Any]:
    """Return how well reports of one event were joined, over pairs; the campaign is left out."""
    rows = connection.execute(sa.select(INCIDENT_MEMBERS.c.escalation, INCIDENT_MEMBERS.c.incident))
    incident = {int(escalation): int(number) for escalation, number in rows}
    events: dict[str, list[int]] = {}
    joined: dict[int, list[int]] = {}
    for at, arrival in enumerate(coming):
        number = kept.get(f"week-{at:05}")
        if number is None or arrival.event == CAMPAIGN_NAME:
            continue
        if arrival.event is not None:
            events.setdefault(arrival.event, []).append(number)
        if number in incident:
            joined.setdefault(incident[number], []).append(number)
    true = {pair for members in events.values() for pair in combinations(sorted(members), 2)}
    said = {pair for members in joined.values() for pair in combinations(sorted(members), 2)}
    right = len(true & said)
    precision, recall = right / max(1, len(said)), right / max(1, len(true))
    return {
        "events told by several": len(events),
        "pairs": len(true),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "F1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
    }


def _campaign(connection: sa.Connection, coming: Sequence[Arrival], kept: dict[str, int]) -> dict[str, Any]:
    """Return whether, how soon and how completely the campaign was found, and how many there were that were none."""
    true = {kept[f"week-{at:05}"]: one for at, one in enumerate(coming) if one.event == CAMPAIGN_NAME}
    rows = connection.execute(sa.select(CAMPAIGN_MEMBERS.c.escalation, CAMPAIGN_MEMBERS.c.campaign)).all()
    sizes = Counter(int(campaign) for escalation, campaign in rows if int(escalation) in true)
    if not sizes:
        return {"found": False, "campaigns found": len({campaign for _, campaign in rows})}
    number, hits = sizes.most_common(1)[0]
    opened, name = connection.execute(
        sa.select(CAMPAIGNS.c.opened_at, CAMPAIGNS.c.words).where(CAMPAIGNS.c.number == number)
    ).one()
    first = min(one.at for one in true.values())
    before = sum(one.at <= opened for one in true.values())
    return {
        "found": True,
        "hours after its first report": round((opened - first).total_seconds() / 3_600, 1),
        "reports until then": before,
        "reports": len(true),
        "recall": round(hits / len(true), 3),
        "precision": round(hits / sum(int(campaign) == number for _, campaign in rows), 3),
        "named after": name,
        "campaigns found": len({campaign for _, campaign in rows}),
    }
