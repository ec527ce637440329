"""The parts of a running service: what could not be started leaves nothing open."""

import os
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
