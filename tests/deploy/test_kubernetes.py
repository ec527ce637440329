"""The manifests: probes are routes, settings are the service's, selectors find the pods, and nothing gains rights."""

from typing import Any

import pytest

from riskmodel.service.metrics import Metrics
from riskmodel.service.settings import Settings
from tests.deploy.files import (
    KUBERNETES,
    PROMETHEUS,
    accepted,
    environment_of_image,
    manifests,
    ours,
    read_yaml,
    routes,
)

KINDS = manifests()
POD: dict[str, Any] = KINDS["Deployment"]["spec"]["template"]
CONTAINER: dict[str, Any] = POD["spec"]["containers"][0]
JOB: dict[str, Any] = KINDS["Job"]["spec"]["template"]
SECRETS = {"PGPASSWORD", "RISKMODEL_SESSION_SECRET"}


def test_every_manifest_is_applied() -> None:
    listed = read_yaml(KUBERNETES / "kustomization.yaml")["resources"]

    assert sorted(listed) == sorted(
        path.name for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml"
    )


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_every_probe_asks_a_route_at_the_port_that_is_listened_on(probe: str) -> None:
    asked = CONTAINER[probe]["httpGet"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}

    assert asked["path"] in routes()
    assert ports[asked["port"]] == accepted(environment_of_image()).port


def test_liveness_does_not_depend_on_the_database_and_readiness_does() -> None:
    paths = [CONTAINER[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]

    assert paths == ["/health/live", "/health/ready"]


def test_the_settings_are_accepted() -> None:
    given = KINDS["ConfigMap"]["data"] | dict.fromkeys(SECRETS, "x" * 48)
    settings = accepted(environment_of_image() | given)
    referred = {one["name"] for one in CONTAINER["env"] if one["name"].startswith("RISKMODEL_")}

    assert settings.database_url.startswith("postgresql://")
    assert set(ours(dict.fromkeys(referred, ""))) <= set(Settings.model_fields)
    assert CONTAINER["envFrom"] == JOB["spec"]["containers"][0]["envFrom"]


def test_the_secrets_that_must_be_made_are_told_where_they_are_used() -> None:
    text = (KUBERNETES / "configmap.yaml").read_text(encoding="utf-8").splitlines()[0]

    assert [name for name in SECRETS if name not in text] == []
    assert not SECRETS & set(KINDS["ConfigMap"]["data"])


def test_no_variable_of_the_cluster_passes_for_a_setting() -> None:
    """A service of that name makes Kubernetes set RISKMODEL_PORT=tcp://..., which is no port."""
    assert KINDS["Service"]["metadata"]["name"] == "riskmodel"
    assert [pod["spec"]["enableServiceLinks"] for pod in (POD, JOB)] == [False, False]


def test_threads_are_those_of_the_container() -> None:
    (threads,) = [one for one in CONTAINER["env"] if one["name"] == "RISKMODEL_THREADS"]

    assert threads["valueFrom"]["resourceFieldRef"] == {
        "containerName": CONTAINER["name"],
        "resource": "limits.cpu",
        "divisor": "1",
    }
    assert CONTAINER["resources"]["limits"]["cpu"] == CONTAINER["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("pod", [POD, JOB], ids=["service", "migrate"])
def test_pods_keep_the_restricted_standard(pod: dict[str, Any]) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    of_pod = pod["spec"]["securityContext"]
    (container,) = pod["spec"]["containers"]
    own = container["securityContext"]

    assert of_pod["runAsNonRoot"] is True
    assert of_pod["runAsUser"] == 10001
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {next(iter(set(volume) - {"name"})) for volume in pod["spec"]["volumes"]} == {"emptyDir"}
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert KINDS["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_selector_finds_the_services_pods_and_not_the_migration() -> None:
    selectors = {
        "Deployment": KINDS["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": KINDS["Service"]["spec"]["selector"],
        "PodDisruptionBudget": KINDS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        **{
            spread["topologyKey"]: spread["labelSelector"]["matchLabels"]
            for spread in POD["spec"]["topologySpreadConstraints"]
        },
    }

    for selector in selectors.values():
        assert selector.items() <= POD["metadata"]["labels"].items()
        assert not selector.items() <= JOB["metadata"]["labels"].items()


def test_the_network_lets_in_at_the_services_port_and_out_to_what_the_settings_name() -> None:
    policy = KINDS["NetworkPolicy"]["spec"]
    let_in = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    let_out = {
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for rule in policy["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
    }

    assert let_in == {CONTAINER["ports"][0]["containerPort"]}
    assert let_out == {("kube-system", 53), ("databases", 5432), ("mlflow", 5000)}
    assert ".databases.svc" in KINDS["ConfigMap"]["data"]["RISKMODEL_DATABASE_URL"]
    assert ".mlflow.svc:5000" in KINDS["ConfigMap"]["data"]["MLFLOW_TRACKING_URI"]


def test_the_autoscaler_reads_a_metric_that_is_exported_and_that_the_adapter_serves() -> None:
    spec = KINDS["HorizontalPodAutoscaler"]["spec"]
    (asked,) = [one["pods"]["metric"]["name"] for one in spec["metrics"] if one["type"] == "Pods"]
    (rule,) = read_yaml(PROMETHEUS / "adapter.yaml")["rules"]["custom"]
    exported = {family.name for family in Metrics().registry.collect()}

    assert asked in exported
    assert rule["name"]["as"] == asked
    assert rule["seriesQuery"].startswith(asked + "{")
    assert spec["scaleTargetRef"]["name"] == KINDS["Deployment"]["metadata"]["name"]
    assert "replicas" not in KINDS["Deployment"]["spec"]
    assert spec["minReplicas"] > KINDS["PodDisruptionBudget"]["spec"]["maxUnavailable"]


def test_a_process_has_time_to_finish_what_it_let_in() -> None:
    from riskmodel.service.app import SHUTDOWN_SECONDS

    waits = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert POD["spec"]["terminationGracePeriodSeconds"] > waits + SHUTDOWN_SECONDS
