"""Questions by key: analysts ask and read all, a team sees and answers its own, clients see none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.riskmodel.service.desk_file import write_desk_file
from tests.riskmodel.service.routes.test_handoffs import KEYS, Api
from tests.riskmodel.service.served import new_key, serving, slug
from tests.service import settings_for


@pytest.fixture(scope="module")
def api(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("questions")
    settings = settings_for(tiny_model, folder, auth="on", rounds="off", desk=str(write_desk_file(folder)))
    secrets = {name: new_key(settings, role, name)[1] for name, role in KEYS.items()}
    with serving(settings) as http:
        yield Api(http, secrets)


def asking(id_: str, **changes: Any) -> dict[str, Any]:
    due_at = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
    given = {"client": "desk", "id": id_, "to": "crisis_response", "text": "Is it true?", "due_at": due_at}
    return given | changes


def asked(api: Api, id_: str, **changes: Any) -> dict[str, Any]:
    api.keep(id_)
    answer = api.post("ana", "/questions", **asking(id_, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_team_reads_and_answers_what_it_is_asked_and_nothing_else(api: Api) -> None:
    number = asked(api, "own")["number"]
    other = asked(api, "other", to="eva@example.net", language="es")["number"]

    listed = api.get("crisis_response", "/questions?state=open").json()["questions"]
    answered = api.post("crisis_response", f"/questions/{number}/answer", text="Yes.")

    assert [one["number"] for one in listed] == [number]
    assert (answered.json()["state"], answered.json()["answers"][0]["via"]) == ("answered", "key")
    assert api.get("crisis_response", f"/questions/{other}").status_code == 404
    assert api.post("crisis_response", f"/questions/{other}/answer", text="Yes.").status_code == 404
    assert slug(api.post("crisis_response", f"/questions/{number}/answer", text="No.").json()) == "question-closed"
    for path in ("/questions", f"/questions/{number}"):
        assert api.get("tool", path).status_code == 403
    assert api.post("crisis_response", "/questions", **asking("own")).status_code == 403


def test_what_was_answered_is_rated_again_and_both_assessments_are_given(api: Api) -> None:
    number = asked(api, "again")["number"]
    assert slug(api.post("ana", f"/questions/{number}/rate-again").json()) == "unknown-question"
    api.post("ana", f"/questions/{number}/answer", text="He says that he will kill her tonight at the station.")

    found = api.post("ana", f"/questions/{number}/rate-again").json()

    kept = api.get("ana", "/escalations/again?client=desk").json()["assessments"]
    assert [found["assessment"], found["before"]] == kept
    assert found["assessment"]["model"]["version"] == "tiny"
    assert datetime.fromisoformat(found["assessment"]["act_by"]) <= datetime.fromisoformat(found["before"]["act_by"])


def test_a_retry_of_the_escalation_still_gets_the_first_answer(api: Api) -> None:
    escalation = {"text": "The parcel is late.", "id": "parcel"}
    first = api.post("tool", "/predict", **escalation)
    number = api.post("ana", "/questions", **asking("parcel", client="tool")).json()["number"]
    api.post("ana", f"/questions/{number}/answer", text="It was stolen, and the courier was hurt.")
    assert api.post("ana", f"/questions/{number}/rate-again").status_code == 200

    assert api.post("tool", "/predict", **escalation).content == first.content


def test_a_question_is_withdrawn_once(api: Api) -> None:
    number = asked(api, "withdrawn")["number"]

    assert api.post("ana", f"/questions/{number}/withdraw").json()["state"] == "withdrawn"
    assert api.post("ana", f"/questions/{number}/withdraw").status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "nobody"}, "destination"),
        ({"text": " "}, "text"),
        ({"text": "x" * 2_001}, "text"),
        ({"due_at": "2020-01-01T00:00:00Z"}, "due_at"),
        ({"due_at": "9999-12-31T23:59:59-12:00"}, "due_at"),
        ({"due_at": "tomorrow"}, "due_at"),
        ({"due_at": "2026-01-01T00:00:00"}, "due_at"),
        ({"language": "fr"}, "language"),
        ({"note": "?"}, "note"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(api: Api, changes: dict[str, Any], field: str) -> None:
    api.keep("refused") if field == "destination" else None

    refused = api.post("ana", "/questions", **asking("refused", **changes))

    assert refused.status_code == 422
    assert field in [error["field"].rpartition(".")[2] for error in refused.json()["errors"]]


def test_pages_of_questions_go_back_to_the_first_one(api: Api) -> None:
    api.keep("many")
    for _ in range(5):
        api.post("ana", "/questions", **asking("many", to="abuse_response"))

    seen, before = [], ""
    while True:
        page = api.get("abuse_response", f"/questions?limit=2{before}").json()
        seen += [one["number"] for one in page["questions"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"

    assert len(seen) == 5 and seen == sorted(seen, reverse=True)
