"""Prometheus reads the service in both of its formats, and finds nothing of a text there."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from riskmodel.service.app import create_app
from riskmodel.service.settings import Settings

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def http(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    database = tmp_path_factory.mktemp("casebook") / "riskmodel.db"
    app = create_app(Settings(model=str(tiny_model), threads=1, auth="off", database_url=f"sqlite:///{database}"))
    with TestClient(app) as client:
        deadline = time.monotonic() + 30
        while client.get("/health/ready").status_code != 200:
            assert time.monotonic() < deadline, "the service was not ready in time"
            time.sleep(0.02)
        yield client


def value(families: Iterator[Metric], name: str, **labels: str) -> float:
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if sample.labels.items() >= labels.items())


def test_what_was_done_is_counted(http: TestClient) -> None:
    before = http.get("/metrics").text
    http.post("/predict", json={"text": "The parcel is late", "id": "one"})
    http.post("/predict", json={"text": ""})
    http.post("/predict/batch", json={"escalations": [{"text": ""}, {"text": "Thanks"}]})
    after = http.get("/metrics").text

    def more(name: str, **labels: str) -> float:
        return value(parse(after), name, **labels) - value(parse(before), name, **labels)

    assert more("riskmodel_requests_total", route="/predict", status="200") == 1
    assert more("riskmodel_requests_total", route="/predict", status="422") == 1
    assert more("riskmodel_request_duration_seconds_count", route="/predict") == 2
    assert more("riskmodel_assessments_total", version="tiny") == 2
    assert more("riskmodel_problems_total", slug="invalid-escalation") == 2  # one of them in a batch
    assert value(parse(after), "riskmodel_model_info", version="tiny") == 1


def test_nothing_of_what_was_sent_is_in_it(http: TestClient) -> None:
    http.post("/predict?who=Marisol", json={"text": "Marisol lost a parcel", "id": "Marisol-7"})
    http.post("/predict", json={"text": "x", "Marisol": 1})
    http.get("/Marisol")
    http.request("MARISOL", "/predict")

    assert "marisol" not in http.get("/metrics").text.lower()


def test_openmetrics_is_sent_where_it_is_asked_for(http: TestClient) -> None:
    plain, openmetrics = http.get("/metrics"), http.get("/metrics", headers={"Accept": OPENMETRICS})

    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.text.endswith("# EOF\n")
    assert value(parse_openmetrics(openmetrics.text), "riskmodel_model_info", version="tiny") == 1
