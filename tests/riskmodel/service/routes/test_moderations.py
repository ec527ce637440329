"""OpenAI's official client, unchanged, against the service."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn
from fastapi.testclient import TestClient

from riskmodel.service.app import create_app
from riskmodel.service.settings import Settings

THREAT = "He wrote that he will set fire to her house in Leeds tonight and posted a photo of the door."
QUESTION = "How do I change the language of my account?"
JSON = "application/json"


def settings(model: Path, folder: Path) -> Settings:
    return Settings(model=str(model), threads=1, auth="off", database_url=f"sqlite:///{folder / 'riskmodel.db'}")


@pytest.fixture(scope="module")
def http(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(settings(tiny_model, tmp_path_factory.mktemp("casebook")))
    with TestClient(app) as client:
        wait(lambda: client.get("/health/ready").status_code == 200)
        yield client


@pytest.fixture(scope="module")
def client(http: TestClient) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="x", http_client=http, max_retries=0)


@contextlib.contextmanager
def served(model: Path, folder: Path) -> Iterator[str]:
    """Serve on a free port, on a thread, until the block ends."""
    app = create_app(settings(model, folder))
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait(lambda: server.started and app.state.running.models.state == "ready")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(10)


def wait(until: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "the service was not ready in time"
        time.sleep(0.02)


def test_one_text_has_one_result_with_everything_that_the_client_reads(client: openai.OpenAI) -> None:
    answer = client.moderations.create(input=THREAT, model="omni-moderation-latest")

    (result,) = answer.results
    assert answer.id.startswith("modr-")
    assert answer.model == "riskmodel-tiny"
    assert result.flagged is any(result.categories.to_dict().values())
    assert 0 <= result.category_scores.harassment_threatening <= result.category_scores.harassment <= 1
    assert result.category_applied_input_types.sexual_minors == ["text"]
    assert result.category_applied_input_types.violence_graphic == []


def test_the_client_passes_on_our_categories_and_our_own_fields(client: openai.OpenAI, http: TestClient) -> None:
    (result,) = client.moderations.create(input=THREAT).results
    rated = http.post("/predict", json={"text": THREAT}).json()

    scores = result.category_scores.to_dict()
    assert scores["child_safety"] == rated["category_probabilities"]["child_safety"]
    assert result.category_scores.self_harm == rated["category_probabilities"]["self_harm"]
    assert "none" not in scores
    assert result.model_extra is not None
    own = result.model_extra["riskmodel"]
    assert {name: own[name] for name in ("rating", "confidence", "decision")} == {
        name: rated[name] for name in ("rating", "confidence", "decision")
    }


def test_texts_are_answered_in_order(client: openai.OpenAI) -> None:
    together = client.moderations.create(input=[THREAT, QUESTION] * 5).results
    alone = [client.moderations.create(input=text).results[0] for text in (THREAT, QUESTION)]

    assert [result.category_scores for result in together] == [result.category_scores for result in alone] * 5


def test_parts_are_one_input(client: openai.OpenAI) -> None:
    parts: Any = [{"type": "text", "text": THREAT}, {"type": "text", "text": QUESTION}]

    assert len(client.moderations.create(input=parts).results) == 1


def test_an_image_is_an_error_of_the_right_class_that_says_why(client: openai.OpenAI) -> None:
    parts: Any = [{"type": "image_url", "image_url": {"url": "https://example.org/Marisol.png"}}]

    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.moderations.create(input=parts)

    assert isinstance(caught.value.body, dict)
    assert caught.value.body["detail"] == "input: found an image (part 1), expected text only."
    assert caught.value.body["errors"] == [{"field": "input", "found": "an image (part 1)", "expected": "text only"}]
    assert "Marisol" not in caught.value.response.text


def test_one_text_that_is_refused_fails_them_all_and_is_named(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.moderations.create(input=[THREAT, "  "])

    assert isinstance(caught.value.body, dict)
    assert [error["found"] for error in caught.value.body["errors"]] == ["blank text (text 2)"]


def test_a_key_that_is_not_valid_is_an_authentication_error(tiny_model: Path, tmp_path: Path) -> None:
    checked = settings(tiny_model, tmp_path).model_copy(update={"auth": "on"})
    with TestClient(create_app(checked)) as http:
        wait(lambda: http.get("/health/ready").status_code == 200)
        client = openai.OpenAI(base_url=f"{http.base_url}/v1", api_key="x", http_client=http)

        with pytest.raises(openai.AuthenticationError):
            client.moderations.create(input=QUESTION)


def test_an_unreadable_body_is_a_bad_request(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.post("/moderations", content=b"{", cast_to=object, options={"headers": {"Content-Type": JSON}})


def test_the_answer_says_which_version_gave_it(client: openai.OpenAI) -> None:
    raw = client.moderations.with_raw_response.create(input=QUESTION)

    assert raw.headers["x-model-version"] == "tiny"
    assert raw.headers["content-type"] == JSON


def test_the_document_declares_the_route(http: TestClient) -> None:
    route = http.get("/openapi.json").json()["paths"]["/v1/moderations"]["post"]

    assert route["requestBody"]["content"][JSON]["schema"]["required"] == ["input"]
    assert {"200", "400", "413", "415", "422", "500", "503"} <= set(route["responses"])


def test_the_asynchronous_client_works_over_a_socket(tiny_model: Path, tmp_path: Path) -> None:
    async def ask(address: str) -> list[Any]:
        async with openai.AsyncOpenAI(base_url=address, api_key="x") as client:
            return await asyncio.gather(*(client.moderations.create(input=[THREAT, QUESTION]) for _ in range(8)))

    with served(tiny_model, tmp_path) as address:
        answers = asyncio.run(ask(address))

    assert len({answer.id for answer in answers}) == 8
    assert all(len(answer.results) == 2 for answer in answers)
