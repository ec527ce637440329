"""The service on a tiny real model, and what it logs."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from riskmodel.service.app import create_app
from riskmodel.service.logs import configure_logging
from tests.service import settings_for, wait_until_ready


@pytest.fixture(scope="session")
def _stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", stream)
    for client in ("httpx2", "httpcore2", "asyncio"):
        logging.getLogger(client).setLevel(logging.WARNING)  # the test's side of the wire
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def service(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, _stream: io.StringIO) -> Iterator[TestClient]:
    with TestClient(create_app(settings_for(tiny_model, tmp_path_factory.mktemp("service")))) as client:
        wait_until_ready(client)
        yield client


@pytest.fixture
def logs(_stream: io.StringIO) -> io.StringIO:
    _stream.seek(0)
    _stream.truncate()
    return _stream
