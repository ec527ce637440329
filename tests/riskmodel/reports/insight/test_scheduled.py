"""Reports that make themselves: at the right moment, about the right days, once however many processes there are."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from riskmodel.casebook import AuditEvent
from riskmodel.casebook.opening import open_database
from riskmodel.casework import Contacts, Outbox
from riskmodel.policy import Policy
from riskmodel.reports.insight import schedules, storing
from riskmodel.reports.insight.records import Asked, ReportError, UnknownReportError
from riskmodel.reports.insight.scheduled import KIND, Scheduled
from riskmodel.reports.insight.schedules import NewSchedule, ReportSchedule, due
from tests.riskmodel.reports.insight.made import Weeks, some_work

SAO_PAULO = "America/Sao_Paulo"
MONDAYS = NewSchedule("week", 0, "08:00", SAO_PAULO, None, None, "pt", "html", ("lead@example.org", "crisis_response"))
MADE = datetime(2026, 3, 10, tzinfo=UTC)
EIGHT = datetime(2026, 3, 16, 11, tzinfo=UTC)  # eight o'clock of that Monday in Sao Paulo
PROCESSES = 4


def kept(new: NewSchedule) -> ReportSchedule:
    return ReportSchedule(1, MADE, "carla", new, None)


def event(action: str = "add schedule") -> AuditEvent:
    return AuditEvent(MADE, "carla", None, "lead", action, "s", None)


def scheduled(weeks: Weeks, policy: Policy, now: datetime) -> Scheduled:
    contacts = Contacts(base_url="https://desk.example.org")
    return Scheduled(weeks.casebook.database, policy, contacts, lambda: now)


def test_a_weekly_report_is_due_on_its_day_at_its_hour_about_the_week_before() -> None:
    assert due(kept(MONDAYS), EIGHT - timedelta(seconds=1)) is None  # the Monday before lies before it was made
    found = due(kept(MONDAYS), EIGHT + timedelta(days=2))
    assert found == (EIGHT, Asked(date(2026, 3, 9), date(2026, 3, 15), SAO_PAULO))


def test_a_report_is_due_at_the_same_hour_whether_clocks_are_changed_or_not() -> None:
    santiago = replace(MONDAYS, zone="America/Santiago")
    before, after = datetime(2026, 3, 30, 12, tzinfo=UTC), datetime(2026, 4, 6, 12, tzinfo=UTC)
    moments = [due(kept(santiago), now) for now in (before, after)]
    assert [found[0].astimezone(UTC).hour for found in moments if found] == [11, 12]


def test_daily_and_monthly_reports_are_about_the_day_and_the_month_before() -> None:
    daily = due(kept(replace(MONDAYS, every="day", on_day=None)), EIGHT)
    monthly = due(kept(replace(MONDAYS, every="month", on_day=3)), datetime(2026, 4, 20, tzinfo=UTC))
    assert daily is not None and daily[1] == Asked(date(2026, 3, 15), date(2026, 3, 15), SAO_PAULO)
    assert monthly is not None and monthly[0].astimezone(UTC) == datetime(2026, 4, 3, 11, tzinfo=UTC)
    assert monthly[1] == Asked(date(2026, 3, 1), date(2026, 3, 31), SAO_PAULO)


def test_a_due_report_is_made_once_and_told_of_by_e_mail_with_a_link(weeks: Weeks, policy: Policy) -> None:
    some_work(weeks)
    database = weeks.casebook.database
    number = schedules.add(database, MONDAYS, event())
    assert scheduled(weeks, policy, EIGHT - timedelta(minutes=1)).make_due() == 0
    assert scheduled(weeks, policy, EIGHT).make_due() == 1
    assert scheduled(weeks, policy, EIGHT + timedelta(hours=5)).make_due() == 0
    (made,) = storing.page(database, 10)
    assert made.schedule == number and made.asked.zone == SAO_PAULO and made.made_by == "carla"
    messages = Outbox(database).of(KIND, made.number)
    assert [(one.channel, one.destination) for one in messages] == [
        ("email", "crisis_response"),
        ("email", "lead@example.org"),
    ]
    sent = Outbox(database).take(EIGHT)
    assert sent is not None and sent.payload["subject"].startswith("Relatório de riscos, 9 de mar.")
    text = sent.payload["text"]
    assert f"https://desk.example.org/review/reports/{made.id}/file/html?words=pt" in text
    assert "Em um minuto" in text and "Vai na escola" not in text
    assert scheduled(weeks, policy, EIGHT + timedelta(days=7)).make_due() == 1


def test_several_processes_keep_each_report_once(weeks: Weeks, policy: Policy, url: str) -> None:
    some_work(weeks)
    schedules.add(weeks.casebook.database, MONDAYS, event())
    ready = threading.Barrier(PROCESSES)

    def process(_: int) -> int:
        database = open_database(url)  # connections of its own, as another process has
        try:
            ready.wait()
            return Scheduled(database, policy, Contacts(), lambda: EIGHT).make_due()
        finally:
            database.close()

    with ThreadPoolExecutor(PROCESSES) as pool:
        made = list(pool.map(process, range(PROCESSES)))
    (report,) = storing.page(weeks.casebook.database, 10)
    assert sum(made) == 1 and len(Outbox(weeks.casebook.database).of(KIND, report.number)) == 2


def test_of_what_was_missed_the_last_is_made(weeks: Weeks, policy: Policy) -> None:
    schedules.add(weeks.casebook.database, MONDAYS, event())
    assert scheduled(weeks, policy, EIGHT + timedelta(days=30)).make_due() == 1
    (made,) = storing.page(weeks.casebook.database, 10)
    assert made.asked.last == date(2026, 4, 12)


def test_a_schedule_that_ended_makes_nothing_and_cannot_end_again(weeks: Weeks, policy: Policy) -> None:
    database = weeks.casebook.database
    number = schedules.add(database, MONDAYS, event())
    assert [one.new for one in schedules.active(database)] == [MONDAYS]
    schedules.end(database, number, event("end schedule"))
    assert schedules.active(database) == [] and scheduled(weeks, policy, EIGHT).make_due() == 0
    with pytest.raises(UnknownReportError, match="not ended"):
        schedules.end(database, number, event("end schedule"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"zone": "Mars"}, "zone"),
        ({"market": "ZZ"}, "market"),
        ({"every": "year"}, "turn"),
        ({"on_day": 7}, "day"),
        ({"on_day": None}, "day"),
        ({"every": "day"}, "day"),
        ({"every": "month", "on_day": 31}, "day"),
        ({"at": "8 o'clock"}, "time"),
        ({"at": "08:00:30"}, "time"),
        ({"words": "fr"}, "words"),
        ({"format": "docx"}, "format"),
        ({"recipients": ()}, "recipients"),
        ({"recipients": ("nobody",)}, "recipients"),
        ({"recipients": ("a@b.org\nBcc: c@d.org",)}, "recipients"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_by_name(policy: Policy, change: dict[str, Any], named: str) -> None:
    teams = frozenset(policy.teams)
    assert schedules.checked(asdict(MONDAYS), teams, MADE) == MONDAYS
    with pytest.raises(ReportError, match=named):
        schedules.checked(asdict(MONDAYS) | change, teams, MADE)
