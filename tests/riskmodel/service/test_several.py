"""Two services on one PostgreSQL, as on two hosts: one answer for an id, one session, one claim; what is each's own."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from riskmodel.artifact import read_manifest, seal
from riskmodel.review import Desk, Filters, TakenError
from tests.riskmodel.casebook.conftest import fresh_database, postgresql  # noqa: F401  fixtures
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.review.made import waiting
from tests.riskmodel.service.page.office import Browser
from tests.riskmodel.service.served import PARCEL, at_once, bearer, kept, new_key, serving
from tests.service import settings_for

SECRET = "s" * 32

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hosts(
    tiny_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
    postgresql: Any,  # noqa: F811  the fixture
) -> Iterator[tuple[TestClient, TestClient]]:
    """Return two services on one database; the second has taken a new model version, the first has not yet."""
    shared = {"database_url": fresh_database(postgresql), "auth": "on", "session_secret": SECRET}
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as stack:
        found = []
        for version in ("one", "two"):
            model = Path(shutil.copytree(tiny_model, folder / version))
            seal(model, read_manifest(model).model_copy(update={"version": version}))
            settings = settings_for(model, folder, rate_limit="100/hour", **shared)
            found.append(stack.enter_context(serving(settings)))
        yield found[0], found[1]


@pytest.fixture
def key(hosts: tuple[TestClient, TestClient]) -> dict[str, str]:
    return bearer(new_key(hosts[0].app.state.running._settings, "client")[1])  # type: ignore[attr-defined]


def test_an_id_sent_to_both_at_once_has_one_answer_of_one_version(
    hosts: tuple[TestClient, TestClient], key: dict[str, str]
) -> None:
    ids = [f"case-{number}" for number in range(12)]
    sent = [partial(host.post, "/predict", json=PARCEL | {"id": id_}, headers=key) for host in hosts for id_ in ids]

    answers = at_once(sent)

    for id_, first, second in zip(ids, answers[: len(ids)], answers[len(ids) :], strict=True):
        assert first.status_code == second.status_code == 200
        assert first.content == second.content
        assert first.json()["id"] == id_
        assert first.headers["x-model-version"] == second.headers["x-model-version"] == first.json()["model"]["version"]
    settings = hosts[0].app.state.running._settings  # type: ignore[attr-defined]
    found = [case for case in kept(settings) if case.id in ids]
    assert sorted(case.id for case in found) == sorted(ids)
    assert {len(case.assessments) for case in found} == {1}


def test_a_batch_is_of_the_version_of_the_host_that_took_it_but_for_what_was_answered_before(
    hosts: tuple[TestClient, TestClient], key: dict[str, str]
) -> None:
    first = hosts[0].post("/predict", json=PARCEL | {"id": "known"}, headers=key)
    batch = {"escalations": [PARCEL | {"id": id_} for id_ in ("a", "known", "b")]}

    results = hosts[1].post("/predict/batch", json=batch, headers=key).json()["results"]

    assert [result["model"]["version"] for result in results] == ["two", "one", "two"]
    assert results[1] == first.json()


def test_a_session_and_a_claim_of_one_host_hold_on_the_other(
    hosts: tuple[TestClient, TestClient],
) -> None:
    settings = hosts[0].app.state.running._settings  # type: ignore[attr-defined]
    secret = new_key(settings, "analyst", "ana")[1]
    desks: list[Desk] = [host.app.state.running.parts.desk for host in hosts]  # type: ignore[attr-defined]
    hosts[0].app.state.running.parts.casebook.keep([waiting("harm")])  # type: ignore[attr-defined]
    here = Browser(TestClient(hosts[0].app, base_url="http://desk"))
    here.log_in(secret)

    there = Browser(TestClient(hosts[1].app, base_url="http://desk", cookies=here.http.cookies))
    shown = there.get("/review")
    (harm,) = [item for item in desks[0].queue.page(Filters(), None, 50, NOON).items if item.id == "harm"]
    desks[0].claims.take(harm.number, "ana", NOON)

    assert (shown.status_code, shown.url.path) == (200, "/review")
    with pytest.raises(TakenError, match="claimed and ana's"):
        desks[1].claims.take(harm.number, "bruno", NOON)


def test_the_rate_limit_is_each_processes_own(hosts: tuple[TestClient, TestClient], key: dict[str, str]) -> None:
    full = {"escalations": [PARCEL] * 100}

    statuses = [[host.post("/predict/batch", json=full, headers=key).status_code for _ in range(2)] for host in hosts]

    assert statuses == [[200, 429], [200, 429]]


@pytest.mark.parametrize(("secret", "warned"), [(SECRET, False), ("", True)])
def test_a_secret_that_processes_do_not_share_is_warned_of(
    tiny_model: Path,
    tmp_path: Path,
    postgresql: Any,  # noqa: F811  the fixture
    secret: str,
    warned: bool,
) -> None:
    settings = settings_for(tiny_model, tmp_path, database_url=fresh_database(postgresql), session_secret=secret)

    with structlog.testing.capture_logs() as logs, serving(settings):
        pass

    told = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert ("sessions of the review pages hold in this process alone" in told) is warned
