"""The service at rest in; median latency beside the encoder's call, time to ready and resident memory out."""

import http.client
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ours import service
from benchmarks.processes import HOST, running
from benchmarks.texts import bodies_of, read_texts
from riskmodel import load_model, load_policy

ROUNDS = 6
TEXTS = 80
STARTS = 5


def measure_service(folder: Path) -> dict[str, Any]:
    """Return p50 of /predict and of the encoder alone, their ratio, start to ready in s, resident memory in MB."""
    encoder = load_model(folder, load_policy()).encoder
    texts = read_texts()[:TEXTS]
    requests: list[float] = []
    bare: list[float] = []
    ratios: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        command = service(folder, f"sqlite:///{name}/casebook.db")
        log = Path(name) / "log"
        starts = []
        for _ in range(STARTS):
            with running(command, log) as server:
                starts.append(server.start_seconds)
        with running(command, log) as server:
            for warm in range(ROUNDS + 1):
                # Blocks, not one after the other: two processes that take turns push each other out of the cache.
                calls = [_seconds(partial(encoder.encode, [text])) for text in texts]
                connection = http.client.HTTPConnection(HOST, server.port)  # the server hangs up on one that is idle
                connection.connect()
                answers = [_seconds(partial(_post, connection, body)) for body in bodies_of(texts)]
                connection.close()
                if warm:
                    bare += calls
                    requests += answers
                    ratios.append(statistics.median(answers) / statistics.median(calls))
            memory = server.resident_megabytes()
    return {
        "predict_p50_ms": round(statistics.median(requests) * 1e3, 2),
        "predict_p95_ms": round(statistics.quantiles(requests, n=20)[-1] * 1e3, 2),
        "encoder_p50_ms": round(statistics.median(bare) * 1e3, 2),
        "latency_ratio": round(statistics.median(ratios), 2),
        "start_to_ready_s": round(statistics.median(starts), 2),
        "starts_s": [round(seconds, 2) for seconds in starts],
        "resident_mb": round(memory, 1),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _post(connection: http.client.HTTPConnection, body: str) -> None:
    connection.request("POST", "/predict", body.encode(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"/predict answered {answer.status}: {content[:200]!r}")
