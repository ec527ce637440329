"""The audit trail: appended to, read back, and refused to anyone who would change it."""

import pytest
import sqlalchemy as sa

from riskmodel.casebook import AuditEvent, Casebook
from riskmodel.casebook.opening import open_database
from riskmodel.errors import CasebookError
from tests.riskmodel.casebook.made import NOON


def event(action: str) -> AuditEvent:
    return AuditEvent(NOON, "ana", "key00001", "lead", action, "escalation a-1", "request-1")


def test_events_come_back_the_newest_first_in_pages(casebook: Casebook) -> None:
    casebook.trail.append([event("read"), event("export")])
    casebook.trail.append([AuditEvent(NOON, "command line", None, None, "create key", "key00002", None)])
    casebook.trail.append([])

    first = casebook.trail.page(limit=2)
    rest = casebook.trail.page(first[-1].number, limit=2)

    assert [entry.event.action for entry in (*first, *rest)] == ["create key", "export", "read"]
    assert rest[0].event == event("read")


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_itself_refuses_to_change_the_trail(url: str, change: str) -> None:
    database = open_database(url)
    if database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM audit WHERE 1"
    casebook = Casebook(database)
    casebook.trail.append([event("read")])

    with pytest.raises(CasebookError):
        database.write(lambda connection: connection.execute(sa.text(change)))

    left = casebook.trail.page()
    casebook.close()
    assert [entry.event for entry in left] == [event("read")]
