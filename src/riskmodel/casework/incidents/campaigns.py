"""A report and all that is alike in, a campaign out where there are more within a day than the usual rate explains."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from riskmodel.casebook.incident_tables import CAMPAIGN_MEMBERS, CAMPAIGNS, SIGNALS
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS
from riskmodel.casework.incidents.arrivals import Arrival
from riskmodel.casework.incidents.chance import chance_of_at_least
from riskmodel.casework.incidents.naming import distinctive_words
from riskmodel.casework.incidents.signals import SOFT
from riskmodel.casework.incidents.window import Near, Window

SHORT = timedelta(days=1)  # within which many are a campaign
LEAST = 8  # reports; fewer are an incident
MOST_CHANCE = 1e-6  # that the usual rate gives so many: asked at each report, so once in a million reports by chance
LEAST_BEFORE = 100  # reports, before that day: with fewer nobody knows what is usual
GOES_ON = timedelta(days=3)  # a campaign without a report for so long is over
LINKED = 0.5  # of what is alike lately that is in a campaign, for a report to belong to it
OTHERS = 500  # recent texts that a name is told from
MOST_ALIKE = 500  # recent reports that are looked at one by one, the newest: a flood must not hold up the desk
MOST_NAMED = 100  # texts that are looked at for a name


def look_for_campaign(connection: sa.Connection, arrival: Arrival, near: Near, window: Window, now: datetime) -> None:
    """Find the campaign of a report, or open one, within the transaction that joins it.

    The usual rate is the share of what is alike among all reports before; so a day on which everything doubles is none.
    """
    at = arrival.received_at.timestamp()
    begin = at - SHORT.total_seconds()
    earlier = near.alike <= arrival.number  # the window holds some that come later
    recent = near.alike[earlier & (near.alike_at > begin) & (near.alike_at <= at)]
    before = int((earlier & (near.alike_at <= begin)).sum())
    if len(recent) < LEAST:
        return
    numbers = [int(number) for number in recent[-MOST_ALIKE:]]
    here = _campaign_of(connection, numbers, arrival.received_at)
    if here is not None:
        _add(connection, here, [arrival.number], arrival.received_at)
        return
    all_before, all_recent = window.since(float("-inf"), begin), window.since(begin, at + 1e-6)
    if all_before < LEAST_BEFORE:
        return
    expected = expected_alike(before, all_before, all_recent)
    chance = chance_of_at_least(len(recent), expected)
    if chance > MOST_CHANCE:
        return
    number = _open(connection, arrival, numbers, expected, chance, now)
    _add(connection, number, numbers, arrival.received_at)


def expected_alike(before: int, all_before: int, all_recent: int) -> float:
    """Return how many alike the usual rate explains among the recent ones; one more than were seen, to be careful."""
    return (before + 1) * all_recent / all_before


def _campaign_of(connection: sa.Connection, alike: Sequence[int], at: datetime) -> int | None:
    """Return the campaign that goes on and that most of what is alike belongs to."""
    rows = connection.execute(
        sa.select(CAMPAIGN_MEMBERS.c.campaign, sa.func.count())
        .join_from(CAMPAIGN_MEMBERS, CAMPAIGNS, CAMPAIGNS.c.number == CAMPAIGN_MEMBERS.c.campaign)
        .where(CAMPAIGN_MEMBERS.c.escalation.in_(alike), CAMPAIGNS.c.last_at >= at - GOES_ON)
        .group_by(CAMPAIGN_MEMBERS.c.campaign)
    ).all()
    best = max(rows, key=lambda row: row[1], default=None)
    return None if best is None or best[1] < LINKED * (len(alike) - 1) else int(best[0])


def _add(connection: sa.Connection, campaign: int, numbers: Sequence[int], at: datetime) -> None:
    free = sa.select(ESCALATIONS.c.number).where(
        ESCALATIONS.c.number.in_(numbers),
        ~sa.exists().where(CAMPAIGN_MEMBERS.c.escalation == ESCALATIONS.c.number),
    )
    rows = [{"escalation": number, "campaign": campaign} for number in connection.execute(free).scalars()]
    if rows:
        connection.execute(sa.insert(CAMPAIGN_MEMBERS), rows)
    here = CAMPAIGNS.c.number == campaign
    last = sa.select(CAMPAIGNS.c.last_at).where(here)
    values = {"reports": CAMPAIGNS.c.reports + len(rows), "last_at": max(at, connection.execute(last).scalar_one())}
    connection.execute(sa.update(CAMPAIGNS).where(here).values(**values))


def _open(
    connection: sa.Connection, arrival: Arrival, numbers: Sequence[int], expected: float, chance: float, now: datetime
) -> int:
    rows = connection.execute(_REPORTS, {"numbers": list(numbers)}).all()
    values = {
        "words": json.dumps(_name(connection, numbers, [row.text for row in rows]), ensure_ascii=False),
        "category": Counter(row.category for row in rows).most_common(1)[0][0],
        "reports": 0,
        "seen": len(numbers),
        "expected": expected,
        "chance": chance,
        "opened_at": now,
        "first_at": min(row.received_at for row in rows),
        "last_at": max(row.received_at for row in rows),
    }
    number: int = connection.execute(sa.insert(CAMPAIGNS).values(**values).returning(CAMPAIGNS.c.number)).scalar_one()
    return number


def _name(connection: sa.Connection, numbers: Sequence[int], texts: Sequence[str]) -> Sequence[str]:
    """Return the link or account that most reports name, then the words that tell their texts from others."""
    times = sa.func.count().label("times")
    named = connection.execute(
        sa.select(SIGNALS.c.value, times)
        .where(SIGNALS.c.escalation.in_(numbers), SIGNALS.c.kind.not_in(SOFT))
        .group_by(SIGNALS.c.value)
        .order_by(times.desc(), SIGNALS.c.value)
        .limit(1)
    ).one_or_none()
    others = connection.execute(_OTHERS, {"numbers": list(numbers)}).scalars()
    words = distinctive_words(texts[:MOST_NAMED], others)
    common = [named.value] if named is not None and named.times > LINKED * len(numbers) else []
    return [*common, *words][:3]


_LATER = ASSESSMENTS.alias("later")
_REPORTS = (
    sa.select(ESCALATIONS.c.text, ESCALATIONS.c.received_at, ASSESSMENTS.c.category)
    .join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    .where(
        ESCALATIONS.c.number.in_(sa.bindparam("numbers", expanding=True)),
        ~sa.exists().where(_LATER.c.escalation == ASSESSMENTS.c.escalation, _LATER.c.number > ASSESSMENTS.c.number),
    )
    .order_by(ESCALATIONS.c.number)
)
_OTHERS = (
    sa.select(ESCALATIONS.c.text)
    .where(ESCALATIONS.c.number.not_in(sa.bindparam("numbers", expanding=True)))
    .order_by(ESCALATIONS.c.number.desc())
    .limit(OTHERS)
)
