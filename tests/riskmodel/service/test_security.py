"""Nobody gets in without a key, nobody does more than its role may, and every answer keeps a browser from harm."""

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from riskmodel.casebook import ROLES, Role, open_casebook
from riskmodel.errors import SettingsError
from riskmodel.service import security
from riskmodel.service.app import create_app
from riskmodel.service.headers import ALWAYS
from riskmodel.service.settings import Settings, read_settings
from tests.riskmodel.service.page.office import Browser
from tests.riskmodel.service.served import PARCEL, SECONDS, bearer, new_key, serving, slug
from tests.service import settings_for

TRUSTED_SECONDS = 0.2
OPEN = re.compile(r"/health/.*|/metrics|/docs.*|/openapi\.json|/static-offline-docs/.*")
# The least role of every other route, and a request that is right but for its key.
ROUTES: Mapping[tuple[str, str], tuple[Role, str, Any]] = {
    ("POST", "/predict"): ("client", "/predict", PARCEL),
    ("POST", "/predict/batch"): ("client", "/predict/batch", {"escalations": [PARCEL]}),
    ("POST", "/v1/moderations"): ("client", "/v1/moderations", {"input": PARCEL["text"]}),
    ("GET", "/model"): ("client", "/model", None),
    ("GET", "/escalations"): ("client", "/escalations", None),
    ("GET", "/escalations/{id}"): ("client", "/escalations/none", None),
    ("DELETE", "/escalations/{id}"): ("admin", "/escalations/none", None),
    ("GET", "/audit"): ("admin", "/audit", None),
    ("GET", "/reports/{id}"): ("lead", "/reports/none", None),
    ("GET", "/incidents"): ("analyst", "/incidents", None),
    ("GET", "/incidents/{number}"): ("analyst", "/incidents/1", None),
    ("POST", "/incidents/{number}/reports"): ("analyst", "/incidents/1/reports", {"client": "a", "id": "b"}),
    ("POST", "/incidents/{number}/split"): ("analyst", "/incidents/1/split", {"reports": [{"client": "a", "id": "b"}]}),
    ("POST", "/incidents/{number}/merge"): ("analyst", "/incidents/1/merge", {"other": 2}),
    ("POST", "/incidents/{number}/name"): ("analyst", "/incidents/1/name", {"name": "a"}),
    ("POST", "/handoffs"): ("analyst", "/handoffs", {"client": "a", "id": "b"}),
    ("POST", "/handoffs/{number}/withdraw"): ("analyst", "/handoffs/1/withdraw", {"reason": "a"}),
    ("POST", "/questions"): (
        "analyst",
        "/questions",
        {"client": "a", "id": "b", "to": "user_support", "text": "a", "due_at": "2030-01-31T18:00:00Z"},
    ),
    ("POST", "/questions/{number}/withdraw"): ("analyst", "/questions/1/withdraw", None),
    ("POST", "/questions/{number}/rate-again"): ("analyst", "/questions/1/rate-again", None),
    ("GET", "/campaigns"): ("analyst", "/campaigns", None),
    ("GET", "/campaigns/{number}"): ("analyst", "/campaigns/1", None),
}
# Open to the keys of teams, each to its own hand-offs and questions, and to analysts and those above them.
TEAMS: Mapping[tuple[str, str], tuple[str, Any]] = {
    ("GET", "/handoffs"): ("/handoffs", None),
    ("GET", "/handoffs/{number}"): ("/handoffs/1", None),
    ("POST", "/handoffs/{number}/acknowledge"): ("/handoffs/1/acknowledge", {}),
    ("POST", "/handoffs/{number}/refuse"): ("/handoffs/1/refuse", {"reason": "a"}),
    ("POST", "/handoffs/{number}/mitigate"): ("/handoffs/1/mitigate", {"actions": ["removed"]}),
    ("GET", "/questions"): ("/questions", None),
    ("GET", "/questions/{number}"): ("/questions/1", None),
    ("POST", "/questions/{number}/answer"): ("/questions/1/answer", {"text": "a"}),
}
# Links that let a person act without an account; who has the token has the right.
LINKS = {(method, f"/{what}/t/{{token}}") for what in ("handoffs", "questions") for method in ("GET", "POST")}
# The least role of every page and action of the review desk, where people sign in; None for what a stranger may see.
PAGES: Mapping[tuple[str, str], Role | None] = {
    ("GET", "/review/login"): None,
    ("POST", "/review/login"): None,
    ("POST", "/review/logout"): None,
    ("GET", "/review/language/{language}"): None,
    ("GET", "/review/static/{name}"): None,
    ("GET", "/review"): "analyst",
    ("GET", "/review/rows"): "analyst",
    ("GET", "/review/waiting"): "analyst",
    ("GET", "/review/cases/{number}"): "analyst",
    ("POST", "/review/next"): "analyst",
    ("POST", "/review/cases/{number}/take"): "analyst",
    ("POST", "/review/cases/{number}/heartbeat"): "analyst",
    ("POST", "/review/cases/{number}/hold"): "analyst",
    ("POST", "/review/cases/{number}/release"): "analyst",
    ("POST", "/review/cases/{number}/hand-over"): "analyst",
    ("POST", "/review/cases/{number}/verdict"): "analyst",
    ("POST", "/review/verdicts/{number}/undo"): "analyst",
    ("GET", "/review/incidents"): "analyst",
    ("GET", "/review/incidents/{number}"): "analyst",
    ("POST", "/review/incidents/{number}/name"): "analyst",
    ("POST", "/review/incidents/{number}/split"): "analyst",
    ("POST", "/review/incidents/{number}/add"): "analyst",
    ("POST", "/review/incidents/{number}/merge"): "analyst",
    ("GET", "/review/campaigns"): "analyst",
    ("GET", "/review/campaigns/{number}"): "analyst",
    ("GET", "/review/handoffs"): "analyst",
    ("GET", "/review/handoffs/rows"): "analyst",
    ("GET", "/review/handoffs/{number}"): "analyst",
    ("POST", "/review/cases/{number}/hand-off"): "analyst",
    ("POST", "/review/handoffs/{number}/hand-on"): "analyst",
    ("POST", "/review/handoffs/{number}/acknowledge"): "analyst",
    ("POST", "/review/handoffs/{number}/refuse"): "analyst",
    ("POST", "/review/handoffs/{number}/mitigate"): "analyst",
    ("POST", "/review/handoffs/{number}/withdraw"): "analyst",
    ("POST", "/review/messages/{number}/again"): "analyst",
    ("POST", "/review/cases/{number}/ask"): "analyst",
    ("POST", "/review/cases/{number}/questions/{question}/answer"): "analyst",
    ("POST", "/review/cases/{number}/questions/{question}/withdraw"): "analyst",
    ("POST", "/review/cases/{number}/rate-again"): "analyst",
    ("GET", "/review/board"): "lead",
    ("GET", "/review/board/places"): "lead",
    ("GET", "/review/quality"): "lead",
    ("GET", "/review/reports"): "lead",
    ("POST", "/review/reports"): "lead",
    ("POST", "/review/reports/schedules"): "lead",
    ("POST", "/review/reports/schedules/{number}/end"): "lead",
    ("GET", "/review/reports/{id}"): "lead",
    ("POST", "/review/reports/{id}/again"): "lead",
    ("GET", "/review/reports/{id}/file/{form}"): "lead",
}
CLOSED_PAGES = [route for route, role in PAGES.items() if role is not None]


@dataclass(frozen=True)
class Guarded:
    """A service with keys on, and a key of each role."""

    http: TestClient
    settings: Settings
    secrets: dict[str, str]

    def send(self, name: str, method: str, path: str, **given: Any) -> httpx2.Response:
        return self.http.request(method, path, headers=bearer(self.secrets[name]), **given)


@pytest.fixture(scope="module")
def guarded(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    settings = settings_for(tiny_model, tmp_path_factory.mktemp("guarded"), auth="on")
    secrets = {role: new_key(settings, role, role)[1] for role in ROLES}
    secrets["other"] = new_key(settings, "client", "other")[1]
    with serving(settings) as http:
        yield Guarded(http, settings, secrets)


@pytest.fixture
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "TRUSTED_SECONDS", TRUSTED_SECONDS)


def wait_for(answered: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not answered():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def routes_of(http: TestClient) -> set[tuple[str, str]]:
    return {
        (method, context.path_format or context.path or "")
        for context in iter_route_contexts(http.app.routes)  # type: ignore[attr-defined]
        for method in context.methods or {"GET"}
    }


def test_every_route_states_its_role_or_is_open_on_purpose(guarded: Guarded) -> None:
    routes = routes_of(guarded.http)

    assert {route for route in routes if not OPEN.fullmatch(route[1])} == {*ROUTES, *PAGES, *TEAMS, *LINKS}


@pytest.fixture(scope="module")
def browsers(guarded: Guarded) -> dict[str, Browser]:
    """Return the browser of a stranger, and of somebody of each role who tried to log in."""
    found = {name: Browser(TestClient(guarded.http.app, base_url="http://desk")) for name in ("stranger", *ROLES)}
    for role in ROLES:
        found[role].log_in(guarded.secrets[role])
    return found


@pytest.mark.parametrize("route", CLOSED_PAGES, ids=" ".join)
def test_a_page_shows_and_does_nothing_for_anybody_below_its_role(
    route: tuple[str, str], browsers: dict[str, Browser]
) -> None:
    least, path = PAGES[route], re.sub("{.*?}", "999999", route[1])

    found = {name: visit(browser, route[0], path) for name, browser in browsers.items()}

    let_in = {name for name, response in found.items() if not is_turned_away(response)}
    assert least is not None
    assert let_in == set(ROLES[ROLES.index(least) :])
    assert {found[name].status_code for name in let_in} <= {200, 303, 404, 422}


def visit(browser: Browser, method: str, path: str) -> httpx2.Response:
    return browser.post(path) if method == "POST" else browser.http.get(path, follow_redirects=False)


def is_turned_away(response: httpx2.Response) -> bool:
    to_sign_in = response.status_code in (302, 303) and response.headers["location"].startswith("/review/login")
    return to_sign_in or response.status_code in (401, 403)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_lets_nobody_in_below_its_role(route: tuple[str, str], guarded: Guarded) -> None:
    least, path, body = ROUTES[route]

    found = {role: guarded.send(role, route[0], path, json=body).status_code for role in ROLES}
    without = guarded.http.request(route[0], path, json=body)

    allowed = ROLES[ROLES.index(least) :]
    assert {role for role, status in found.items() if status != 403} == set(allowed)
    assert {found[role] for role in allowed} <= {200, 404}
    assert without.status_code == 401


@pytest.mark.parametrize("route", TEAMS, ids=" ".join)
def test_a_route_for_teams_lets_in_analysts_too_and_no_client(route: tuple[str, str], guarded: Guarded) -> None:
    path, body = TEAMS[route]

    found = {role: guarded.send(role, route[0], path, json=body).status_code for role in ROLES}
    without = guarded.http.request(route[0], path, json=body)

    assert {role for role, status in found.items() if status == 403} == {"client"}
    assert {status for role, status in found.items() if role != "client"} <= {200, 404}
    assert without.status_code == 401


@pytest.mark.parametrize("route", sorted(LINKS), ids=" ".join)
def test_a_link_that_opens_nothing_shows_nothing(route: tuple[str, str], guarded: Guarded) -> None:
    response = guarded.http.request(route[0], route[1].replace("{token}", "A" * 43))

    assert response.status_code in (403, 404)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"])
def test_what_watches_the_service_needs_no_key(path: str, guarded: Guarded) -> None:
    assert guarded.http.get(path).status_code == 200


def test_a_role_that_does_not_suffice_is_told_which_would(guarded: Guarded) -> None:
    problem = guarded.send("client", "GET", "/audit").json()

    assert problem["status"] == 403
    assert problem["errors"] == [{"field": "role", "found": "client", "expected": "admin"}]


SOME_KEY = "rk_abcdefgh_" + "A" * 43


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(SOME_KEY),
        bearer("nothing like a key"),
        bearer("é" * 20),
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {SOME_KEY}"},
        {"Authorization": SOME_KEY},
        {"X-API-Key": ""},
        {"X-API-Key": SOME_KEY},
        {"X-API-Key": "x" * 10_000},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_no_key_or_a_wrong_one_is_refused_the_same_way(headers: dict[str, str], guarded: Guarded) -> None:
    sent = {name.encode(): value.encode() for name, value in headers.items()}

    response = guarded.http.post("/predict", json=PARCEL, headers=sent)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"
    assert SOME_KEY not in response.text


def test_a_key_works_as_bearer_and_as_header(guarded: Guarded) -> None:
    secret = guarded.secrets["client"]

    statuses = {
        guarded.http.post("/predict", json=PARCEL, headers=headers).status_code
        for headers in (bearer(secret), {"authorization": f"bearer {secret}"}, {"X-API-Key": secret})
    }

    assert statuses == {200}


def test_half_a_key_lets_nobody_in(guarded: Guarded) -> None:
    secret = guarded.secrets["admin"]
    of_another = secret[:12] + guarded.secrets["client"][12:]

    for wrong in (secret[:-1], secret + "A", secret.swapcase(), of_another, secret.replace("rk_", "")):
        assert guarded.http.get("/model", headers=bearer(wrong)).status_code == 401


def test_nothing_of_a_body_is_read_before_its_key(guarded: Guarded) -> None:
    def body() -> Iterator[bytes]:
        yield from (b" " * 1_000_000 for _ in range(40))

    response = guarded.http.post("/predict", content=body(), headers={"Content-Type": "text/plain"})

    assert response.status_code == 401


@pytest.mark.usefixtures("_forgetful")
def test_a_revoked_key_is_refused_within_seconds_and_for_good(guarded: Guarded) -> None:
    key_id, secret = new_key(guarded.settings, "client")
    assert guarded.http.get("/model", headers=bearer(secret)).status_code == 200

    with closing(open_casebook(guarded.settings.database_url)) as casebook:
        casebook.keys.revoke(key_id, datetime.now(UTC))
    revoked_at = time.monotonic()
    wait_for(lambda: guarded.http.get("/model", headers=bearer(secret)).status_code == 401)

    assert time.monotonic() - revoked_at < TRUSTED_SECONDS + 1
    time.sleep(TRUSTED_SECONDS)
    assert guarded.http.get("/model", headers=bearer(secret)).status_code == 401


def test_a_key_that_expires_is_refused_from_that_moment_on_though_it_was_remembered(guarded: Guarded) -> None:
    end = datetime.now(UTC) + timedelta(seconds=1)
    _, secret = new_key(guarded.settings, "client", expires_at=end)
    assert guarded.http.get("/model", headers=bearer(secret)).status_code == 200

    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()))

    assert guarded.http.get("/model", headers=bearer(secret)).status_code == 401


@pytest.mark.usefixtures("_forgetful")
def test_a_key_that_is_made_while_the_service_runs_lets_in(guarded: Guarded) -> None:
    _, secret = new_key(guarded.settings, "client")

    assert guarded.http.get("/model", headers=bearer(secret)).status_code == 200


def test_a_client_sees_its_own_escalations_and_nothing_of_others(guarded: Guarded) -> None:
    mine, theirs = (guarded.send(name, "POST", "/predict", json=PARCEL).json()["id"] for name in ("client", "other"))

    listed = guarded.send("client", "GET", "/escalations").json()["escalations"]
    asked = guarded.send("client", "GET", "/escalations?client=other").json()["escalations"]

    assert {row["client"] for row in [*listed, *asked]} == {"client"}
    assert mine in {row["id"] for row in listed}
    assert guarded.send("client", "GET", f"/escalations/{mine}").json()["text"] == PARCEL["text"]
    for path in (f"/escalations/{theirs}", f"/escalations/{theirs}?client=other", "/escalations/none"):
        response = guarded.send("client", "GET", path)
        assert (response.status_code, slug(response.json())) == (404, "unknown-escalation")
        assert PARCEL["text"] not in response.text


def test_an_analyst_sees_all_and_can_ask_for_one_client(guarded: Guarded) -> None:
    ids = {name: guarded.send(name, "POST", "/predict", json=PARCEL).json()["id"] for name in ("client", "other")}

    listed = guarded.send("analyst", "GET", "/escalations").json()["escalations"]
    asked = guarded.send("analyst", "GET", "/escalations?client=other").json()["escalations"]

    assert set(ids.values()) <= {row["id"] for row in listed}
    assert {row["client"] for row in asked} == {"other"}
    for name, id in ids.items():
        assert guarded.send("analyst", "GET", f"/escalations/{id}").json()["client"] == name


def test_an_id_that_two_clients_used_is_read_by_naming_one(guarded: Guarded) -> None:
    for name in ("client", "other"):
        guarded.send(name, "POST", "/predict", json=PARCEL | {"id": "shared"})

    both = guarded.send("analyst", "GET", "/escalations/shared")
    one = guarded.send("analyst", "GET", "/escalations/shared?client=other")
    own = guarded.send("client", "GET", "/escalations/shared")
    deleted = guarded.send("admin", "DELETE", "/escalations/shared")

    assert (both.status_code, slug(both.json()), deleted.status_code) == (409, "several", 409)
    assert (one.json()["client"], own.json()["client"]) == ("other", "client")


def test_the_trail_says_who_read_a_foreign_case_and_who_deleted_one(guarded: Guarded) -> None:
    secret_text = "Marisol lost a parcel."
    id = guarded.send("client", "POST", "/predict", json={"text": secret_text}).json()["id"]
    guarded.send("client", "GET", f"/escalations/{id}")
    guarded.http.get(
        f"/escalations/{id}", headers=bearer(guarded.secrets["analyst"]) | {"X-Request-ID": "morning-round"}
    )
    assert guarded.send("admin", "DELETE", f"/escalations/{id}").status_code == 204

    trail = guarded.send("admin", "GET", "/audit")
    mine = [entry for entry in trail.json()["entries"] if id in entry["subject"]]

    assert [(entry["actor"], entry["action"]) for entry in mine] == [
        ("admin", "forget"),
        ("analyst", "read escalation"),
    ]
    assert (mine[1]["role"], mine[1]["request_id"], mine[1]["subject"]) == ("analyst", "morning-round", f"client/{id}")
    assert re.fullmatch("[a-z0-9]{8}", mine[1]["key_id"])
    assert "Marisol" not in trail.text
    assert guarded.send("admin", "GET", f"/escalations/{id}").status_code == 404


@pytest.mark.parametrize("id", ["case/7", "a?b#c", "100%", "..a", "~\\'\""])
def test_any_id_that_is_taken_can_be_read_and_deleted(id: str, guarded: Guarded) -> None:
    guarded.send("client", "POST", "/predict", json=PARCEL | {"id": id})
    path = "/escalations/" + "".join(f"%{byte:02X}" for byte in id.encode())

    read = guarded.send("client", "GET", path)
    deleted = guarded.send("admin", "DELETE", path)

    assert (read.status_code, read.json()["id"], deleted.status_code) == (200, id, 204)
    assert guarded.send("client", "GET", path).status_code == 404


def test_when_keys_were_last_used_is_recorded(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tiny_model, tmp_path, auth="on")
    (used, secret), (unused, _), (late, late_secret) = (new_key(settings, "client", name) for name in "abc")
    monkeypatch.setattr(security, "RECORD_SECONDS", 0.05)

    with serving(settings) as http, closing(open_casebook(settings.database_url)) as casebook:
        http.get("/model", headers=bearer(secret))
        wait_for(lambda: any(key.last_used_at is not None for key in casebook.keys.keys()))
        monkeypatch.setattr(security, "RECORD_SECONDS", 600.0)
        time.sleep(0.1)
        http.get("/model", headers=bearer(late_secret))
    with closing(open_casebook(settings.database_url)) as casebook:
        found = {key.id: key.last_used_at for key in casebook.keys.keys()}

    assert found[unused] is None
    for id in (used, late):  # the second when the service ended
        moment = found[id]
        assert moment is not None
        assert abs(datetime.now(UTC) - moment) < timedelta(seconds=60)


def test_the_rate_limit_counts_escalations_for_each_key(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path, auth="on", rate_limit="8/hour")
    one, other = (bearer(new_key(settings, "client", "tool")[1]) for _ in range(2))
    batch = {"escalations": [PARCEL] * 4 + [{"text": ""}]}

    with serving(settings) as http:
        assert http.post("/predict/batch", json={"escalations": []}, headers=one).status_code == 200
        assert http.post("/predict/batch", json=batch, headers=one).status_code == 200
        over = http.post("/predict/batch", json=batch, headers=one)
        within = [http.post("/predict", json=PARCEL, headers=one).status_code for _ in range(4)]
        moderated = http.post("/v1/moderations", json={"input": ["a text", "another"]}, headers=one)
        model = http.get("/model", headers=one)
        others = http.post("/predict/batch", json=batch, headers=other)

    assert (over.status_code, slug(over.json())) == (429, "rate-limit")
    assert 0 < int(over.headers["retry-after"]) <= 2 * 3_600
    assert within == [200, 200, 200, 429]
    assert (moderated.status_code, model.status_code, others.status_code) == (429, 200, 200)


def test_after_the_seconds_it_was_told_to_wait_a_key_gets_in_again(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path, auth="on", rate_limit="2/second")
    headers = bearer(new_key(settings, "client")[1])

    with serving(settings) as http:
        while (refused := http.post("/predict", json=PARCEL, headers=headers)).status_code == 200:
            pass
        time.sleep(int(refused.headers["retry-after"]))
        assert http.post("/predict", json=PARCEL, headers=headers).status_code == 200


def test_no_key_is_ever_logged(guarded: Guarded, logs: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    secrets = [*guarded.secrets.values(), SOME_KEY]
    for secret in secrets:
        for headers in (bearer(secret), {"X-API-Key": secret}):
            guarded.http.post("/predict", json=PARCEL, headers=headers)
            guarded.http.get("/audit", headers=headers)

    printed = capfd.readouterr()
    found = logs.getvalue() + printed.out + printed.err + guarded.http.get("/metrics").text
    assert '"route": "/audit"' in found
    assert [secret for secret in secrets if secret in found or secret[12:] in found] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "10.0.0.1", "example.com", "localhost.example.com"])
def test_keys_cannot_be_off_where_others_reach_the_service(host: str) -> None:
    with pytest.raises(SettingsError, match="AUTH is off"):
        read_settings(auth="off", host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_keys_can_be_off_on_loopback(host: str) -> None:
    assert read_settings(auth="off", host=host).is_loopback


def test_keys_are_on_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISKMODEL_AUTH", raising=False)

    assert read_settings().auth == "on"


def test_keys_that_are_off_are_told_at_start(tiny_model: Path, tmp_path: Path, logs: io.StringIO) -> None:
    with serving(settings_for(tiny_model, tmp_path)):
        pass

    assert "keys are off" in logs.getvalue()


def assert_safe(response: httpx2.Response) -> None:
    assert {name: response.headers[name] for name in ALWAYS} == ALWAYS
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-request-id"]
    assert "server" not in response.headers


@pytest.mark.parametrize(
    ("status", "method", "path", "given"),
    [
        (200, "GET", "/health/live", {}),
        (200, "POST", "/predict", {"json": PARCEL}),
        (200, "GET", "/metrics", {}),
        (200, "GET", "/docs", {}),
        (200, "GET", "/openapi.json", {}),
        (200, "GET", "/static-offline-docs/swagger-ui.css", {}),
        (400, "POST", "/predict", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        (404, "GET", "/nowhere", {}),
        (404, "GET", "/static-offline-docs/nothing.js", {}),
        (404, "GET", "/escalations/nothing", {}),
        (405, "GET", "/predict", {}),
        (413, "POST", "/predict", {"content": b" " * 34_000_000, "headers": {"Content-Type": "application/json"}}),
        (415, "POST", "/predict", {"content": b"{}"}),
        (422, "POST", "/predict", {"json": {}}),
        (422, "GET", "/escalations?limit=none", {}),
    ],
)
def test_every_answer_has_its_safe_headers(
    status: int, method: str, path: str, given: dict[str, Any], service: TestClient
) -> None:
    response = service.request(method, path, **given)

    assert response.status_code == status
    assert_safe(response)
    assert response.headers["x-model-version"] == "tiny"


def test_answers_of_a_service_that_is_not_ready_or_fails_are_as_safe(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path / "nowhere", tmp_path))

    @app.get("/fault")
    async def fault() -> None:
        raise KeyError("what no code expects")

    with TestClient(app) as client:
        unready, failed = client.post("/predict", json=PARCEL), client.get("/fault")

    assert (unready.status_code, failed.status_code) == (503, 500)
    assert_safe(unready)
    assert_safe(failed)


def test_the_documentation_loads_its_own_files_only_and_its_policy_lets_it(service: TestClient) -> None:
    page = service.get("/docs")
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    files = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)

    assert len(files) >= 3
    for file in files:
        assert re.match("/[^/]", file), file
        assert service.get(file).status_code == 200
    kinds = {".js": "script-src", ".css": "style-src", ".png": "img-src"}
    needed = {kinds[Path(file).suffix] for file in files} | {"connect-src"}
    assert [name for name in needed if "'self'" not in policy[name].split()] == []
    assert ("<script>" in page.text) is ("'unsafe-inline'" in policy["script-src"].split())
