"""The address of a service in, its answers out, with nothing but the standard library."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from riskmodel.errors import RiskmodelError
from riskmodel.records import Assessment

READY_SECONDS, POLL_SECONDS, ANSWER_SECONDS = 60.0, 0.1, 60.0
# A proxy that the environment names cannot reach this machine's own address.
_open = build_opener(ProxyHandler({})).open


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


def predict(address: str, body: dict[str, str]) -> Assessment:
    """Send one escalation to ``/predict``.

    Raises:
        RiskmodelError: if the answer is not an assessment; names its status.
        OSError: if the service is gone.
    """
    request = Request(f"{address}/predict", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with _open(request, timeout=ANSWER_SECONDS) as answer:
            return Assessment.model_validate_json(answer.read())
    except HTTPError as error:
        error.close()
        raise RiskmodelError(f"{address}/predict answered {error.code} {HTTPStatus(error.code).phrase}.") from None
