"""A retry gets the first answer, byte for byte: across restarts, across services, however many ask at once."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from riskmodel.service.settings import Settings
from tests.riskmodel.service.served import PARCEL, at_once, bearer, kept, new_key, serving, slug, watch
from tests.service import settings_for

KEY, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
OTHER = {"text": "Somebody sells copies of our shoes in a private group."}
BAD = {"text": ""}


@pytest.fixture(scope="module")
def settings(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(tiny_model, tmp_path_factory.mktemp("retries"))


@pytest.fixture(scope="module")
def http(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as client:
        yield client


def predict(http: TestClient, escalation: dict[str, Any], key: str | None = None, **headers: str) -> httpx2.Response:
    return http.post("/predict", json=escalation, headers=headers | ({} if key is None else {KEY: key}))


def batch(http: TestClient, *escalations: dict[str, Any], key: str | None = None, **headers: str) -> httpx2.Response:
    return http.post(
        "/predict/batch", json={"escalations": escalations}, headers=headers | ({} if key is None else {KEY: key})
    )


def moderate(http: TestClient, given: Any, key: str) -> httpx2.Response:
    return http.post("/v1/moderations", json={"input": given}, headers={KEY: key})


@pytest.mark.parametrize(
    ("escalation", "key"), [(PARCEL | {"id": "one"}, None), (PARCEL, "two"), (PARCEL | {"id": "three"}, "3")]
)
def test_a_retry_gets_the_first_answer_byte_for_byte(
    escalation: dict[str, Any], key: str | None, http: TestClient, settings: Settings
) -> None:
    before = len(kept(settings))

    first, second, third = (predict(http, escalation, key) for _ in range(3))

    assert first.content == second.content == third.content
    assert [response.headers.get(REPLAYED) for response in (first, second, third)] == [None, "true", "true"]
    assert {response.headers["x-model-version"] for response in (first, second, third)} == {"tiny"}
    assert len(kept(settings)) == before + 1


def test_a_retry_is_not_assessed_again(tiny_model: Path, tmp_path: Path) -> None:
    with serving(settings_for(tiny_model, tmp_path)) as http:
        encoder = watch(http)
        for _ in range(3):
            predict(http, PARCEL, "key")

    assert encoder.read == [PARCEL["text"]]


def test_the_same_fields_in_another_order_are_the_same_escalation(http: TestClient) -> None:
    moment = {"received_at": "2026-03-02T09:00:00Z", "source": "press", "id": "order"}
    same = {"source": "press", "id": "order", "market": None, "received_at": "2026-03-02T06:00:00-03:00"}

    first, second = predict(http, PARCEL | moment), predict(http, same | PARCEL)

    assert (second.status_code, second.content) == (200, first.content)


@pytest.mark.parametrize(
    ("first", "second", "key", "field"),
    [
        (PARCEL | {"id": "c1"}, OTHER | {"id": "c1"}, None, "id"),
        (PARCEL | {"id": "c2"}, PARCEL | {"id": "c2", "source": "press"}, None, "id"),
        (PARCEL | {"id": "c3"}, PARCEL | {"id": "c3", "received_at": "2026-03-02T09:00:00Z"}, None, "id"),
        (PARCEL, OTHER, "c4", KEY),
        (PARCEL | {"id": "c5"}, PARCEL | {"id": "c5-again"}, "c5", KEY),
    ],
)
def test_another_escalation_under_the_same_name_is_a_conflict_that_says_which(
    first: dict[str, Any], second: dict[str, Any], key: str | None, field: str, http: TestClient
) -> None:
    answer = predict(http, first, key)

    response = predict(http, second, key)

    assert (response.status_code, slug(response.json())) == (409, "conflict")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert second["text"] not in response.text
    assert predict(http, first, key).content == answer.content


def test_what_was_refused_or_failed_leaves_the_name_free(http: TestClient) -> None:
    watch(http)
    refused, failed = predict(http, BAD, "free"), predict(http, {"text": "Poison."}, "free")

    answered = predict(http, PARCEL, "free")

    assert (refused.status_code, failed.status_code, answered.status_code) == (422, 500, 200)
    assert REPLAYED not in answered.headers


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 129, "é", "tab\there"])
def test_a_malformed_key_is_refused_by_name(key: str, http: TestClient) -> None:
    response = http.post("/predict", json=PARCEL, headers={KEY.encode(): key.encode()})

    assert (response.status_code, slug(response.json())) == (422, "invalid-header")
    assert response.json()["errors"][0]["field"] == KEY
    assert "two words" not in response.text


@pytest.mark.parametrize("key", ["x" * 128, "!", '"quoted"', "a/b~c"])
def test_any_printable_key_is_taken(key: str, http: TestClient) -> None:
    assert predict(http, PARCEL, key).status_code == 200


def test_ids_and_keys_are_the_clients_own(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path, auth="on")
    one, other = (bearer(new_key(settings, "client", name)[1]) for name in ("one", "other"))
    renewed = bearer(new_key(settings, "client", "one")[1])

    with serving(settings) as http:
        first = predict(http, PARCEL | {"id": "same"}, "same", **one)
        foreign = predict(http, OTHER | {"id": "same"}, "same", **other)
        again = predict(http, PARCEL | {"id": "same"}, "same", **renewed)

    assert (foreign.status_code, foreign.headers.get(REPLAYED)) == (200, None)
    assert (again.content, again.headers.get(REPLAYED)) == (first.content, "true")
    assert {(case.client, case.text) for case in kept(settings)} == {("one", PARCEL["text"]), ("other", OTHER["text"])}


def test_in_a_batch_what_is_known_is_replayed_and_what_conflicts_is_refused_each_in_its_place(
    http: TestClient,
) -> None:
    known = predict(http, PARCEL | {"id": "b-known"})
    predict(http, PARCEL | {"id": "b-taken"})
    items = [
        {**OTHER, "id": "b-new"},
        {**PARCEL, "id": "b-known"},
        BAD,
        {**OTHER, "id": "b-taken"},
        {**PARCEL, "id": "b-twice"},
        {**PARCEL, "id": "b-twice"},
        {**OTHER, "id": "b-twice"},
    ]

    first, again = batch(http, *items), batch(http, *items)

    new, replayed, refused, taken, once, twice, differs = first.json()["results"]
    assert (new["id"], once["id"]) == ("b-new", "b-twice")
    assert replayed == known.json()
    assert once == twice
    assert [item["error"]["status"] for item in (refused, taken, differs)] == [422, 409, 409]
    assert [item["error"]["errors"][0]["field"] for item in (refused, taken, differs)] == ["text", "id", "id"]
    assert again.content == first.content


def test_in_a_batch_the_key_counts_for_each_place(http: TestClient) -> None:
    first = batch(http, PARCEL, OTHER, key="places")

    again = batch(http, PARCEL, OTHER, key="places")
    other = batch(http, PARCEL, PARCEL, key="places").json()["results"]

    assert again.content == first.content
    assert other[0] == first.json()["results"][0]
    assert [error["field"] for error in other[1]["error"]["errors"]] == [KEY]


def test_mending_a_refused_item_moves_no_other_item_of_its_batch(http: TestClient, settings: Settings) -> None:
    refused, second = batch(http, BAD, PARCEL, key="mended").json()["results"]
    before = len(kept(settings))

    mended, again = batch(http, OTHER, PARCEL, key="mended").json()["results"]

    assert refused["error"]["status"] == 422
    assert "rating" in mended
    assert again == second
    assert len(kept(settings)) == before + 1


@pytest.mark.parametrize("given", [PARCEL["text"], [PARCEL["text"]], [PARCEL["text"], OTHER["text"]]])
def test_a_moderation_is_replayed_byte_for_byte(given: Any, http: TestClient) -> None:
    key = f"moderation-{len(given)}-{type(given).__name__}"

    first, again = moderate(http, given, key), moderate(http, given, key)

    assert first.status_code == 200
    assert again.content == first.content
    assert [response.headers.get(REPLAYED) for response in (first, again)] == [None, "true"]


def test_another_text_under_the_key_of_a_moderation_is_a_conflict(http: TestClient) -> None:
    moderate(http, PARCEL["text"], "moderated")

    response = moderate(http, OTHER["text"], "moderated")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (409, KEY)


def test_a_retry_after_a_restart_gets_the_first_answer(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path)
    asks: list[Callable[[TestClient], httpx2.Response]] = [
        lambda http: predict(http, PARCEL | {"id": "by-id"}),
        lambda http: predict(http, PARCEL, "by-key"),
        lambda http: batch(http, PARCEL, OTHER, key="batch"),
        lambda http: moderate(http, [PARCEL["text"], OTHER["text"]], "moderation"),
    ]

    with serving(settings) as http:
        before = [ask(http).content for ask in asks]
    with serving(settings) as http:
        after = [ask(http) for ask in asks]
        conflict = predict(http, OTHER | {"id": "by-id"})

    assert [response.content for response in after] == before
    assert conflict.status_code == 409
    assert len(kept(settings)) == 6


def test_two_services_that_are_asked_the_same_at_once_give_one_answer(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path)
    names = [f"race-{at}" for at in range(12)]
    seeded = random.Random(0)

    with serving(settings) as one, serving(settings) as other:

        def race(http: TestClient, order: list[str]) -> dict[str, bytes]:
            singles = {name: predict(http, PARCEL | {"id": name}, f"key-{name}") for name in order}
            assert {response.status_code for response in singles.values()} == {200}
            return {name: response.content for name, response in singles.items()}

        def race_in_batches(http: TestClient, order: list[str]) -> dict[str, str]:
            results = batch(http, *(PARCEL | {"id": name} for name in order)).json()["results"]
            return {result["id"]: result["act_by"] for result in results}

        orders = [seeded.sample(names, len(names)) for _ in range(16)]
        # By id and key from all threads at once; then the same ids in batches, which must be found.
        answers = at_once([partial(race, (one, other)[at % 2], order) for at, order in enumerate(orders)])
        batches = at_once([partial(race_in_batches, (one, other)[at % 2], order) for at, order in enumerate(orders)])

    assert all(answer == answers[0] for answer in answers)
    assert all(answer == batches[0] for answer in batches)
    assert sorted(case.id for case in kept(settings)) == sorted(names)


def test_of_different_escalations_that_race_for_one_id_one_wins_and_stays(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path)
    texts = [f"Report {at} about a parcel." for at in range(16)]

    with serving(settings) as one, serving(settings) as other:
        asks = [
            partial(predict, (one, other)[at % 2], {"text": text, "id": "only"}, f"key-{at}")
            for at, text in enumerate(texts)
        ]
        first = at_once(asks)
        again = at_once(asks)

    winners = [at for at, response in enumerate(first) if response.status_code == 200]
    assert sorted(response.status_code for response in first) == [200] + [409] * 15
    assert [response.status_code for response in again] == [response.status_code for response in first]
    assert again[winners[0]].content == first[winners[0]].content
    assert [case.text for case in kept(settings)] == [texts[winners[0]]]


def test_batches_of_two_services_that_share_ids_in_other_orders_agree(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path)
    names = [f"b{at}" for at in range(10)]
    seeded = random.Random(1)

    with serving(settings) as one, serving(settings) as other:
        orders = [seeded.sample(names, len(names)) for _ in range(8)]
        answers = at_once(
            [
                partial(batch, (one, other)[at % 2], *(PARCEL | {"id": name} for name in order))
                for at, order in enumerate(orders)
            ]
        )

    found = [{result["id"]: result for result in answer.json()["results"]} for answer in answers]
    assert all(results == found[0] for results in found)
    assert sorted(case.id for case in kept(settings)) == sorted(names)
