"""A writer is killed at any moment: the database opens, and holds every case that was acknowledged."""

import random
import sqlite3
import time
from typing import Any

import pytest

from riskmodel.casebook import Casebook, Found, open_casebook
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.casebook.processes import Worker

ROUNDS = 6

pytestmark = pytest.mark.slow


def check(casebook: Casebook, acknowledged: list[str]) -> None:
    for id_ in acknowledged:
        case = casebook.get(id_)
        assert [kept.document for kept in case.assessments] == [make_rated(id_).document]
    again = casebook.keep([make_rated(id_) for id_ in acknowledged])
    assert all(isinstance(found, Found) for found in again)


def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(url: str) -> None:
    dice = random.Random(11)
    workers = [Worker() for _ in range(ROUNDS)]  # they start side by side
    acknowledged: list[str] = []
    for number, worker in enumerate(workers):
        assert worker.hear() == "ready"
        worker.tell(f"keep {url} w{number}")
        heard: list[Any] = [worker.hear()]
        time.sleep(dice.uniform(0, 0.1))
        heard += worker.kill()
        acknowledged += [id_ for ids in heard for id_ in ids]

        casebook = open_casebook(url)
        check(casebook, acknowledged)
        casebook.close()

    assert len(acknowledged) > 5 * ROUNDS


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05])
def test_a_process_that_is_killed_while_it_makes_the_tables_leaves_a_database_that_opens(
    url: str, delay: float
) -> None:
    worker = Worker()
    worker.hear()
    worker.tell(f"open {url}")
    time.sleep(delay)
    worker.kill()

    casebook = open_casebook(url)
    casebook.keep([make_rated("a-1")])
    casebook.close()

    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        file.close()
