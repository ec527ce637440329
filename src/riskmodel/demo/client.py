"""The address of a service in, its answers out, with nothing but the standard library."""

import json
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from riskmodel.errors import RiskmodelError
from riskmodel.records import Assessment

READY_SECONDS, POLL_SECONDS, ANSWER_SECONDS = 60.0, 0.1, 60.0
# A proxy that the environment names cannot reach this machine's own address.
_open = build_opener(ProxyHandler({})).open


class AnswerError(RiskmodelError):
    """The service answered with an error; ``status`` says which."""

    def __init__(self, address: str, status: int) -> None:
        super().__init__(f"{address} answered {status} {HTTPStatus(status).phrase}.")
        self.status = status


def wait_until_ready(address: str, is_over: Callable[[], bool]) -> bool:
    """Return True once the service can answer, False if it is over before.

    Raises:
        RiskmodelError: if it is not ready in time.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not is_over():
        try:
            with _open(f"{address}/health/ready", timeout=ANSWER_SECONDS):
                return True
        except HTTPError as error:
            error.close()
        except (URLError, ConnectionError):
            pass  # it does not listen yet
        if time.monotonic() > deadline:
            raise RiskmodelError(f"The service at {address} was not ready within {READY_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)
    return False


def model_version(address: str) -> str:
    """Return the version that answers. Raises what :func:`predict` does."""
    return str(json.loads(_ask(f"{address}/model"))["version"])


def is_empty(address: str) -> bool:
    """Return whether the service has kept nothing yet. Raises what :func:`predict` does."""
    return not json.loads(_ask(f"{address}/escalations?limit=1"))["escalations"]


def find(address: str, id_: str) -> Assessment | None:
    """Return the assessment that is kept under an id, if there is one. Raises what :func:`predict` does."""
    try:
        case = json.loads(_ask(f"{address}/escalations/{id_}"))
    except AnswerError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return Assessment.model_validate_json(json.dumps(case["assessments"][0]))


def predict(address: str, body: dict[str, Any]) -> Assessment:
    """Send one escalation to ``/predict``.

    Raises:
        AnswerError: if the answer is not an assessment.
        OSError: if the service is gone.
    """
    return Assessment.model_validate_json(_ask(f"{address}/predict", body))


def predict_all(address: str, bodies: Sequence[dict[str, Any]]) -> None:
    """Send escalations to ``/predict/batch``.

    Raises:
        AnswerError: if one of them is not rated and kept.
        OSError: if the service is gone.
    """
    path = f"{address}/predict/batch"
    for result in json.loads(_ask(path, {"escalations": list(bodies)}))["results"]:
        if "error" in result:
            raise AnswerError(path, result["error"]["status"])


def _ask(address: str, body: dict[str, Any] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    try:
        with _open(Request(address, data, {"Content-Type": "application/json"}), timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        error.close()
        raise AnswerError(address.partition("?")[0], error.code) from None
