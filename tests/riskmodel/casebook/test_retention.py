"""Forgetting: what is gone is gone, also from the bytes of the files, and the trail says how much and why."""

import random
import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from riskmodel.casebook import Casebook, Filters, UnknownCaseError, open_casebook, retention
from riskmodel.errors import CasebookError, CasebookUnavailableError
from tests.riskmodel.casebook.made import NOON, Clock, make_rated

MARK = "wearetraces"


def test_forgetting_by_day_takes_all_that_was_kept_before(casebook: Casebook) -> None:
    for number in range(5):
        casebook.keep([make_rated(f"a-{number}")])  # kept a minute apart, the first at 12:01

    assert casebook.forget(before=NOON + timedelta(minutes=3)) == 2

    assert [case.id for case in casebook.page(Filters()).cases] == ["a-4", "a-3", "a-2"]


def test_forgetting_by_id_takes_every_clients_unless_one_is_named(casebook: Casebook) -> None:
    casebook.keep([make_rated(id_, client=client) for id_ in ("a", "b") for client in ("desk", "partner")])

    assert casebook.forget(ids=["a", "unknown"], client="desk") == 1
    assert casebook.forget(ids=["a", "b"]) == 3
    with pytest.raises(UnknownCaseError):
        casebook.get("b", client="desk")


def test_a_day_and_ids_and_a_client_must_all_hold(casebook: Casebook) -> None:
    casebook.keep([make_rated("a")])
    casebook.keep([make_rated("b")])

    assert casebook.forget(before=NOON + timedelta(minutes=2), ids=["a", "b"], client="partner") == 0
    assert casebook.forget(before=NOON + timedelta(minutes=2), ids=["a", "b"], client="desk") == 1


def test_forgetting_everything_must_be_said(casebook: Casebook) -> None:
    casebook.keep([make_rated("a")])

    with pytest.raises(CasebookError, match="neither a day nor ids"):
        casebook.forget()
    assert casebook.forget(ids=[]) == 0
    assert len(casebook.page(Filters()).cases) == 1


def test_many_are_forgotten_in_pieces_and_each_piece_is_on_the_trail(
    casebook: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    casebook.keep([make_rated(f"a-{number}", text=MARK) for number in range(8)])

    assert casebook.forget(before=NOON + timedelta(days=1), actor="lead") == 8

    events = [entry.event for entry in casebook.trail.page()]
    assert [event.subject.split()[0] for event in events] == ["2", "3", "3"]
    assert {event.actor for event in events} == {"lead"}
    assert {event.action for event in events} == {"forget"}
    assert all("kept before 2026-03-02T12:00:00+00:00" in event.subject for event in events)
    assert MARK not in repr(events)


def test_an_id_that_was_forgotten_may_be_sent_again_and_gets_a_number_of_its_own(casebook: Casebook) -> None:
    casebook.keep([make_rated("a")])
    before = casebook.get("a").number
    casebook.forget(ids=["a"])

    casebook.keep([make_rated("a", text="other")])

    assert casebook.get("a").number > before


def traces(folder: Path) -> set[bytes]:
    """Return the marks that are left in the bytes of any file."""
    found = set()
    for path in folder.glob("casebook.db*"):
        for piece in path.read_bytes().split(MARK.encode())[1:]:
            found.add(piece[:4])
    return found


def test_no_byte_of_what_was_forgotten_is_left_in_sqlites_files(sqlite_url: str, tmp_path: Path) -> None:
    casebook = open_casebook(sqlite_url, Clock())
    dice = random.Random(7)
    marks = {f"a-{number}": f"{MARK}{number:04d}" for number in range(400)}
    for at in range(0, 400, 16):
        batch = list(marks.items())[at : at + 16]
        # Short and long ones, so that cells, pages and overflow pages are all moved about.
        casebook.keep([make_rated(id_, text=f"{mark} " * dice.choice([1, 5, 60, 700])) for id_, mark in batch])
    left = dict(marks)
    for _ in range(3):
        gone = dice.sample(sorted(left), 100)
        casebook.forget(ids=gone)
        for id_ in gone:
            del left[id_]
    casebook.close()

    assert traces(tmp_path) == {mark.removeprefix(MARK).encode() for mark in left.values()}


def test_the_log_is_emptied_while_the_service_has_the_casebook_open(sqlite_url: str, tmp_path: Path) -> None:
    service, command_line = open_casebook(sqlite_url, Clock()), open_casebook(sqlite_url, Clock())
    service.keep([make_rated("a", text=MARK)])
    service.page(Filters())

    command_line.forget(ids=["a"])
    size = (tmp_path / "casebook.db-wal").stat().st_size
    service.close()
    command_line.close()

    assert size == 0
    assert traces(tmp_path) == set()


def test_a_reader_that_keeps_the_log_from_being_emptied_is_told_of_and_a_second_run_empties_it(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHECKPOINT_SECONDS", 0.1)
    casebook = open_casebook(sqlite_url)
    casebook.keep([make_rated("a", text=MARK)])
    reader = sqlite3.connect(tmp_path / "casebook.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM escalations").fetchone()

    with pytest.raises(CasebookUnavailableError, match="Run the same again"):
        casebook.forget(ids=["a"])
    reader.close()
    assert casebook.forget(ids=["a"]) == 0
    casebook.close()

    assert traces(tmp_path) == set()


def test_a_service_goes_on_keeping_while_much_is_forgotten(url: str) -> None:
    casebook, other = open_casebook(url), open_casebook(url)
    for at in range(8):
        casebook.keep([make_rated(f"old-{at}-{number}") for number in range(200)])
    end = casebook.page(Filters(), limit=1).cases[0].kept_at + timedelta(seconds=1)
    counts: list[int] = []
    thread = Thread(target=lambda: counts.append(other.forget(before=end)))
    time.sleep(1)  # so that what is kept from here on is younger
    thread.start()
    kept = 0
    while thread.is_alive() or kept == 0:
        casebook.keep([make_rated(f"new-{kept}")])  # would raise if it had to wait for long
        kept += 1
    thread.join()
    page = casebook.page(Filters(), limit=1)
    casebook.close()
    other.close()

    assert counts == [1600]
    assert page.cases[0].id == f"new-{kept - 1}"
