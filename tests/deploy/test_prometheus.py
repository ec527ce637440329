"""Rules are valid PromQL over metrics and labels that the service exports, and alerts tell only what they know."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import promql_parser
import pytest
from prometheus_client.metrics import MetricWrapperBase

from riskmodel.service.metrics import Metrics, Reason
from tests.deploy.files import COMPOSE, PROMETHEUS, read_yaml, routes

RULES: list[dict[str, Any]] = [
    rule for group in read_yaml(PROMETHEUS / "rules.yml")["groups"] for rule in group["rules"]
]
FROM_PROMETHEUS = {"up": {"job", "instance"}}
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}
ADDED = {"job", "instance", "namespace", "pod", "le"}


def exported() -> dict[str, set[str]]:
    """Return the label names of every series that the service exports."""
    registry = Metrics().registry
    found = dict(FROM_PROMETHEUS)
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            labels = {*collector._labelnames, *(("version",) if collector._type == "info" else ())}
            found |= {collector._name + suffix: labels for suffix in SUFFIXES[collector._type]}
    return found


def selectors(expression: Any) -> Iterator[Any]:
    """Return every selector in an expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector
    else:
        for name in ("lhs", "rhs", "expr", "param"):
            child = getattr(expression, name, None)
            if child is not None:
                yield from selectors(child)
        for child in getattr(expression, "args", None) or []:
            yield from selectors(child)


def parsed(query: str) -> Any:
    return promql_parser.parse(query)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_reads_only_what_is_exported(rule: dict[str, Any]) -> None:
    known = exported() | {one["record"]: {"language"} for one in RULES if "record" in one}

    found = list(selectors(parsed(rule["expr"])))

    assert found
    for selector in found:
        assert selector.name in known
        for matcher in selector.matchers.matchers:
            assert matcher.name in known[selector.name] | ADDED


@pytest.mark.parametrize("rule", [rule for rule in RULES if "alert" in rule], ids=lambda rule: rule["alert"])
def test_an_alert_tells_only_labels_that_its_result_has(rule: dict[str, Any]) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["description"]))
    grouped = set(re.findall(r"by \(([\w, ]+)\)", rule["expr"]))
    keeps_all = "by (" not in rule["expr"]

    assert rule["labels"]["severity"] in ("page", "look")
    assert rule["annotations"]["summary"]
    for label in told:
        assert keeps_all or any(label in names for names in grouped)


def test_reasons_and_routes_that_rules_name_exist() -> None:
    text = (PROMETHEUS / "rules.yml").read_text(encoding="utf-8")
    reasons = {reason for named in re.findall(r'reason=~"([^"]+)"', text) for reason in named.split("|")}

    assert reasons
    assert reasons <= set(get_args(Reason))
    assert set(re.findall(r'route="([^"]+)"', text)) <= routes()


def test_a_query_over_a_metric_that_is_not_there_would_be_noticed() -> None:
    (selector,) = selectors(parsed('sum(rate(riskmodel_requests{route="/predict"}[5m]))'))

    assert selector.name not in exported()


def test_the_adapters_query_is_one_once_its_places_are_filled() -> None:
    (rule,) = read_yaml(PROMETHEUS / "adapter.yaml")["rules"]["custom"]
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'namespace="riskmodel"')

    (selector,) = selectors(parsed(query.replace("<<.Series>>", "riskmodel_escalations_waiting")))

    assert selector.name in exported()


def test_prometheus_loads_the_rules_and_is_given_them() -> None:
    configured = read_yaml(PROMETHEUS / "prometheus.yml")
    mounted = read_yaml(COMPOSE)["services"]["prometheus"]["volumes"]

    assert configured["rule_files"] == ["rules.yml"]
    assert "./prometheus/rules.yml:/etc/prometheus/rules.yml:ro" in mounted
    for name in ("prometheus.yml", "kubernetes.yml"):
        jobs = {job["job_name"] for job in read_yaml(PROMETHEUS / name)["scrape_configs"]}
        assert {matched for rule in RULES for matched in re.findall(r'up\{job="(\w+)"', rule["expr"])} <= jobs
