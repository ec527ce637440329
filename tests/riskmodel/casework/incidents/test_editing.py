"""What a person puts right stays right, and both trails say who did it."""

from datetime import timedelta

import pytest

from riskmodel.casework.incidents import EditError, Filters, UnknownIncidentError
from tests.riskmodel.casework.incidents.made import LATER, Reports, by, story, told


def two_together(reports: Reports) -> tuple[int, int, int]:
    """Return an incident of three reports, and two of these."""
    first = reports.add("one", story(1))
    second = reports.add("two", told(1, by=2))
    reports.add("three", told(1, by=3))
    reports.joiner.round()
    return reports.only().number, first, second


def test_what_was_split_is_not_joined_again_by_itself_though_a_report_fits_both(reports: Reports) -> None:
    incident, first, _ = two_together(reports)

    apart = reports.editing.split(incident, [first], by("ana"))
    reports.add("four", told(1, by=4))
    reports.joiner.round()

    assert ["one"] in reports.groups() or ["four", "one"] in reports.groups()
    assert not any({"one", "two"} <= set(group) for group in reports.groups())
    assert apart.number != incident
    kinds = [(event.kind, event.actor) for event in reports.incidents.get(incident).events]
    assert ("split", "ana") in kinds


def test_only_a_person_puts_back_what_was_split(reports: Reports) -> None:
    incident, first, _ = two_together(reports)
    reports.editing.split(incident, [first], by("ana"))

    reports.editing.add(incident, first, by("carla"))

    assert reports.groups() == [["one", "three", "two"]]
    assert reports.only().reports == 3


def test_two_incidents_become_one_and_the_other_leads_there(reports: Reports) -> None:
    incident, _, _ = two_together(reports)
    reports.add("x", story(9))
    reports.add("y", told(9, by=5))
    reports.joiner.round()
    other = next(one.number for one in reports.incidents.page(Filters(), None, 9).incidents if one.number != incident)

    reports.editing.merge(incident, other, by("ana"))

    assert reports.groups() == [["one", "three", "two", "x", "y"]]
    gone = reports.incidents.get(other).incident
    assert (gone.merged_into, gone.reports) == (incident, 0)
    with pytest.raises(EditError, match="part of another now"):
        reports.editing.merge(other, incident, by("ana"))


def test_a_name_is_kept_until_it_is_taken_away(reports: Reports) -> None:
    incident, _, _ = two_together(reports)

    named = reports.editing.rename(incident, "  The  Leeds parcel ", by("ana"))
    unnamed = reports.editing.rename(incident, "", by("ana"))

    assert (named.name, unnamed.name) == ("The Leeds parcel", None)
    with pytest.raises(EditError, match="at most 120"):
        reports.editing.rename(incident, "a" * 121, by("ana"))


def test_a_report_that_a_person_placed_before_the_joiner_came_is_left_there(reports: Reports) -> None:
    reports.add("one", story(1))
    second = reports.add("two", story(2))
    reports.joiner.round()
    third = reports.add("three", told(1, by=3))

    incident = reports.editing.open(second, by("ana")).number
    reports.editing.add(incident, third, by("ana"))
    reports.joiner.round()

    assert reports.groups() == [["three", "two"]]


def test_every_edit_is_on_the_audit_trail_and_none_that_failed(reports: Reports) -> None:
    incident, first, second = two_together(reports)
    before = len(reports.casebook.trail.page())

    reports.editing.rename(incident, "a", by("ana", "name incident"))
    with pytest.raises(EditError):
        reports.editing.split(incident, [], by("ana", "split incident"))
    with pytest.raises(EditError):
        reports.editing.split(incident, [first, second, 10**9], by("ana", "split incident"))
    with pytest.raises(UnknownIncidentError):
        reports.editing.rename(10**9, "a", by("ana"))
    with pytest.raises(UnknownIncidentError):
        reports.editing.add(incident, 10**9, by("ana"))

    (entry,) = reports.casebook.trail.page()[: len(reports.casebook.trail.page()) - before]
    assert (entry.event.actor, entry.event.action) == ("ana", "name incident")


def test_a_forgotten_report_leaves_its_incident_and_the_last_one_takes_it_along(reports: Reports) -> None:
    incident, _, _ = two_together(reports)

    reports.casebook.forget(ids=["one"])
    counted = reports.incidents.get(incident).incident.reports
    reports.joiner.round()
    events = reports.incidents.get(incident).events
    reports.casebook.forget(ids=["two", "three"])
    reports.new_joiner(clock=lambda: LATER + timedelta(minutes=5)).round()

    assert counted == 2
    assert all("one" not in (event.id, event.other_id) for event in events)
    with pytest.raises(UnknownIncidentError):
        reports.incidents.get(incident)


def test_the_timeline_cannot_be_changed(reports: Reports) -> None:
    import sqlalchemy as sa

    from riskmodel.errors import CasebookError

    two_together(reports)
    for change in ("UPDATE incident_events SET actor = 'x'", "DELETE FROM incident_events"):
        with pytest.raises(CasebookError):
            reports.casebook.database.write(lambda connection, change=change: connection.execute(sa.text(change)))
