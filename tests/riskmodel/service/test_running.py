"""The parts of a running service: what could not be started leaves nothing open."""

import os
import threading
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from riskmodel.casebook import KeyRing
from riskmodel.errors import CasebookUnavailableError
from riskmodel.service import running
from riskmodel.service.app import create_app
from tests.riskmodel.service.served import SECONDS
from tests.service import settings_for, wait_until_ready


def opened(database: Path) -> int:
    """Return how many of this process's open files are a database's."""
    files = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()]
    return sum(file.startswith(str(database)) for file in files)


def test_a_casebook_whose_keys_cannot_be_read_yet_is_closed_before_the_next_try(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, works = [], KeyRing.any_active

    def fails_at_first(keys: KeyRing, now: object) -> bool:
        tries.append(opened(tmp_path / "casebook.db"))
        if len(tries) < 4:
            works(keys, now)
            raise CasebookUnavailableError("locked")
        return works(keys, now)

    monkeypatch.setattr(running, "OPEN_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(KeyRing, "any_active", fails_at_first)

    with TestClient(create_app(settings_for(tiny_model, tmp_path, auth="on"))) as http:
        wait_until_ready(http, SECONDS)

    assert len(tries) == 4
    assert set(tries) == {tries[0]}


def test_a_casebook_that_is_still_being_opened_when_the_service_stops_is_closed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_keys, go_on, works = threading.Event(), threading.Event(), KeyRing.any_active
    most = []

    def waits(keys: KeyRing, now: datetime) -> bool:
        found = works(keys, now)
        most.append(opened(tmp_path / "casebook.db"))
        at_keys.set()
        go_on.wait(SECONDS)
        return found

    monkeypatch.setattr(KeyRing, "any_active", waits)

    with TestClient(create_app(settings_for(tiny_model, tmp_path, auth="on"))):
        assert at_keys.wait(SECONDS)
        threading.Timer(0.2, go_on.set).start()

    assert most[0] > 0
    assert opened(tmp_path / "casebook.db") == 0
