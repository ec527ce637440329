"""What is due in; reports made, each once over all processes, and told of by e-mail, out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.tables import REPORT_SCHEDULES, REPORTS
from riskmodel.casework import Contacts, NewMessage, put
from riskmodel.policy import Policy
from riskmodel.reports.insight import storing
from riskmodel.reports.insight.making import make
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.rendering import written
from riskmodel.reports.insight.schedules import NewSchedule, ReportSchedule, active, due
from riskmodel.reports.insight.words import words

KIND = "report"  # of a message that tells of one
SCHEDULE = "schedule"  # the actor of what no person did
PATH = "/review/reports"


class Scheduled:
    """Makes the reports that are due; processes may share a casebook, and each report is kept once.

    Two processes may both work on one that is due; who keeps it first tells of it, and the other's is dropped. Of what
    was missed while no process ran, the last one is made.

    Args:
        database: of the casebook.
        policy: whose version a report names.
        contacts: where people are reached, and where the desk is.
        clock: says what is due.
    """

    def __init__(self, database: Database, policy: Policy, contacts: Contacts, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._policy = policy
        self._contacts = contacts
        self._clock = clock

    def make_due(self) -> int:
        """Make what is due, and return how many were kept by this call.

        Raises:
            CasebookUnavailableError: if the database does not answer; what was kept before stays kept.
        """
        return sum(self._make(schedule) for schedule in active(self._database))

    def _make(self, schedule: ReportSchedule) -> bool:
        now = self._clock()
        turn = due(schedule, now)
        if turn is None:
            return False
        due_at, asked = turn
        if self._database.read(lambda connection: _is_made(connection, schedule.number, due_at)):
            return False
        made = replace(make(self._database, asked, schedule.made_by, self._policy, now), schedule=schedule.number)
        subject, text = self._email(made, schedule.new)

        def work(connection: sa.Connection) -> bool:
            mine = sa.select(REPORT_SCHEDULES.c.ended_at).where(REPORT_SCHEDULES.c.number == schedule.number)
            ended_at = connection.execute(mine.with_for_update()).scalar_one()  # the others wait here
            if ended_at is not None or _is_made(connection, schedule.number, due_at):
                return False
            number = storing.insert(connection, made, due_at)
            for recipient in schedule.new.recipients:
                payload = {"subject": subject, "text": text}
                put(connection, NewMessage(KIND, number, None, "email", recipient, payload), now)
            said = f"{made.id} by schedule {schedule.number}"
            append(connection, [AuditEvent(now, SCHEDULE, None, None, "make report", said, None)])
            return True

        return self._database.write(work)

    def _email(self, made: Report, new: NewSchedule) -> tuple[str, str]:
        """Return subject and text: what a director reads in one minute, and where the rest is."""
        say = words(new.words, made.asked.zone)
        told = written(self._database, made, new.words)
        lines = [told.title, *told.subtitle, "", told.says_title, *(f"- {one.text}" for one in told.statements), ""]
        if self._contacts.base_url is None:
            lines.append(say("mail.no_link", id=made.id))
        else:
            page = f"{self._contacts.base_url}{PATH}/{made.id}"
            lines += [say("mail.page", link=page), say("mail.file", link=f"{page}/file/{new.format}?words={new.words}")]
        subject = say("mail.subject", first=say.day(made.asked.first), last=say.day(made.asked.last))
        about = ", ".join(one for one in (made.asked.market, made.asked.language) if one)
        return f"{subject} ({about})" if about else subject, "\n".join(lines) + "\n"


def _is_made(connection: sa.Connection, schedule: int, due_at: datetime) -> bool:
    there = sa.select(REPORTS.c.number).where(REPORTS.c.schedule == schedule, REPORTS.c.due_at == due_at)
    return connection.execute(there).first() is not None
