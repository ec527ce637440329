"""Independent sources corroborate: others' words, not copies; and what is corroborated rises in the queue."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.casebook.tables import REVIEWS
from riskmodel.casework.incidents.independence import MOST_SOURCES, Origin, independent
from riskmodel.review.entering import row_of
from riskmodel.review.ordering import SOURCES_CREDIT_HOURS, order_at, sources_credit
from tests.riskmodel.casebook.made import NOON, make_rated
from tests.riskmodel.casework.incidents.made import Reports, story, told

TEXTS = (
    "A man in the harbour sells unmarked pistols out of a blue van every evening",
    "my cousin saw somebody with guns in a van by the boats, he goes there at night",
    "Vende armas de fuego sin papeles desde una camioneta azul junto al puerto",
)


def origin(at: int, **changes: Any) -> Origin:
    fields: dict[str, Any] = {
        "escalation": at,
        "client": "app",
        "source": "user_report",
        "reporter": f"u-{at}",
        "reliability": None,
        "credibility": None,
        "text": TEXTS[at % 3],
    }
    return Origin(**fields | changes)


@pytest.mark.parametrize(
    ("one", "other", "sources"),
    [
        ({}, {}, 2),
        ({"reporter": "u"}, {"reporter": "u"}, 1),
        ({"reporter": "u"}, {"reporter": "u", "client": "hotline"}, 2),
        ({"reporter": None}, {"reporter": None}, 1),
        ({"reporter": None}, {}, 1),
        ({"reporter": None}, {"reporter": None, "source": "press"}, 2),
        ({"reporter": None}, {"reporter": None, "source": None}, 1),
        ({}, {"text": TEXTS[0]}, 1),
        ({}, {"text": f"Please read this. {TEXTS[0]}!"}, 1),
        ({}, {"reliability": "E"}, 1),
        ({}, {"credibility": 5}, 1),
        ({}, {"reliability": "F", "credibility": 6}, 2),
    ],
)
def test_two_reports_are_two_sources_unless_they_may_be_one(
    one: dict[str, Any], other: dict[str, Any], sources: int
) -> None:
    found = independent([origin(0, **one), origin(1, **other)])

    assert len(found) == sources


def test_those_who_can_be_told_apart_count_though_somebody_unknown_came_first() -> None:
    found = independent([origin(0, reporter=None), origin(1), origin(2)])

    assert [one.escalation for one in found] == [1, 2]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["u", "v", None]), st.integers(0, 2)), max_size=12))
def test_every_two_that_count_are_independent_and_there_are_never_too_many(
    drawn: list[tuple[str, str | None, int]],
) -> None:
    origins = [
        origin(at, client=client, reporter=reporter, text=TEXTS[text])
        for at, (client, reporter, text) in enumerate(drawn)
    ]

    found = independent(origins)

    assert len(found) <= min(MOST_SOURCES, len(origins), 3)
    assert len({(one.client, one.reporter, one.text) for one in found}) == len(found)


def test_the_credit_of_sources_grows_and_is_bounded() -> None:
    credits = [sources_credit(count).total_seconds() / 3600 for count in range(0, 12)]

    assert credits[:4] == [0, 0, 3, 4]
    assert credits == sorted(credits)
    assert max(credits) < SOURCES_CREDIT_HOURS
    assert order_at(NOON, 0.5, 2) == NOON - timedelta(hours=15)


def test_a_corroborated_incident_rises_in_the_queue_and_says_so(reports: Reports) -> None:
    numbers = [
        reports.add("one", story(1), text=TEXTS[0], reporter="u-1"),
        reports.add("two", told(1, by=2), text=TEXTS[1], reporter="u-2"),
    ]
    queue(reports, numbers)
    before = orders(reports)

    reports.joiner.round()
    reports.add("copy", told(1, by=3), text=TEXTS[0], reporter="u-3")
    reports.joiner.round()

    incident = reports.only()
    assert (incident.reports, incident.sources, incident.corroborated) == (3, 2, True)
    assert [at - then for at, then in zip(before, orders(reports), strict=True)] == [timedelta(hours=3)] * 2
    assert [event.details for event in reports.timeline() if event.kind == "corroborated"] == [{"sources": 2}]
    assert [member.id for member in reports.incidents.get(incident.number).members if member.counted] == ["two", "one"]


def queue(reports: Reports, numbers: list[int]) -> None:
    rows = [row_of(make_rated("x"), "review", 1.0, NOON) | {"escalation": number} for number in numbers]
    reports.casebook.database.write(lambda connection: connection.execute(sa.insert(REVIEWS), rows))


def orders(reports: Reports) -> list[Any]:
    statement = sa.select(REVIEWS.c.order_at).order_by(REVIEWS.c.number)
    return list(reports.casebook.database.read(lambda connection: connection.execute(statement).scalars().all()))
