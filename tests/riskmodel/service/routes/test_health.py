"""A probe learns at once whether the process lives, and truthfully whether it can answer."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from riskmodel.service import loading
from riskmodel.service.app import create_app
from riskmodel.service.loading import LoadedModel
from tests.service import settings_for

READY = {"status": "ready"}


@pytest.fixture
def held(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[TestClient, threading.Event]]:
    """The service with a model that is loaded once the event is set."""
    gate, load = threading.Event(), loading.load

    def wait_and_load(folder: Path, threads: int, *, probe: bool = False) -> LoadedModel:
        assert gate.wait(20)
        return load(folder, threads, probe=probe)

    monkeypatch.setattr(loading, "load", wait_and_load)
    with TestClient(create_app(settings_for(tiny_model, tmp_path))) as client:
        while client.app.state.running._parts is None:  # type: ignore[attr-defined]
            pass  # the casebook opens meanwhile
        yield client, gate
        gate.set()


def test_while_the_model_loads_it_lives_but_is_not_ready(held: tuple[TestClient, threading.Event]) -> None:
    client, _ = held

    assert client.get("/health/live").json() == {"status": "live"}
    for response in (
        client.get("/health/ready"),
        client.get("/model"),
        client.post("/predict", json={"text": "Hello."}),
        client.post("/predict/batch", json={"escalations": []}),
    ):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert int(response.headers["retry-after"]) > 0
        assert response.json()["errors"] == [{"field": "model", "found": "loading", "expected": "ready"}]


def test_once_the_model_is_loaded_it_is_ready(held: tuple[TestClient, threading.Event]) -> None:
    client, gate = held
    gate.set()

    while (response := client.get("/health/ready")).status_code == 503:
        pass

    assert response.json() == READY
    assert client.post("/predict", json={"text": "Hello."}).status_code == 200


def test_when_it_stops_it_is_not_ready(held: tuple[TestClient, threading.Event]) -> None:
    client, gate = held
    gate.set()
    client.portal.call(client.app.state.running.models.stop)  # type: ignore[attr-defined,call-arg,union-attr]

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["errors"][0]["found"] == "stopped"
    assert client.get("/health/live").status_code == 200


def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    told = threading.Event()
    app = create_app(settings_for(tmp_path / "nowhere", tmp_path), on_failure=told.set)

    with TestClient(app) as client:
        assert told.wait(10)
        assert client.get("/health/ready").json()["errors"][0]["found"] == "failed"
        assert "nowhere" in str(app.state.running.failure)
