"""What is odd but legal is rated, explained by its own words, and shown to a person where nothing can be read."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from riskmodel.policy import load_policy
from riskmodel.records import SOURCES

ODD = {
    "10,000 emoji": ("😀" * 10_000, "no readable words"),
    "one endless word": ("a" * 20_000, None),
    "only a URL": ("https://example.com/a/b?c=d", "no readable words"),
    "only digits": ("404 0800 12", "no readable words"),
    "French": (
        "Bonjour, un voisin vend des médicaments périmés devant notre école tous les matins.",
        "unsupported language",
    ),
    "combining characters": (
        "Una sen\u0303ora perdio\u0301 su telefono\u0301 en el autobu\u0301s de la man\u0303ana",
        None,
    ),
    "carriage returns": ("A shop\r\nsold\r\n\r\ncopied  books\r\n", None),
    "right to left": ("\u202eThe seller never sent the shoes\u202c", None),
    "a family and a flag": ("The account 👨‍👩‍👧‍👦 sells copied 🇧🇷 shirts", None),
    "20,000 characters": ("The seller never sent the shoes. " * 606 + "ok", None),
}


def assert_contract(answer: dict[str, Any], text: str) -> None:
    assert list(answer) == [
        "id", "language", "rating", "act_by", "team", "confidence", "probabilities", "plausible_ratings", "severity",
        "proximity", "categories", "category_probabilities", "explanation", "decision", "model",
    ]  # fmt: skip
    assert list(answer["explanation"]) == ["summary", "rule", "evidence", "counterfactuals", "precedents"]
    assert answer["act_by"].endswith("Z")
    assert answer["rating"] in answer["plausible_ratings"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    for evidence in answer["explanation"]["evidence"]:
        assert evidence["text"] == text[evidence["start"] : evidence["end"]] != ""
    for counterfactual in answer["explanation"]["counterfactuals"]:
        assert set(counterfactual) == {"if", "then"}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_text_is_rated(name: str, service: TestClient) -> None:
    text, reason = ODD[name]

    response = service.post("/predict", json={"text": text})

    assert response.status_code == 200
    assert_contract(response.json(), text)
    if reason is not None:
        assert response.json()["decision"]["route"] == "review"
        assert reason in response.json()["decision"]["reasons"]


def test_the_deadline_counts_from_arrival_and_is_given_in_utc(service: TestClient) -> None:
    escalation = {"text": "The parcel is late.", "received_at": "2026-03-02T11:00:00.250+02:00"}

    answer = service.post("/predict", json=escalation).json()

    due = load_policy().act_by(answer["rating"], datetime(2026, 3, 2, 9, tzinfo=UTC), answer["team"])
    assert timedelta(0) <= datetime.fromisoformat(answer["act_by"]) - due <= timedelta(seconds=0.25)
    assert answer["act_by"].endswith("Z")


any_text = st.text(st.characters(exclude_categories=()), max_size=60)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
times = st.datetimes(timezones=st.timezones() | st.none()).map(lambda moment: moment.isoformat())
near_escalation = st.fixed_dictionaries(
    {"text": any_text | any_json},
    optional={
        "source": st.sampled_from(SOURCES) | any_json,
        "market": st.sampled_from(["BR", "MX", "XX", ""]) | any_json,
        "id": any_text | any_json,
        "received_at": times | any_json,
        "note": any_json,
    },
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(value=any_json | near_escalation)
def test_no_json_at_all_is_a_fault_of_the_service(value: Any, service: TestClient) -> None:
    response = service.post("/predict", content=json.dumps(value), headers={"Content-Type": "application/json"})

    assert response.status_code < 500, response.text
    if response.status_code == 200:
        assert_contract(response.json(), value["text"])


@hypothesis_settings(max_examples=60, deadline=None)
@given(value=any_json | st.fixed_dictionaries({"escalations": st.lists(any_json | near_escalation, max_size=4)}))
def test_no_batch_at_all_is_a_fault_of_the_service(value: Any, service: TestClient) -> None:
    response = service.post("/predict/batch", content=json.dumps(value), headers={"Content-Type": "application/json"})

    assert response.status_code < 500, response.text
    if response.status_code == 200:
        results = response.json()["results"]
        assert len(results) == len(value["escalations"])
        assert all(result["error"]["status"] < 500 for result in results if "error" in result)


words = st.sampled_from(
    ["parcel", "niño", "man\u0303ana", "😀", "👨‍👩‍👧", "\r\n", "\u2028", "  ", "ação", "…", "«roto»", "\u0301"]
)


@hypothesis_settings(max_examples=80, deadline=None)
@given(text=st.lists(words, min_size=1, max_size=30).map(" ".join).filter(str.strip))
def test_evidence_always_slices_the_text_as_sent(text: str, service: TestClient) -> None:
    response = service.post("/predict", json={"text": text})

    assert response.status_code == 200
    assert_contract(response.json(), text)
