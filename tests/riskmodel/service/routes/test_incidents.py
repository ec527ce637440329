"""Incidents for machines: pages by cursor, one with its reasons, and edits by client and id."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.riskmodel.casework.incidents.made import Reports, story, told
from tests.riskmodel.service.served import serving, slug
from tests.service import settings_for

TOLD = ("a boat sells fuel at night", "se vende combustible de noche", "vendem gasolina num barco")


@pytest.fixture(scope="module")
def http(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(settings_for(tiny_model, tmp_path_factory.mktemp("incidents"), rounds="off")) as client:
        reports = Reports(client.app.state.running.parts.casebook)  # type: ignore[attr-defined]
        for event in range(3):
            for teller in range(3):
                vector = told(event, 0.8, by=100 * event + teller) if teller else story(event)
                where = {"hours": event + teller / 10, "client": f"client-{teller}", "text": TOLD[teller]}
                reports.add(f"e{event}-{teller}", vector, **where)
        reports.joiner.round()
        yield client


def test_incidents_come_page_by_page_the_newest_first(http: TestClient) -> None:
    first = http.get("/incidents", params={"limit": 2}).json()
    second = http.get("/incidents", params={"limit": 2, "cursor": first["next"]}).json()

    seen = [one["last_at"] for one in (*first["incidents"], *second["incidents"])]
    assert len(seen) == 3
    assert seen == sorted(seen, reverse=True)
    assert second["next"] is None


def test_one_incident_tells_its_reports_and_why(http: TestClient) -> None:
    number = http.get("/incidents", params={"corroborated": True}).json()["incidents"][-1]["number"]

    answer = http.get(f"/incidents/{number}").json()

    assert [one["id"] for one in answer["reports"]] == ["e0-2", "e0-1", "e0-0"]
    opened = answer["timeline"][0]
    assert (opened["kind"], opened["id"], opened["other"]) == ("opened", "e0-1", "e0-0")
    assert opened["score"] > 0
    assert opened["shared"][0]["kind"] == "text"
    assert answer["incident"]["sources"] == sum(one["independent"] for one in answer["reports"])
    assert "text" not in answer["reports"][0]


def test_reports_are_taken_out_and_put_back_by_client_and_id(http: TestClient) -> None:
    number = http.get("/incidents").json()["incidents"][0]["number"]
    which = {"client": "client-2", "id": "e2-2"}

    apart = http.post(f"/incidents/{number}/split", json={"reports": [which]}).json()
    back = http.post(f"/incidents/{number}/reports", json=which).json()
    named = http.post(f"/incidents/{number}/name", json={"name": "Boats"}).json()

    assert [one["id"] for one in apart["reports"]] == ["e2-2"]
    assert back["incident"]["reports"] == 3
    assert named["incident"]["name"] == "Boats"


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/incidents/99999/name", {"name": "x"}, 404, "unknown-incident"),
        ("/incidents/1/split", {"reports": []}, 422, "invalid-body"),
        ("/incidents/1/merge", {"other": 1}, 422, "invalid-incident"),
        ("/incidents/1/reports", {"client": "client-0", "id": "none"}, 404, "unknown-escalation"),
        ("/incidents/1/name", {"name": "x", "more": 1}, 422, "invalid-body"),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    path: str, body: dict[str, object], status: int, kind: str, http: TestClient
) -> None:
    answer = http.post(path, json=body)

    assert (answer.status_code, slug(answer.json())) == (status, kind)


def test_campaigns_are_listed_and_unknown_ones_unknown(http: TestClient) -> None:
    assert http.get("/campaigns").json() == {"campaigns": [], "next": None}
    assert http.get("/campaigns/1").status_code == 404
    assert http.get("/incidents", params={"cursor": "x"}).status_code == 422
