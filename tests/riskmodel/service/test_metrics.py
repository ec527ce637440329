"""What the service does is counted under bounded names, cheaply, and without a word of what was sent."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from riskmodel import RiskModel
from riskmodel.records import Assessment, Decision, Escalation
from riskmodel.service.errors import KINDS
from riskmodel.service.metrics import Metrics

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"
TEXT = "Marisol says the parcel is late"


@pytest.fixture(scope="module")
def assessment(model: RiskModel) -> Assessment:
    (found,) = model.assess([Escalation(text=TEXT, id="case-77")], NOW)
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_requests_are_counted_by_route_method_and_status() -> None:
    metrics = Metrics()

    for status, seconds in ((200, 0.004), (200, 0.2), (503, 0.001)):
        metrics.request("/predict", "POST", status, seconds)

    assert value(metrics, "riskmodel_requests_total", route="/predict", method="POST", status="200") == 2
    assert value(metrics, "riskmodel_requests_total", route="/predict", method="POST", status="503") == 1
    name = "riskmodel_request_duration_seconds"
    assert value(metrics, f"{name}_sum", route="/predict", method="POST") == pytest.approx(0.205)
    assert value(metrics, f"{name}_bucket", route="/predict", method="POST", le="0.005") == 2


def test_what_a_client_makes_up_adds_no_series() -> None:
    metrics = Metrics()

    for at in range(100):
        metrics.request(None, f"MARISOL{at}", 405, 0.001)
        metrics.errors(f"marisol-{at}")
    metrics.request(None, "GET", None, 0.001)

    assert value(metrics, "riskmodel_requests_total", route="unmatched", method="other", status="405") == 100
    assert value(metrics, "riskmodel_requests_total", route="unmatched", method="GET", status="none") == 1
    assert value(metrics, "riskmodel_problems_total", slug="other") == 100
    assert b"marisol" not in generate_latest(metrics.registry).lower()


def test_the_share_that_goes_to_a_person_can_be_computed(assessment: Assessment) -> None:
    metrics = Metrics()
    for at in range(8):
        route, language = ("review", "pt") if at < 2 else ("auto", "en")
        decision = Decision(route=route, reasons=[])
        metrics.assessed(assessment.model_copy(update={"decision": decision, "language": language}), 0.01)

    def total(**wanted: str) -> float:
        (family,) = [family for family in metrics.registry.collect() if family.name == "riskmodel_assessments"]
        counts = [sample for sample in family.samples if sample.name.endswith("_total")]
        return sum(sample.value for sample in counts if sample.labels.items() >= wanted.items())

    assert total(decision="review") / total() == 0.25
    assert total(language="pt", version="tiny") == 2


def test_languages_are_ours_undetermined_or_other(assessment: Assessment) -> None:
    metrics = Metrics()
    for language in ("en", "und", "fr", "de"):
        metrics.assessed(assessment.model_copy(update={"language": language}), 0.01)

    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    found = {sample.labels["language"]: sample.value for sample in samples if sample.name.endswith("assessments_total")}
    assert found == {"en": 1, "und": 1, "other": 2}


def test_a_problem_that_is_a_refusal_counts_as_both() -> None:
    metrics = Metrics()

    for slug in ("busy", "busy", "invalid-escalation"):
        metrics.errors(slug)

    assert value(metrics, "riskmodel_problems_total", slug="busy") == 2
    assert value(metrics, "riskmodel_problems_total", slug="invalid-escalation") == 1
    assert value(metrics, "riskmodel_refusals_total", reason="queue_full") == 2


def test_a_batch_that_is_late_in_parts_is_one_refusal() -> None:
    metrics = Metrics()

    metrics.errors("deadline", "deadline", "invalid-escalation")

    assert value(metrics, "riskmodel_problems_total", slug="deadline") == 2
    assert value(metrics, "riskmodel_problems_total", slug="invalid-escalation") == 1
    assert value(metrics, "riskmodel_refusals_total", reason="deadline") == 1


def test_problems_and_refusals_that_have_not_happened_are_zeros() -> None:
    metrics = Metrics()

    assert {value(metrics, "riskmodel_problems_total", slug=kind.slug) for kind in KINDS.values()} == {0}
    assert value(metrics, "riskmodel_refusals_total", reason="deadline") == 0


def test_the_queue_is_read_when_the_metrics_are() -> None:
    metrics, waiting = Metrics(), [3]
    metrics.queue(lambda: waiting[0], lambda: waiting[0] + 2)

    waiting[0] = 5

    assert value(metrics, "riskmodel_escalations_waiting") == 5
    assert value(metrics, "riskmodel_escalations_in_flight") == 7


def test_transactions_have_sizes() -> None:
    metrics = Metrics()

    metrics.committed(12, 0.003)

    assert value(metrics, "riskmodel_commit_rows_bucket", le="16.0") == 1
    assert value(metrics, "riskmodel_commit_rows_bucket", le="8.0") == 0
    assert value(metrics, "riskmodel_commit_duration_seconds_sum") == 0.003


def test_the_model_that_answers_is_the_only_one_named() -> None:
    metrics = Metrics()

    metrics.model_loaded("1")
    metrics.model_loaded("2")
    metrics.model_refused()
    metrics.worker_restarted()

    assert value(metrics, "riskmodel_model_info", version="2") == 1
    assert value(metrics, "riskmodel_model_info", version="1") is None
    assert value(metrics, "riskmodel_models_loaded_total") == 2
    assert value(metrics, "riskmodel_models_refused_total") == 1
    assert value(metrics, "riskmodel_worker_restarts_total") == 1


def test_applications_do_not_share_their_figures() -> None:
    one, other = Metrics(), Metrics()

    one.worker_restarted()

    assert value(other, "riskmodel_worker_restarts_total") == 0
    assert one.registry.get_sample_value("process_resident_memory_bytes")


def test_counting_a_request_costs_next_to_nothing(assessment: Assessment) -> None:
    metrics = Metrics()

    def round_seconds() -> float:
        began = time.perf_counter()
        for _ in range(500):
            metrics.request("/predict", "POST", 200, 0.01)
            metrics.assessed(assessment, 0.01)
            metrics.committed(1, 0.001)
        return (time.perf_counter() - began) / 500

    assert min(round_seconds() for _ in range(5)) < 100e-6  # 12 µs on an idle core


def test_the_documents_table_is_the_registry() -> None:
    table = re.findall(r"^\| `(riskmodel_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    metrics = Metrics()

    documented = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in table}

    suffixes = {"counter": "_total", "info": "_info"}
    registered = {
        family.name + suffixes.get(family.type, ""): "gauge" if family.type == "info" else family.type
        for family in metrics.registry.collect()
        if family.name.startswith("riskmodel_")
    }
    assert {name: kind for name, (kind, _) in documented.items()} == registered


def test_the_documents_labels_are_those_that_are_exposed(assessment: Assessment) -> None:
    table = re.findall(r"^\| `(riskmodel_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    metrics = Metrics()
    metrics.request("/predict", "POST", 200, 0.01)
    metrics.assessed(assessment, 0.01)
    metrics.model_loaded("1")
    metrics.round_made("outbox", failed=False)

    exposed: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            name = re.sub(r"_(bucket|sum|count|created)$", "", sample.name)
            exposed.setdefault(name, set()).update(set(sample.labels) - {"le"})

    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels in table} == {
        name: exposed[name] for name, _, _ in table
    }


def test_the_documents_queries_use_metrics_that_there_are() -> None:
    text = DOCUMENT.read_text("utf-8")
    listed = set(re.findall(r"^\| `(riskmodel_\w+)`", text, re.MULTILINE))
    queries = re.findall(r"```promql\n(.*?)```", text, re.DOTALL)

    assert len(queries) == 3
    assert {name.removesuffix("_bucket") for query in queries for name in re.findall(r"riskmodel_\w+", query)} <= listed
