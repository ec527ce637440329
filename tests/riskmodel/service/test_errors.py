"""Every error is a problem document, and none repeats a value."""

import pytest
from fastapi.testclient import TestClient

from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.service.errors import KINDS, UNNAMED_FIELD, RequestError, problem_of, safe_field


def test_every_error_of_the_service_has_a_status() -> None:
    assert set(RequestError.__subclasses__()) <= set(KINDS)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("text", "text"),
        ("Content-Type", "Content-Type"),
        ("a" * 32, "a" * 32),
        ("a" * 33, "a" * 32 + "…"),
        ("my neighbour Ana", UNNAMED_FIELD),
        ("ana@example.com", UNNAMED_FIELD),
        ("1", UNNAMED_FIELD),
        ("niña", UNNAMED_FIELD),
        ("text\n", UNNAMED_FIELD),
        ("\ud800", UNNAMED_FIELD),
        ("", UNNAMED_FIELD),
    ],
)
def test_an_unknown_name_is_shown_only_where_it_looks_like_one(name: str, shown: str) -> None:
    assert safe_field(name) == shown


def test_an_error_that_nobody_expected_says_nothing_of_itself() -> None:
    problem = problem_of(ValueError("my neighbour Ana"))

    assert (problem.status, problem.errors) == (500, [])
    assert "Ana" not in problem.model_dump_json()


def test_detail_is_one_sentence_for_all_fields() -> None:
    problem = problem_of(EscalationError([FieldProblem("text", "empty text", "more"), FieldProblem("a b", "x", "y")]))

    assert problem.detail == f"text: found empty text, expected more; {UNNAMED_FIELD}: found x, expected y."


@pytest.mark.parametrize("path", ["/", "/Marisol", "/predict/", "/predict/Marisol?q=Marisol", "/%ff%00"])
def test_an_unknown_path_is_a_problem_that_does_not_repeat_it(path: str, service: TestClient) -> None:
    response = service.get(path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "about:blank"
    assert "Marisol" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("DELETE", "/model", "GET"), ("PUT", "/predict/batch", "POST")],
)
def test_another_method_is_a_problem_that_names_the_right_one(
    method: str, path: str, allowed: str, service: TestClient
) -> None:
    response = service.request(method, path)

    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert response.json()["errors"] == [{"field": "method", "found": "another method", "expected": allowed}]
