"""What is let in is answered, what is not is told so at once; whatever goes wrong goes wrong for one request alone."""

import itertools
import json
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from riskmodel.artifact import read_manifest, seal
from riskmodel.service import dispatch
from riskmodel.service.settings import Settings
from tests.riskmodel.service.served import PARCEL, SECONDS, at_once, kept, serving, slug, watch
from tests.riskmodel.service.watched import WatchedEncoder
from tests.service import settings_for, wait_until_ready

AT_ONCE_SECONDS = 0.5  # a refusal; on a machine that does other things too
LOCKED_SECONDS = 3.0  # until a casebook that is locked is told


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> Settings:
    return settings_for(tiny_model, tmp_path)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def predict(http: TestClient, text: str = PARCEL["text"], **fields: Any) -> httpx2.Response:
    return http.post("/predict", json={"text": text} | fields)


def batch(http: TestClient, count: int, prefix: str = "Report") -> httpx2.Response:
    items = [{"text": f"{prefix} {at} about a parcel."} for at in range(count)]
    return http.post("/predict/batch", json={"escalations": items})


def under_way(http: TestClient) -> int:
    (found,) = re.findall(r"^riskmodel_escalations_in_flight (\d+)", http.get("/metrics").text, re.MULTILINE)
    return int(found)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def held(http: TestClient, pool: ThreadPoolExecutor) -> Iterator[tuple[WatchedEncoder, Future[httpx2.Response]]]:
    """Hold the encoder at its gate, with one escalation before it, until the block ends."""
    encoder = watch(http, gate_open=False)
    first = pool.submit(predict, http, "The first.")
    assert encoder.reached.acquire(timeout=SECONDS)
    try:
        yield encoder, first
    finally:
        encoder.gate.set()


def assert_unavailable(response: httpx2.Response, kind: str) -> None:
    assert response.status_code == 503, response.text
    assert slug(response.json()) == kind
    assert int(response.headers["retry-after"]) >= 1


# --- room ---------------------------------------------------------------------------------------------------------


def test_when_the_queue_is_full_the_next_is_refused_at_once_and_all_in_it_are_answered(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings.model_copy(update={"queue_escalations": 4})) as http, held(http, pool) as (encoder, first):
        waiting = [first, *(pool.submit(predict, http, f"Report {at}.") for at in range(3))]
        wait_for(lambda: under_way(http) == 4)

        began = time.perf_counter()
        refused = [predict(http), batch(http, 1), http.post("/v1/moderations", json={"input": "a text"})]
        seconds = time.perf_counter() - began
        encoder.gate.set()
        answered = [future.result(SECONDS) for future in waiting]
        after = predict(http)

    for response in refused:
        assert_unavailable(response, "busy")
    assert seconds < AT_ONCE_SECONDS
    assert [response.status_code for response in [*answered, after]] == [200] * 5
    assert len(kept(settings)) == 5


@pytest.mark.parametrize("with_ids", [False, True], ids=["without ids", "with ids"])
def test_a_crowd_that_comes_at_once_fills_the_queue_and_no_more(
    with_ids: bool, settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings.model_copy(update={"queue_escalations": 4})) as http, held(http, pool) as (encoder, first):
        crowd = [
            pool.submit(predict, http, f"Report {at}.", **({"id": f"e{at}"} if with_ids else {})) for at in range(32)
        ]
        wait_for(lambda: sum(future.done() for future in crowd) >= 32 - 3)
        most = under_way(http)
        encoder.gate.set()
        statuses = [future.result(SECONDS).status_code for future in [first, *crowd]]

    assert most == 4
    assert sorted(statuses) == [200] * 4 + [503] * 29
    assert len(kept(settings)) == 4


def test_a_batch_larger_than_the_queue_gets_in_when_nothing_waits(settings: Settings) -> None:
    with serving(settings.model_copy(update={"queue_escalations": 4})) as http:
        results = batch(http, 20).json()["results"]

    assert len(results) == 20
    assert all("rating" in result for result in results)


def test_a_batch_gets_in_while_there_is_room_for_one_and_then_nobody_does(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings.model_copy(update={"queue_escalations": 4})) as http, held(http, pool) as (encoder, first):
        large = pool.submit(batch, http, 6)
        wait_for(lambda: under_way(http) == 7)
        refused = [predict(http), batch(http, 2)]
        encoder.gate.set()
        results = large.result(SECONDS).json()["results"]
        after = predict(http)

    for response in refused:
        assert_unavailable(response, "busy")
    assert ["rating" in result for result in results] == [True] * 6
    assert [first.result(SECONDS).status_code, after.status_code] == [200, 200]
    assert len(kept(settings)) == 8


def test_what_could_not_be_answered_in_time_is_refused_before_it_waits(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings.model_copy(update={"deadline_seconds": 3.0})) as http, held(http, pool) as (encoder, first):
        long = [pool.submit(predict, http, "a parcel " * 2_200) for _ in range(2)]
        wait_for(lambda: under_way(http) == 3)

        refused = predict(http)
        encoder.gate.set()
        answered = [future.result(SECONDS).status_code for future in (first, *long)]

    assert_unavailable(refused, "busy")
    assert answered == [200] * 3


def test_a_retry_of_what_is_kept_is_answered_while_the_encoder_is_held(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings) as http:
        first = predict(http, id="known")
        with held(http, pool):
            again = predict(http, id="known")

    assert (again.status_code, again.content) == (200, first.content)


def test_an_escalation_alone_has_all_cores_also_after_a_retry_that_needed_none(settings: Settings) -> None:
    with serving(settings) as http:
        encoder = watch(http)
        for id in ("one", "one", "two"):
            predict(http, id=id)

    assert encoder.crowded == [False, False]


# --- deadlines and clients that go --------------------------------------------------------------------------------


def test_past_its_deadline_a_request_is_told_so_and_leaves_nothing(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings.model_copy(update={"deadline_seconds": 0.5})) as http:
        with held(http, pool) as (encoder, first):
            began = time.perf_counter()
            late = [pool.submit(predict, http, f"Late {at}.", id=f"late-{at}") for at in range(2)]
            late.append(pool.submit(batch, http, 3, "Late"))
            answers = [future.result(SECONDS) for future in [first, *late]]
            seconds = time.perf_counter() - began
            left = under_way(http)
        wait_for(lambda: encoder.read != [])
        again = predict(http, "Late 0.", id="late-0")

    for response in answers:
        assert_unavailable(response, "deadline")
    assert seconds < 0.5 + 2 * AT_ONCE_SECONDS
    assert left == 0
    assert encoder.read == ["The first.", "Late 0."]  # what nobody waits for is not assessed
    assert (again.status_code, "idempotent-replayed" in again.headers) == (200, False)
    assert [case.id for case in kept(settings)] == ["late-0"]


def test_a_batch_that_takes_longer_than_its_deadline_gets_what_was_done_and_goes_on_when_it_is_sent_again(
    settings: Settings,
) -> None:
    texts = ["Good.", "Also good.", "Stuck.", "Not begun."]
    items = [{"text": text, "id": f"e{at}"} for at, text in enumerate(texts)]
    with serving(settings.model_copy(update={"deadline_seconds": 1.5})) as http:
        encoder = watch(http)
        first = http.post("/predict/batch", json={"escalations": items})
        left, read = under_way(http), list(encoder.read)
        encoder.freed.set()
        again = http.post("/predict/batch", json={"escalations": items})

    assert first.status_code == again.status_code == 200
    done, late = first.json()["results"][:2], first.json()["results"][2:]
    assert [result["id"] for result in done] == ["e0", "e1"]
    assert [(result["error"]["status"], slug(result["error"])) for result in late] == [(503, "deadline")] * 2
    assert (left, read) == (0, texts[:3])
    assert again.json()["results"][:2] == done
    assert [result["id"] for result in again.json()["results"]] == ["e0", "e1", "e2", "e3"]
    assert sorted(case.id for case in kept(settings)) == ["e0", "e1", "e2", "e3"]


def test_a_client_that_hangs_up_is_dropped_and_its_escalation_not_kept(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings) as http:
        with held(http, pool) as (encoder, first):
            gone = threading.Event()
            leaving = [pool.submit(leave, http, path, body, gone) for path, body in LEFT.items()]
            wait_for(lambda: under_way(http) == 5)
            gone.set()
            statuses = [future.result(SECONDS) for future in leaving]
            left = under_way(http)
            encoder.gate.set()
            answered = first.result(SECONDS)
        after = predict(http, "The last.")

    assert statuses == [499] * 3  # for the log alone
    assert left == 1
    assert encoder.read == ["The first.", "The last."]
    assert [response.status_code for response in (answered, after)] == [200, 200]
    assert {case.text for case in kept(settings)} == {"The first.", "The last."}


LEFT = {
    "/predict": {"text": "Left.", "id": "left"},
    "/predict/batch": {"escalations": [{"text": "Left one."}, {"text": "Left two."}]},
    "/v1/moderations": {"input": "Left three."},
}


def leave(http: TestClient, path: str, body: Any, gone: threading.Event) -> int:
    """Send a request as a server hands it on, and hang up on the event; return the status that was sent to nobody."""
    import anyio

    messages = iter([{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        while not gone.is_set():
            await anyio.sleep(0.005)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("client", 1),
        "server": ("server", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    assert http.portal is not None
    http.portal.call(http.app, scope, receive, send)  # type: ignore[arg-type]
    return int(sent[0]["status"])


# --- faults -------------------------------------------------------------------------------------------------------


def test_a_poison_text_of_a_batch_fails_alone(settings: Settings) -> None:
    texts = ["Good.", "Poison with a secret.", "Also good.", "Poison again."]
    with serving(settings) as http:
        watch(http)
        answer = http.post("/predict/batch", json={"escalations": [{"text": text} for text in texts]})
        single = predict(http, "Poison with a secret.")

    results = answer.json()["results"]
    assert [result.get("error", {}).get("status") for result in results] == [None, 500, None, 500]
    assert slug(results[1]["error"]) == slug(single.json()) == "not-assessed"
    assert "secret" not in answer.text + single.text
    assert {case.text for case in kept(settings)} == {"Good.", "Also good."}


def test_a_batch_of_poison_alone_is_not_worth_a_retry_and_says_so_item_by_item(settings: Settings) -> None:
    with serving(settings) as http:
        watch(http)
        answer = batch(http, 2, "Poison")

    assert answer.status_code == 200
    assert [result["error"]["status"] for result in answer.json()["results"]] == [500, 500]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_lane_that_dies_fails_its_escalation_alone_and_the_service_is_ready_again(
    threads: int, settings: Settings
) -> None:
    with serving(settings.model_copy(update={"threads": threads})) as http:
        watch(http)
        texts = ["Death."] + [f"Report {at}." for at in range(8)]
        statuses = [response.status_code for response in at_once([partial(predict, http, text) for text in texts])]
        wait_until_ready(http, seconds=2)
        more = [predict(http, "Death.").status_code for _ in range(3)]
        wait_until_ready(http, seconds=2)
        after = [predict(http).status_code for _ in range(3)]
        metrics = http.get("/metrics").text

    assert statuses == [500] + [200] * 8
    assert (more, after) == ([500] * 3, [200] * 3)
    assert "riskmodel_worker_restarts_total 4.0" in metrics


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Hold the casebook as another program would, until the block ends."""
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def test_a_locked_casebook_is_told_in_time_and_all_is_well_once_it_is_free(settings: Settings) -> None:
    def ask(http: TestClient, at: int) -> tuple[httpx2.Response, float]:
        time.sleep(at * 0.1)  # some come while a transaction waits already
        began = time.perf_counter()
        return predict(http, id=f"locked-{at}"), time.perf_counter() - began

    with serving(settings) as http:
        predict(http, id="before")
        with locked(settings):
            timed = at_once([partial(ask, http, at) for at in range(8)])
            known = predict(http, id="before")
            health = http.get("/health/live").status_code
        again = [predict(http, id=f"locked-{at}") for at in range(8)]

    for response, seconds in timed:
        assert_unavailable(response, "casebook")
        assert seconds < LOCKED_SECONDS
    assert (known.headers.get("idempotent-replayed"), health) == ("true", 200)
    assert [response.status_code for response in again] == [200] * 8
    assert {response.headers.get("idempotent-replayed") for response in again} == {None}
    assert len(kept(settings)) == 9


def test_a_batch_of_which_nothing_could_be_kept_is_a_503_and_one_of_which_some_is_there_says_so_item_by_item(
    settings: Settings,
) -> None:
    before, new, refused = PARCEL | {"id": "before"}, PARCEL | {"id": "new"}, {"text": ""}

    def ask(http: TestClient, *items: dict[str, str]) -> httpx2.Response:
        return http.post("/predict/batch", json={"escalations": items})

    with serving(settings) as http:
        predict(http, id="before")
        with locked(settings):
            nothing, nor_this, some = at_once([
                partial(ask, http, PARCEL, PARCEL), partial(ask, http, refused, PARCEL), partial(ask, http, before, new)
            ])  # fmt: skip

    assert_unavailable(nothing, "casebook")
    assert_unavailable(nor_this, "casebook")
    assert some.status_code == 200
    there, missing = some.json()["results"]
    assert there["id"] == "before"
    assert (missing["error"]["status"], slug(missing["error"])) == (503, "casebook")
    assert len(kept(settings)) == 1


def test_what_waits_when_the_service_stops_is_told_to_come_back_and_what_runs_is_answered(
    settings: Settings, pool: ThreadPoolExecutor
) -> None:
    with serving(settings) as http, held(http, pool) as (encoder, first):
        waiting = [pool.submit(predict, http, f"Report {at}.") for at in range(2)]
        waiting.append(pool.submit(batch, http, 3))
        wait_for(lambda: under_way(http) == 6)
        dispatcher = http.app.state.running.parts.dispatcher  # type: ignore[attr-defined]
        stopping = pool.submit(dispatcher.stop)
        wait_for(lambda: dispatcher._lanes.waiting == 0)
        encoder.gate.set()
        answers = [future.result(SECONDS) for future in waiting]
        stopping.result(SECONDS)
        answered = first.result(SECONDS).status_code

    for response in answers:
        assert_unavailable(response, "not-ready")
    assert answered == 200
    assert [case.text for case in kept(settings)] == ["The first."]


def test_a_lock_that_is_short_is_waited_for(settings: Settings, pool: ThreadPoolExecutor) -> None:
    with serving(settings) as http:
        with locked(settings):
            answer = pool.submit(predict, http)
            time.sleep(0.3)
            assert not answer.done()

        assert answer.result(SECONDS).status_code == 200


# --- versions -----------------------------------------------------------------------------------------------------


@pytest.fixture
def versions(tiny_model: Path, tmp_path: Path) -> Path:
    """Return a folder of two versions, the first of them champion."""
    for version in ("one", "two"):
        folder = Path(shutil.copytree(tiny_model, tmp_path / "models" / version))
        seal(folder, read_manifest(folder).model_copy(update={"version": version}))
    crown(tmp_path / "models", "one")
    return tmp_path / "models"


def crown(models: Path, version: str) -> None:
    fresh = models / "champion.txt.new"
    fresh.write_text(version + "\n")
    fresh.replace(models / "champion.txt")


def answers_of(http: TestClient, version: str) -> bool:
    return http.get("/model").json()["version"] == version


def test_a_version_that_is_loaded_can_be_pinned_and_another_is_refused(versions: Path, tmp_path: Path) -> None:
    with serving(settings_for(versions, tmp_path, follow_seconds=0.02, keep_versions=2)) as http:
        unknown = http.post("/predict", json=PARCEL, headers={"X-Model-Version": "two"})
        first = predict(http, id="first")
        crown(versions, "two")
        wait_for(lambda: answers_of(http, "two"))
        newest, again = predict(http), predict(http, id="first")
        replayed = http.post("/predict/batch", json={"escalations": [PARCEL | {"id": "first"}]})
        pinned = {
            version: http.post("/predict", json=PARCEL, headers={"X-Model-Version": version})
            for version in ("one", "two")
        }

    assert (unknown.status_code, slug(unknown.json())) == (409, "version-not-loaded")
    assert unknown.json()["errors"][0] == {
        "field": "X-Model-Version",
        "found": "a version that is not loaded",
        "expected": "one",
    }
    assert newest.headers["x-model-version"] == "two"
    assert [response.headers["x-model-version"] for response in (first, again, replayed)] == ["one"] * 3
    assert again.content == first.content
    for version, response in pinned.items():
        assert response.json()["model"]["version"] == response.headers["x-model-version"] == version


def test_while_the_champion_changes_under_load_nothing_fails_and_nothing_is_mixed(
    versions: Path, tmp_path: Path
) -> None:
    stop, swaps = threading.Event(), 4

    def ask(http: TestClient, at: int) -> list[httpx2.Response]:
        answers = []
        while not stop.is_set():
            if at % 4 == 0:
                answers.append(http.post("/v1/moderations", json={"input": [PARCEL["text"]] * 3}))
            else:
                answers.append(batch(http, 5) if at % 2 else predict(http))
        return answers

    def change(http: TestClient) -> list[httpx2.Response]:
        try:
            for version in itertools.islice(itertools.cycle(["two", "one"]), swaps):
                crown(versions, version)
                wait_for(lambda version=version: answers_of(http, version))  # type: ignore[misc]
                time.sleep(0.1)
        finally:
            stop.set()
        return []

    settings = settings_for(versions, tmp_path, follow_seconds=0.02, rate_limit="1000000/second")
    with serving(settings) as http:
        answers = [*itertools.chain(*at_once([partial(change, http), *(partial(ask, http, at) for at in range(8))]))]

    assert {response.status_code for response in answers} == {200}
    seen = {response.headers["x-model-version"] for response in answers}
    assert seen == {"one", "two"}
    for response in answers:
        assert versions_in(response.json()) == {response.headers["x-model-version"]}


def versions_in(answer: dict[str, Any]) -> set[str]:
    if "model" in answer and isinstance(answer["model"], str):
        return {answer["model"].removeprefix("riskmodel-")}
    return {result["model"]["version"] for result in answer.get("results", [answer])}


# --- clocks -------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_moves_act_by_and_no_deadline(
    settings: Settings, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = timedelta(0)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + offset

    wall = time.time
    monkeypatch.setattr(dispatch, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: wall() + offset.total_seconds())
    days = []
    with serving(settings) as http:
        for jump in (timedelta(days=400), timedelta(days=-400)):
            offset = timedelta(0)
            with held(http, pool) as (encoder, first):
                waiting = pool.submit(predict, http)
                wait_for(lambda: under_way(http) == 2)
                offset = jump
                time.sleep(0.1)
                encoder.gate.set()
                answers = [future.result(SECONDS) for future in (first, waiting)]
            ready, after = http.get("/health/ready"), predict(http)
            assert [response.status_code for response in [*answers, ready, after]] == [200] * 4
            moved = [datetime.fromisoformat(response.json()["act_by"]) for response in (answers[1], after)]
            days.append(round((moved[1] - moved[0]) / timedelta(days=1)))

    assert days == [400, -400]
    assert len(kept(settings)) == 6
