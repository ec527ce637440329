"""Settings of a service for tests, and waiting until it answers."""

import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from riskmodel.service.settings import Settings


def settings_for(model: Path, folder: Path, **others: Any) -> Settings:
    """Return settings of a service with its casebook in a folder; keys are off unless told otherwise."""
    given = {"model": model, "threads": 1, "auth": "off", "database_url": f"sqlite:///{folder / 'casebook.db'}"}
    return Settings(**given | others)


def wait_until_ready(client: TestClient, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline, "the service was not ready in time"
        time.sleep(0.02)
