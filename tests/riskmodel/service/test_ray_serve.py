"""The service behind Ray Serve: two replicas on one casebook, and a model that changes while requests run."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from riskmodel import RiskModel, read_escalation
from riskmodel.artifact import read_manifest, seal
from riskmodel.errors import SettingsError
from riskmodel.service.settings import read_settings
from tests.riskmodel.service.served import PARCEL, at_once, bearer, kept, new_key

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray warns of itself

SECONDS = 60
BATCH = 24


@pytest.fixture(scope="module")
def models(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two versions, the first of them champion."""
    folder = tmp_path_factory.mktemp("models")
    for version in ("one", "two"):
        made = Path(shutil.copytree(tiny_model, folder / version))
        seal(made, read_manifest(made).model_copy(update={"version": version}))
    (folder / "champion.txt").write_text("one\n")
    return folder


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('casebook') / 'desk.db'}"


@pytest.fixture(scope="module")
def client(models: Path, database: str) -> Iterator[httpx2.Client]:
    """Deploy the application and return a client with a key."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import serve

    from benchmarks.processes import free_port
    from riskmodel.service.ray_serve import build

    port = free_port()
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=10**8)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    try:
        settings = {"model": str(models), "database_url": database, "follow_seconds": "0.2"}
        serve.run(build({**settings, "replicas": "2"}), route_prefix="/")
        _, secret = new_key(read_settings(database_url=database), "client")
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=bearer(secret), timeout=SECONDS) as made:
            yield made
    finally:
        serve.shutdown()
        ray.shutdown()


def test_it_answers_as_the_service_does(client: httpx2.Client, model: RiskModel) -> None:
    answer = client.post("/predict", json=PARCEL | {"id": "first"})

    (expected,) = model.assess([read_escalation(PARCEL | {"id": "first"})], datetime.now(UTC))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["id"], found["rating"], found["confidence"]) == ("first", expected.rating, expected.confidence)
    assert found["explanation"] == expected.explanation.model_dump(mode="json", by_alias=True)
    assert answer.headers["X-Model-Version"] == found["model"]["version"] == "one"


def test_nobody_gets_in_without_a_key_and_what_is_wrong_is_a_problem_document(client: httpx2.Client) -> None:
    without = client.post("/predict", json=PARCEL, headers={"Authorization": ""})
    refused = client.post("/predict", json={"text": "secret", "market": "ZZ"})

    assert (without.status_code, refused.status_code) == (401, 422)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["field"] == "market"
    assert "secret" not in refused.text


def test_whichever_replica_is_asked_again_gives_the_first_answer_and_keeps_one(
    client: httpx2.Client, database: str
) -> None:
    bodies = [PARCEL | {"id": f"again-{at}"} for at in range(8)] * 4

    answers = at_once([lambda body=body: client.post("/predict", json=body) for body in bodies])  # type: ignore[misc]

    assert {answer.status_code for answer in answers} == {200}
    by_id = {(answer.json()["id"], answer.text) for answer in answers}
    assert len(by_id) == 8
    cases = kept(read_settings(database_url=database))
    assert len([case for case in cases if case.id.startswith("again-")]) == 8


def test_a_new_champion_takes_over_without_a_request_that_mixes_two(client: httpx2.Client, models: Path) -> None:
    seen: list[set[str]] = []

    def send() -> None:
        batch = {"escalations": [PARCEL] * BATCH}
        answer = client.post("/predict/batch", json=batch)
        assert answer.status_code == 200, answer.text
        seen.append({result["model"]["version"] for result in answer.json()["results"]})
        assert {answer.headers["X-Model-Version"]} == seen[-1]

    send()
    (models / "champion.txt").write_text("two\n")
    ends = time.monotonic() + SECONDS
    while [versions == {"two"} for versions in seen[-6:]] != [True] * 6:
        assert time.monotonic() < ends, seen
        at_once([send] * 3)

    assert seen[0] == {"one"}
    assert all(len(versions) == 1 for versions in seen), seen


def test_keys_cannot_be_off() -> None:
    from riskmodel.service.ray_serve import build

    with pytest.raises(SettingsError, match="behind Ray Serve keys stay on"):
        build({"auth": "off"})


def test_replicas_are_a_number() -> None:
    from riskmodel.service.ray_serve import build

    with pytest.raises(SettingsError, match="expected a whole number from 1"):
        build({"replicas": "many"})


def test_an_unknown_argument_is_named() -> None:
    from riskmodel.service.ray_serve import build

    with pytest.raises(SettingsError, match=r"RISKMODEL_MODELL: found an unknown setting"):
        build({"modell": "models"})
