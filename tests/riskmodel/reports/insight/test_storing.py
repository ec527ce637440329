"""What is kept of a report is what was made."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from riskmodel.casebook import AuditEvent
from riskmodel.errors import CasebookError
from riskmodel.reports.insight import storing
from riskmodel.reports.insight.records import UnknownReportError
from tests.riskmodel.reports.insight.made import MADE_AT, Weeks, some_work


def event(id_: str) -> AuditEvent:
    return AuditEvent(MADE_AT, "carla", None, "lead", "make report", id_, None)


def test_a_report_is_kept_as_it_was_made_and_the_trail_says_who_wanted_it(weeks: Weeks) -> None:
    some_work(weeks)
    database = weeks.casebook.database
    reports = [weeks.report(), weeks.report(now=MADE_AT + timedelta(hours=1))]
    for report in reports:
        storing.keep(database, report, event(report.id))
    assert [storing.read(database, report.id) for report in reports] == reports
    listed = storing.page(database, 10)
    assert [one.id for one in listed] == [report.id for report in reversed(reports)]
    assert [one.id for one in storing.page(database, 10, before=listed[0].number)] == [reports[0].id]
    assert weeks.casebook.trail.page()[0].event.subject == reports[1].id


def test_a_kept_report_cannot_be_changed(weeks: Weeks) -> None:
    report = weeks.report()
    storing.keep(weeks.casebook.database, report, event(report.id))
    with pytest.raises(CasebookError):
        weeks.casebook.database.write(
            lambda connection: connection.execute(sa.text("UPDATE reports SET figures = '{}'"))
        )
    assert storing.read(weeks.casebook.database, report.id) == report


def test_a_report_that_is_not_kept_is_unknown(weeks: Weeks) -> None:
    with pytest.raises(UnknownReportError, match="no such id"):
        storing.read(weeks.casebook.database, "r1")
