"""One escalation or a batch: rated in order, under the ids that were sent."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from riskmodel.policy import load_policy

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
