"""One service for all tests of the pages; every test finds its queue empty."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from riskmodel.casebook import open_casebook
from riskmodel.service.app import create_app
from tests.riskmodel.service.desk_file import write_desk_file
from tests.riskmodel.service.page.office import PEOPLE, Office
from tests.service import settings_for, wait_until_ready


@pytest.fixture(scope="module")
def _open_office(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    settings = settings_for(tiny_model, folder, auth="on", rounds="off", desk=str(write_desk_file(folder)))
    with closing(open_casebook(settings.database_url)) as casebook:
        secrets = {name: casebook.keys.create(name, role, datetime.now(UTC)).secret for name, role in PEOPLE.items()}
    app = create_app(settings)
    with TestClient(app) as client:
        wait_until_ready(client)
        yield Office(app, secrets)


@pytest.fixture
def office(_open_office: Office) -> Iterator[Office]:
    _open_office.clear()
    yield _open_office
