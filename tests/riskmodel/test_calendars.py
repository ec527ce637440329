"""A calendar counts the hours when a team works, and no others."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from riskmodel.calendars import DAYS, Calendar, local_span, week_of

AMERICAS = (
    "America/Argentina/Buenos_Aires",
    "America/Bogota",
    "America/Mexico_City",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
)
OFFICE = {"mon-fri": "09:00-12:00, 13:00-18:00", "sat": "09:00-13:00"}
AROUND_THE_CLOCK = {"mon-sun": "00:00-24:00"}
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def calendar(zone: str = "America/Bogota", hours: dict[str, str] = OFFICE, **more: object) -> Calendar:
    return Calendar.model_validate({"time_zone": zone, "hours": hours, **more})


def in_zone(zone: str, *moment: int) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[misc]


def is_open(team: Calendar, moment: datetime, *, at_the_end: bool = False) -> bool:
    """Return whether the clock on the wall shows hours of the team: what the calendar means, written down plainly."""
    local = moment.astimezone(ZoneInfo(team.time_zone))
    minute = local.hour * 60 + local.minute + (local.second + local.microsecond / 1e6) / 60
    days = [(local.date(), minute)] + ([(local.date() - timedelta(days=1), minute + 1440)] if at_the_end else [])
    return any(
        opens <= shown < closes or (at_the_end and shown == closes)
        for day, shown in days
        if day not in team.closed
        for opens, closes in week_of(team.hours)[day.weekday()]
    )


moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
calmly = settings(deadline=None, max_examples=50)  # the first of a year takes longer
zones = st.sampled_from(AMERICAS)
weeks = st.sampled_from(
    [OFFICE, AROUND_THE_CLOCK, {"sun": "01:30-03:30"}, {"mon-sun": "00:00-00:45, 02:30-03:00"}, {"sat": "22:00-24:00"}]
)
amounts = st.integers(1, 100)


def test_hours_outside_the_teams_do_not_count() -> None:
    # Friday 17:00 in Bogotá: one hour, four on Saturday, then Monday from 09:00.
    friday = in_zone("America/Bogota", 2026, 11, 20, 17)

    assert calendar().after(friday, 1) == in_zone("America/Bogota", 2026, 11, 20, 18)
    assert calendar().after(friday, 5) == in_zone("America/Bogota", 2026, 11, 21, 13)
    assert calendar().after(friday, 6) == in_zone("America/Bogota", 2026, 11, 23, 10)
    assert calendar().after(friday, 9) == in_zone("America/Bogota", 2026, 11, 23, 14)


def test_public_holidays_of_a_country_and_of_a_part_of_it_do_not_count() -> None:
    day_before = in_zone("America/Sao_Paulo", 2026, 7, 8, 17)  # the 9th is a holiday in São Paulo, not in all of Brazil

    found = {
        place: calendar("America/Sao_Paulo", holidays=place).after(day_before, 2) for place in (None, "BR", "BR-SP")
    }

    assert found["BR"] == found[None] == in_zone("America/Sao_Paulo", 2026, 7, 9, 10)
    assert found["BR-SP"] == in_zone("America/Sao_Paulo", 2026, 7, 10, 10)


def test_days_that_a_policy_closes_do_not_count() -> None:
    assert calendar(closed=[date(2026, 11, 23)]).after(MONDAY, 1) == in_zone("America/Bogota", 2026, 11, 24, 10)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        pytest.param("America/New_York", date(2026, 3, 8), 23, id="clocks go forward"),
        pytest.param("America/New_York", date(2026, 11, 1), 25, id="clocks go back"),
        pytest.param("America/Santiago", date(2026, 9, 6), 23, id="forward at midnight"),
        pytest.param("America/Santiago", date(2026, 4, 4), 25, id="back at midnight"),
        pytest.param("America/Sao_Paulo", date(2026, 11, 1), 24, id="no summer time any more"),
        pytest.param("America/Sao_Paulo", date(2018, 11, 4), 23, id="summer time of old"),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: date, length: int) -> None:
    spans = local_span(ZoneInfo(zone), day, 0, 1440)

    assert sum(end - start for start, end in spans) == length * 3600


def test_an_hour_that_is_skipped_is_not_worked_and_one_that_comes_twice_is_worked_twice() -> None:
    new_york = ZoneInfo("America/New_York")

    assert local_span(new_york, date(2026, 3, 8), 120, 180) == []
    assert sum(end - start for start, end in local_span(new_york, date(2026, 11, 1), 60, 120)) == 2 * 3600


@calmly
@given(moments, zones, amounts)
def test_a_calendar_that_never_closes_is_the_clock_on_the_wall(moment: datetime, zone: str, hours: int) -> None:
    assert calendar(zone, AROUND_THE_CLOCK).after(moment, hours) == moment + timedelta(hours=hours)


@calmly
@given(moments, zones, weeks, amounts)
@example(datetime(2026, 3, 8, 6, 50, tzinfo=UTC), "America/New_York", {"sun": "01:30-03:30"}, 1)
@example(datetime(2026, 11, 1, 4, 50, tzinfo=UTC), "America/New_York", {"sun": "01:30-03:30"}, 3)
@example(datetime(2026, 4, 5, 1, 30, tzinfo=UTC), "America/Santiago", {"sat": "22:00-24:00"}, 3)
def test_a_deadline_lies_after_the_arrival_and_within_open_hours(
    moment: datetime, zone: str, hours: dict[str, str], amount: int
) -> None:
    team = calendar(zone, hours)

    due = team.after(moment, amount)

    assert due >= moment + timedelta(hours=amount)
    assert is_open(team, due, at_the_end=True) or is_open(team, due - timedelta(microseconds=1))


@calmly
@given(moments, st.timedeltas(timedelta(0), timedelta(days=20)), zones, weeks, amounts)
def test_what_arrives_later_is_never_due_earlier(
    moment: datetime, later: timedelta, zone: str, hours: dict[str, str], amount: int
) -> None:
    team = calendar(zone, hours)

    assert team.after(moment, amount) <= team.after(moment + later, amount)
    assert team.after(moment, amount) < team.after(moment, amount + 1)


@calmly
@given(moments, zones, weeks, st.integers(1, 4))
@example(datetime(2026, 3, 8, 4, 0, tzinfo=UTC), "America/New_York", {"sun": "01:30-03:30"}, 1)
@example(datetime(2026, 11, 1, 4, 0, tzinfo=UTC), "America/New_York", {"sun": "01:30-03:30"}, 3)
@example(datetime(2026, 4, 5, 0, 0, tzinfo=UTC), "America/Santiago", {"sat": "22:00-24:00"}, 3)
def test_as_many_open_minutes_pass_until_a_deadline_as_were_asked_for(
    moment: datetime, zone: str, hours: dict[str, str], amount: int
) -> None:
    moment, team = moment.replace(second=0, microsecond=0), calendar(zone, hours)

    due = team.after(moment, amount)

    minutes = int((due - moment).total_seconds() // 60)
    assert sum(is_open(team, moment + timedelta(minutes=at)) for at in range(minutes)) == amount * 60


def test_a_deadline_may_lie_in_the_next_year_and_in_the_last_one_there_is() -> None:
    team = calendar(hours={"mon": "09:00-10:00"})

    assert team.after(datetime(2026, 12, 29, tzinfo=UTC), 60).year == 2028
    assert calendar().after(datetime(9998, 12, 31, 23, tzinfo=UTC), 72).year == 9999


def test_a_deadline_takes_microseconds_once_the_year_is_known() -> None:
    team, now = calendar("America/New_York", holidays="US"), datetime(2026, 11, 23, 15, tzinfo=UTC)
    team.after(now, 72)

    started = time.perf_counter()
    for _ in range(1_000):
        team.after(now, 72)

    assert (time.perf_counter() - started) / 1_000 < 0.001


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ({"mon": "9-18"}, "'9-18'"),
        ({"mon": "18:00-09:00"}, "'18:00-09:00'"),
        ({"mon": "09:00-25:00"}, "'09:00-25:00'"),
        ({"mon": "09:60-10:00"}, "'09:60-10:00'"),
        ({"mon": ""}, "''"),
        ({"mon": "09:00-12:00, 11:00-14:00"}, "hours of mon that overlap"),
        ({"mon-wed": "09:00-12:00", "tue": "11:00-14:00"}, "hours of tue that overlap"),
        ({"monday": "09:00-12:00"}, "'monday'"),
        ({"sun-mon": "09:00-12:00"}, "'sun-mon'"),
        ({}, "found no hours"),
    ],
)
def test_hours_that_cannot_be_read_are_refused_and_told(hours: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match="expected") as caught:
        calendar(hours=hours)

    assert told in str(caught.value)


def test_days_can_be_written_one_by_one_or_as_a_stretch() -> None:
    one_by_one = dict.fromkeys(DAYS[1:4], "09:00-12:00")

    assert week_of(one_by_one) == week_of({"tue-thu": "09:00-12:00"})
