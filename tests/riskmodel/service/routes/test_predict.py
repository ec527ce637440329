"""One escalation or a batch: rated in order, under the ids that were sent."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from riskmodel.casebook import packed
from riskmodel.casebook.tables import VECTORS
from riskmodel.policy import load_policy
from riskmodel.service.running import Running

PARCEL = {"text": "The parcel is late and the seller does not answer."}


def test_an_escalation_without_an_id_gets_one(service: TestClient) -> None:
    first, second = (service.post("/predict", json=PARCEL).json()["id"] for _ in range(2))

    assert first != second


def test_the_answer_is_json_in_the_words_that_were_sent(service: TestClient) -> None:
    response = service.post("/predict", json={"text": "Vendieron 😀 copias piratas de mi canción en la feria"})

    assert response.headers["content-type"] == "application/json"
    assert response.json()["decision"]["route"] in ("auto", "review")


def test_without_a_time_the_deadline_counts_from_now(service: TestClient) -> None:
    answer = service.post("/predict", json=PARCEL).json()

    act_by, now = datetime.fromisoformat(answer["act_by"]), datetime.now(UTC)
    earliest = load_policy().act_by(answer["rating"], now - timedelta(seconds=10), answer["team"])
    assert earliest <= act_by <= load_policy().act_by(answer["rating"], now, answer["team"])


def test_a_batch_is_rated_in_order(service: TestClient) -> None:
    batch = [PARCEL | {"id": f"e{at}"} for at in range(40)]

    results = service.post("/predict/batch", json={"escalations": batch}).json()["results"]

    assert [result["id"] for result in results] == [f"e{at}" for at in range(40)]


def test_a_batch_says_the_same_as_one_by_one(service: TestClient) -> None:
    escalation = PARCEL | {"id": "a", "received_at": "2026-03-02T09:00:00Z"}

    single = service.post("/predict", json=escalation).json()
    (batched,) = service.post("/predict/batch", json={"escalations": [escalation]}).json()["results"]

    assert batched == single


def test_an_empty_batch_has_no_results(service: TestClient) -> None:
    assert service.post("/predict/batch", json={"escalations": []}).json() == {"results": []}


def test_how_far_the_source_is_trusted_is_kept_with_the_case(service: TestClient) -> None:
    trusted = PARCEL | {"id": "trusted", "reliability": "B", "credibility": 2, "reporter": "acct-77"}

    service.post("/predict", json=trusted)
    case = service.get("/escalations/trusted").json()

    assert (case["reliability"], case["credibility"], case["reporter"]) == ("B", 2, "acct-77")


def test_the_vector_of_the_answer_is_kept(service: TestClient) -> None:
    answer = service.post("/predict", json=PARCEL | {"id": "with-vector"}).json()

    running: Running = service.app.state.running  # type: ignore[attr-defined]
    database = running.parts.casebook.database
    number = running.parts.casebook.get("with-vector").number
    statement = sa.select(VECTORS).where(VECTORS.c.escalation == number)
    (row,) = database.read(lambda connection: connection.execute(statement).all())
    (encoding,) = running.models.current().model.encoder.encode([PARCEL["text"]])
    assert row.vector == packed(encoding.vector)
    assert row.model_version == answer["model"]["version"]
