"""The service over HTTP against the bare encoder call: median latency, time to ready, resident memory."""

import http.client
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from riskmodel import Policy, load_model

ROUNDS = 6
TEXTS = 80
STARTS = 3
READY_WITHIN_SECONDS = 60
PORT = 8765


def measure_service(folder: Path, test: pd.DataFrame, policy: Policy) -> dict[str, float]:
    """Return p50 of /predict and of the encoder alone, their ratio, start to ready in s, resident memory in MB."""
    encoder = load_model(folder, policy).encoder
    texts = test["text"].tolist()[:TEXTS]
    bodies = [json.dumps({"text": text}) for text in texts]
    starts = []
    for _ in range(STARTS):
        process, seconds = _start(folder)
        starts.append(seconds)
        _stop(process)
    process, _ = _start(folder)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        requests, bare = [], []
        for warm in range(ROUNDS + 1):
            for text, body in zip(texts, bodies, strict=True):
                started = time.perf_counter()
                encoder.encode([text])
                between = time.perf_counter()
                _post(connection, body)
                if warm:
                    bare.append(between - started)
                    requests.append(time.perf_counter() - between)
        memory = _resident_megabytes(process.pid)
    finally:
        _stop(process)
    return {
        "predict_p50_ms": round(statistics.median(requests) * 1e3, 2),
        "predict_p95_ms": round(statistics.quantiles(requests, n=20)[-1] * 1e3, 2),
        "encoder_p50_ms": round(statistics.median(bare) * 1e3, 2),
        "latency_ratio": round(statistics.median(requests) / statistics.median(bare), 2),
        "start_to_ready_s": round(statistics.median(starts), 2),
        "resident_mb": round(memory, 1),
    }


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], float]:
    command = [sys.executable, "-m", "riskmodel", "serve", "--model", str(folder), "--port", str(PORT)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while time.perf_counter() - started < READY_WITHIN_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"The service ended with exit code {process.returncode}.")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1)
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return process, time.perf_counter() - started
        except OSError:
            pass
        time.sleep(0.02)
    _stop(process)
    raise RuntimeError(f"The service was not ready within {READY_WITHIN_SECONDS} s.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=20)


def _post(connection: http.client.HTTPConnection, body: str) -> None:
    connection.request("POST", "/predict", body.encode(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"/predict answered {answer.status}: {content[:200]!r}")


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else float("nan")
