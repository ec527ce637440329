"""The API's document is whole, and its examples are true."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from fastapi.testclient import TestClient

from riskmodel.policy import load_policy
from riskmodel.records import LANGUAGES, RATINGS, Assessment, ReviewReason, read_escalation
from riskmodel.service.examples import EXAMPLES, Example
from riskmodel.stages import decision, explanation

SERVICE = Path(__file__).parents[3] / "docs" / "service.md"
COVERAGE = 0.9  # of the plausible ratings


@pytest.fixture(scope="module")
def document(service: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = service.get("/openapi.json").json()
    return found


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert references(document) <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
def test_a_route_declares_its_body_and_its_problems(path: str, document: dict[str, Any]) -> None:
    route = document["paths"][path]["post"]

    assert route["requestBody"]["content"]["application/json"]["schema"]["type"] == "object"
    assert set(route["responses"]) == {"200", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503"}
    for status, response in route["responses"].items():
        assert list(response["content"]) == ["application/json" if status == "200" else "application/problem+json"]


def test_predict_shows_an_example_and_its_answer_in_each_language(document: dict[str, Any]) -> None:
    route = document["paths"]["/predict"]["post"]

    for content in (route["requestBody"]["content"], route["responses"]["200"]["content"]):
        assert set(content["application/json"]["examples"]) == set(LANGUAGES)


def test_the_examples_are_answered(service: TestClient) -> None:
    for example in EXAMPLES:
        answer = service.post("/predict", json=example.request).json()
        assert set(answer) == set(example.response)
        assert (answer["id"], answer["language"]) == (example.response["id"], example.language)
    batch = service.post("/predict/batch", json={"escalations": [example.request for example in EXAMPLES]}).json()
    assert [result["id"] for result in batch["results"]] == [example.request["id"] for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.language)
def test_an_example_follows_the_records_and_the_policy(example: Example) -> None:
    policy = load_policy()
    escalation = read_escalation(example.request)
    answer = Assessment.model_validate_json(json.dumps(example.response))
    severity, proximity = answer.severity.value, answer.proximity.value
    main = answer.categories[0]

    assert json.loads(answer.model_dump_json(by_alias=True)) == example.response
    assert policy.table[severity][proximity] == answer.rating  # type: ignore[index]
    assert isinstance(escalation.received_at, datetime)
    assert policy.act_by(answer.rating, escalation.received_at, answer.team) == answer.act_by
    assert (policy.team_for(main.name, answer.rating, escalation.market), policy.categories[main.name].dsa) == (
        answer.team,
        main.dsa,
    )
    assert tuple(answer.category_probabilities) == policy.category_names
    assert answer.model.policy == policy.version
    assert answer.explanation.rule == f"policy {policy.rating_version}: {severity} × {proximity} → {answer.rating}"
    assert all(escalation.text[item.start : item.end] == item.text for item in answer.explanation.evidence)
    counterfactuals = explanation.counterfactuals(severity, proximity, False, policy)  # type: ignore[arg-type]
    assert answer.explanation.counterfactuals == counterfactuals
    assert answer.explanation.summary == explanation.summary(
        example.language,
        answer.rating,
        severity,  # type: ignore[arg-type]
        proximity,  # type: ignore[arg-type]
        False,
        [main.name],
        answer.team,
        answer.explanation.evidence,
        policy,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.language)
def test_an_example_doubts_as_the_service_does(example: Example) -> None:
    answer = Assessment.model_validate_json(json.dumps(example.response))
    rank, reasons = RATINGS.index(answer.rating), answer.decision.reasons
    chances = np.array(list(answer.probabilities.values()), dtype=np.float32)

    assert answer.confidence == answer.probabilities[answer.rating]
    assert answer.plausible_ratings == decision.plausible_ratings(chances, rank, COVERAGE)
    assert answer.decision.route == ("review" if reasons else "auto")
    assert ("uncertain rating" in reasons) == (answer.confidence < decision.LEAST_CONFIDENCE)
    needs_person = load_policy().needs_person(answer.categories[0].name, answer.rating)
    assert ("category needs a person" in reasons) == needs_person


def test_of_the_examples_those_are_for_a_person_that_are_likelier_rated_too_low() -> None:
    safety: dict[bool, list[float]] = {True: [], False: []}
    for example in EXAMPLES:
        answer = Assessment.model_validate_json(json.dumps(example.response))
        at_most = RATINGS[: RATINGS.index(answer.rating) + 1]
        doubted = "may be rated too low" in answer.decision.reasons
        safety[doubted].append(sum(answer.probabilities[rating] for rating in at_most))

    assert max(safety[True]) < min(safety[False])


def test_the_document_of_the_service_says_what_every_reason_means(document: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `([a-z ]+)` \| \S.* \|$", SERVICE.read_text(encoding="utf-8"), re.MULTILINE)
    declared = document["components"]["schemas"]["Decision"]["properties"]["reasons"]["items"]["enum"]

    assert set(get_args(ReviewReason)) == set(declared)
    assert [row for row in rows if row in declared] == declared


def test_the_documentation_page_is_served(service: TestClient) -> None:
    page = service.get("/docs")

    assert page.status_code == 200
    assert "/openapi.json" in page.text
