"""Hand-offs by key: a team sees and changes its own only, analysts see all, clients see none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from riskmodel.casebook import Role
from riskmodel.service.running import Parts
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.review.made import REVIEW
from tests.riskmodel.service.desk_file import write_desk_file
from tests.riskmodel.service.served import bearer, new_key, serving, slug
from tests.service import settings_for

KEYS: dict[str, Role] = {"crisis_response": "team", "abuse_response": "team", "ana": "analyst", "tool": "client"}


class Api:
    """The service, as somebody with a key uses it."""

    def __init__(self, http: TestClient, secrets: dict[str, str]) -> None:
        self._http = http
        self._secrets = secrets

    @property
    def parts(self) -> Parts:
        parts: Parts = self._http.app.state.running.parts  # type: ignore[attr-defined]
        return parts

    def get(self, who: str, path: str) -> httpx2.Response:
        return self._http.get(path, headers=bearer(self._secrets[who]))

    def post(self, who: str, path: str, **body: Any) -> httpx2.Response:
        return self._http.post(path, json=body, headers=bearer(self._secrets[who]))

    def keep(self, id_: str, **changes: Any) -> None:
        act_by = datetime.now(UTC) + timedelta(hours=4)
        self.parts.casebook.keep([make_rated(id_, act_by=act_by, **changes)])

    def opened(self, id_: str, **body: Any) -> int:
        self.keep(id_)
        answer = self.post("ana", "/handoffs", client="desk", id=id_, **body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["handoff"]["number"])


@pytest.fixture(scope="module")
def _open_api(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("handoffs")
    settings = settings_for(tiny_model, folder, auth="on", rounds="off", desk=str(write_desk_file(folder)))
    secrets = {name: new_key(settings, role, name)[1] for name, role in KEYS.items()}
    with serving(settings) as http:
        yield Api(http, secrets)


@pytest.fixture
def api(_open_api: Api) -> Api:
    _open_api.parts.casebook.forget(before=datetime.now(UTC) + timedelta(days=1))
    return _open_api


def test_a_team_reads_acknowledges_and_mitigates_what_it_was_given(api: Api) -> None:
    number = api.opened("a", note="please look")

    seen = api.get("crisis_response", f"/handoffs/{number}").json()
    acknowledged = api.post("crisis_response", f"/handoffs/{number}/acknowledge", version=1)
    mitigated = api.post("crisis_response", f"/handoffs/{number}/mitigate", actions=["removed"], note="gone", version=2)

    assert seen["document"]["escalation"]["text"] == "Vai na escola amanhã às 18:00, ligue [phone]."
    assert (seen["handoff"]["state"], seen["handoff"]["delivery"]) == ("open", "on its way")
    assert (acknowledged.status_code, mitigated.status_code) == (200, 200)
    answer = mitigated.json()
    assert (answer["handoff"]["state"], answer["handoff"]["actions"]) == ("mitigated", ["removed"])
    assert [(event["kind"], event["way"], event["actor"]) for event in answer["events"]] == [
        ("opened", "desk", None),  # the analyst's name is nobody's business outside
        ("acknowledged", "key", "crisis_response"),
        ("mitigated", "key", "crisis_response"),
    ]
    assert api.get("ana", f"/handoffs/{number}").json()["events"][0]["actor"] == "ana"


def test_another_teams_hand_off_is_unknown_and_not_listed(api: Api) -> None:
    number = api.opened("a")
    for answer in (
        api.get("abuse_response", f"/handoffs/{number}"),
        api.post("abuse_response", f"/handoffs/{number}/acknowledge"),
        api.post("abuse_response", f"/handoffs/{number}/refuse", reason="no"),
        api.post("abuse_response", f"/handoffs/{number}/mitigate", actions=["removed"]),
    ):
        assert (answer.status_code, slug(answer.json())) == (404, "unknown-handoff")
    assert api.get("abuse_response", "/handoffs?team=crisis_response").json()["handoffs"] == []


def test_a_team_does_nothing_else_and_a_client_does_nothing_here(api: Api) -> None:
    number = api.opened("a")
    for who, method, path in (
        ("crisis_response", "post", "/predict"),
        ("crisis_response", "get", "/escalations"),
        ("crisis_response", "post", "/handoffs"),
        ("crisis_response", "post", f"/handoffs/{number}/withdraw"),
        ("tool", "get", "/handoffs"),
        ("tool", "get", f"/handoffs/{number}"),
        ("tool", "post", f"/handoffs/{number}/acknowledge"),
    ):
        answer = getattr(api, method)(who, path)
        assert (answer.status_code, slug(answer.json())) == (403, "role"), path


def test_pages_are_filtered_and_go_on(api: Api) -> None:
    numbers = [api.opened(f"a-{at}") for at in range(3)]
    other = api.opened("b", team="abuse_response")
    api.post("ana", f"/handoffs/{numbers[0]}/withdraw", reason="a mistake")

    first = api.get("ana", "/handoffs?limit=2").json()
    second = api.get("ana", f"/handoffs?limit=2&cursor={first['next']}").json()

    assert [row["number"] for page in (first, second) for row in page["handoffs"]] == [other, *numbers[::-1]]
    assert second["next"] is None
    assert [row["number"] for row in api.get("crisis_response", "/handoffs?state=open").json()["handoffs"]] == [
        numbers[2],
        numbers[1],
    ]


def test_refused_it_goes_to_another_team(api: Api) -> None:
    number = api.opened("a")
    refused = api.post("crisis_response", f"/handoffs/{number}/refuse", reason="no threat here")
    waits = api.get("ana", "/handoffs?needs_desk=true").json()["handoffs"]
    followed = api.post("ana", "/handoffs", client="desk", id="a", team="abuse_response", follows=number)

    assert refused.json()["handoff"]["state"] == "refused" and [row["number"] for row in waits] == [number]
    assert (followed.status_code, followed.json()["handoff"]["follows"]) == (201, number)


def test_what_cannot_be_is_named_and_no_value_repeated(api: Api) -> None:
    api.keep("waits", decision=REVIEW)
    number = api.opened("a")
    refused = [
        (api.post("ana", "/handoffs", client="desk", id="waits"), 422, "invalid-handoff", "case"),
        (api.post("ana", "/handoffs", client="desk", id="a", team="secret team"), 422, "invalid-handoff", "team"),
        (api.post("ana", "/handoffs", client="desk", id="a"), 422, "invalid-handoff", "team"),
        (api.post("ana", "/handoffs", client="desk", id="secret"), 404, "unknown-escalation", None),
        (api.post("ana", "/handoffs", client="desk"), 422, "invalid-body", "id"),
        (api.post("crisis_response", f"/handoffs/{number}/refuse", reason=" "), 422, "invalid-handoff", "reason"),
        (api.post("crisis_response", f"/handoffs/{number}/refuse"), 422, "invalid-body", "reason"),
        (
            api.post("crisis_response", f"/handoffs/{number}/mitigate", actions=["secret"]),
            422,
            "invalid-body",
            "actions",
        ),
        (
            api.post("crisis_response", f"/handoffs/{number}/mitigate", actions=["no action"]),
            422,
            "invalid-handoff",
            "reason",
        ),
        (api.post("crisis_response", f"/handoffs/{number}/acknowledge", version=7), 409, "handoff-state", None),
        (api.get("ana", "/handoffs?state=secret"), 422, "invalid-request", "state"),
        (api.get("ana", "/handoffs?cursor=secret"), 422, "cursor", None),
        (api.get("ana", "/handoffs/999999"), 404, "unknown-handoff", None),
    ]
    for answer, status, kind, field in refused:
        problem = answer.json()
        assert (answer.status_code, slug(problem)) == (status, kind), problem
        assert [fault["field"] for fault in problem["errors"]] == ([] if field is None else [field]), problem
        assert "secret" not in answer.text


def test_who_read_a_hand_off_is_recorded(api: Api) -> None:
    number = api.opened("a")
    api.get("crisis_response", f"/handoffs/{number}")
    event = api.parts.casebook.trail.page(limit=1)[0].event
    assert (event.actor, event.role, event.action, event.subject) == (
        "crisis_response",
        "team",
        "read hand-off",
        str(number),
    )
