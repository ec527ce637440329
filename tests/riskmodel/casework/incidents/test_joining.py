"""The joiner: what is about one event comes together, once, with its reasons; what only looks alike stays apart."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT, Casebook
from riskmodel.casebook.incident_tables import POSITIONS
from riskmodel.casework.incidents.joining import READ_AT_ONCE
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.incidents.made import LATER, PLAIN, Reports, story, told


def test_reports_whose_texts_are_close_are_joined_and_others_are_not(reports: Reports) -> None:
    reports.add("one", story(1))
    reports.add("other", story(2))
    reports.add("again", told(1, 0.9), language="en")

    assert reports.joiner.round() == 3

    assert reports.groups() == [["again", "one"]]


def test_a_rare_link_and_a_name_join_what_is_told_in_other_words(reports: Reports) -> None:
    reports.add("one", story(1), text="os cartões são pedidos em entrega-solta.example, dizem em Leeds")
    reports.add("two", told(1, 0.3), text="they ask for cards at entrega-solta.example, in Leeds")
    reports.add("three", story(3), text="nothing of that")

    reports.joiner.round()

    assert reports.groups() == [["one", "two"]]
    (event,) = reports.timeline()
    assert event.evidence is not None
    assert [(one.kind, one.value) for one in event.evidence.shared][:1] == [("link", "entrega-solta.example")]
    assert {one.kind for one in event.evidence.shared} == {"link", "text", "name"}
    assert event.evidence.score > 0


def test_what_many_name_joins_nothing(reports: Reports) -> None:
    for at in range(40):
        reports.add(f"r-{at:02}", story(at), text="it is all on the great site, videos.example, as always")

    reports.joiner.round()

    assert reports.groups() == []


def test_a_chain_does_not_pull_everything_into_one(reports: Reports) -> None:
    reports.add("a", story(1))
    reports.add("b", told(1, 0.95, by=2))
    reports.add("c", told(1, 0.95, by=3))
    between = story(1) + story(9)  # near to both stories, which are far from one another
    reports.add("x", story(9))
    reports.add("y", told(9, 0.95, by=4))
    reports.add("z", told(9, 0.95, by=5))
    reports.add("bridge", between / (between @ between) ** 0.5)

    reports.joiner.round()

    together = reports.groups()
    assert not any({"a", "x"} <= set(group) for group in together)


def test_the_same_reporter_with_another_story_is_another_incident(reports: Reports) -> None:
    reports.add("one", story(1), reporter="u-1")
    reports.add("two", story(2), reporter="u-1")

    reports.joiner.round()

    assert reports.groups() == []


def test_what_lies_further_apart_than_two_weeks_is_not_one_event(reports: Reports) -> None:
    reports.add("one", story(1))
    reports.add("late", told(1), hours=24 * 15)

    reports.joiner.round()

    assert reports.groups() == []


def test_vectors_of_two_versions_are_not_compared_but_other_signals_join(reports: Reports) -> None:
    model = {"name": "riskmodel", "version": "v2", "policy": "1.0"}
    linked = "look at entrega-solta.example/p/81, Leeds, says "
    reports.add("old", story(1), text=linked + "one")
    reports.add("old-text", story(2))
    reports.add("new", story(5), model=model, text=linked + "two")
    reports.add("old-text-again", story(2), model=model)

    reports.new_joiner(spaces=lambda version: type(PLAIN)(version, PLAIN.mean, PLAIN.matrix)).round()

    assert reports.groups() == [["new", "old"]]
    (event,) = reports.timeline()
    assert event.evidence is not None
    assert "text" not in {one.kind for one in event.evidence.shared}


def test_a_version_whose_space_nobody_knows_is_waited_for_and_then_joined_without(reports: Reports) -> None:
    number = reports.add("one", story(1))
    kept_at = reports.casebook.get("one").kept_at

    early = reports.new_joiner(spaces=lambda _: None, clock=lambda: kept_at + timedelta(seconds=5)).round()
    late = reports.new_joiner(spaces=lambda _: None).round()

    assert (early, late) == (0, 1)
    assert number > 0


def test_golden_cases_belong_to_nothing(reports: Reports) -> None:
    reports.add("one", story(1), client=GOLDEN_CLIENT)
    reports.add("two", story(1))

    reports.joiner.round()

    assert reports.groups() == []


def test_a_round_goes_on_where_the_last_one_was_in_whichever_process(reports: Reports) -> None:
    reports.add("one", story(1))
    reports.joiner.round()
    reports.add("two", told(1, by=2))
    reports.casebook.database.write(lambda connection: connection.execute(sa.update(POSITIONS).values(holder=None)))

    assert reports.new_joiner().round() == 1
    reports.add("three", told(1, by=3))
    reports.casebook.database.write(lambda connection: connection.execute(sa.update(POSITIONS).values(holder=None)))

    assert reports.joiner.round() == 1
    assert reports.groups() == [["one", "three", "two"]]


def test_only_one_process_joins_at_a_time_until_it_has_been_silent_for_long(reports: Reports) -> None:
    reports.add("one", story(1))
    reports.joiner.round()
    reports.add("two", told(1))

    assert reports.new_joiner().round() == 0
    assert reports.new_joiner(clock=lambda: LATER + timedelta(minutes=2)).round() == 1
    assert reports.groups() == [["one", "two"]]


def test_a_process_that_is_stopped_lets_another_go_on_at_once(reports: Reports) -> None:
    reports.add("one", story(1))
    reports.joiner.round()
    reports.add("two", told(1))

    reports.joiner.stop()

    assert reports.joiner.round() == 0
    assert reports.new_joiner().round() == 1


def test_a_process_that_lost_its_turn_changes_nothing(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    reports.add("one", story(1))
    reports.add("two", told(1))
    slow, quick = reports.joiner, reports.new_joiner(clock=lambda: LATER + timedelta(minutes=2))
    real = slow._placed

    def meanwhile(*arguments: Any) -> Any:
        assert quick.round() == 2
        return real(*arguments)

    monkeypatch.setattr(slow, "_placed", meanwhile)

    assert slow.round() == 0
    assert len(reports.events()) == 1


def test_a_crash_within_a_round_leaves_no_half_and_loses_nothing(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(40):
        reports.add(f"r-{at:02}", told(1, 0.9, by=at + 10))
    joined, real = 0, reports.joiner._join

    def crash(*arguments: Any) -> None:
        nonlocal joined
        joined += 1
        if joined == 30:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(reports.joiner, "_join", crash)
    with pytest.raises(KeyboardInterrupt):
        reports.joiner.round()
    reports.new_joiner(clock=lambda: LATER + timedelta(minutes=2)).round()

    (group,) = reports.groups()
    assert len(group) == 40
    opened = [event for event in reports.events() if event.kind in ("opened", "joined")]
    assert len({event.escalation for event in opened}) == len(opened) == 39


def test_more_than_are_read_at_once_are_joined_all_the_same(reports: Reports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskmodel.casework.incidents.joining.READ_AT_ONCE", 5)
    for at in range(12):
        reports.add(f"r-{at:02}", told(1, 0.9, by=at + 10))

    assert reports.joiner.round() == 12
    assert len(reports.groups()[0]) == 12
    assert READ_AT_ONCE > 5


def test_on_postgresql_a_missing_number_is_waited_for(reports: Reports) -> None:
    casebook: Casebook = reports.casebook
    if casebook.database.is_sqlite:
        pytest.skip("SQLite gives numbers as transactions end")
    reports.add("one", story(1))
    casebook.database.write(
        lambda connection: connection.execute(
            sa.text("SELECT nextval(pg_get_serial_sequence('escalations', 'number'))")
        ).scalar()
    )
    reports.add("three", told(1))
    kept_at = casebook.get("three").kept_at

    soon = reports.new_joiner(clock=lambda: max(kept_at, NOON) + timedelta(seconds=30))
    first = soon.round()
    later = reports.new_joiner(clock=lambda: kept_at + timedelta(minutes=3)).round()

    assert (first, later) == (1, 1)
