"""The service as a process: what it imports, when it answers, how it ends."""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "mlflow", "sklearn", "pandas", "scipy")
SERVE = """
import sys
from riskmodel.errors import RiskmodelError
from riskmodel.service.app import serve
from riskmodel.service.settings import read_settings
try:
    serve(read_settings())
except RiskmodelError as error:
    sys.exit(str(error))
"""
ASSESS = f"""
import asyncio, json, sys, time
from riskmodel.casebook import Sent
from riskmodel.records import Escalation
from riskmodel.service.errors import NotReadyError
from riskmodel.service.app import create_app
from riskmodel.service.settings import read_settings
async def main():
    app = create_app(read_settings())
    async with app.router.lifespan_context(app):
        while True:
            try:
                app.state.running.check_ready()
                break
            except NotReadyError:
                await asyncio.sleep(0.01)
        sent = Sent("local", Escalation(text="The parcel is late."), None, bytes(32), None, None)
        (answer,) = await app.state.running.parts.dispatcher.rate([sent])
        print(json.loads(answer.document)["rating"])
asyncio.run(main())
print([name for name in {HEAVY!r} if name in sys.modules])
"""
MIB = 1024 * 1024
VARIABLES = {"RISKMODEL_THREADS": "1", "RISKMODEL_AUTH": "off"}


@pytest.fixture(autouse=True)
def _own_casebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMODEL_DATABASE_URL", f"sqlite:///{tmp_path / 'casebook.db'}")


def run(code: str, model: Path, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | {"RISKMODEL_MODEL": str(model)} | VARIABLES | variables
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Server:
    """A real server on a free port."""

    def __init__(self, model: Path, log: Path) -> None:
        database = f"sqlite:///{log.parent / 'server.db'}"
        given = {"RISKMODEL_MODEL": str(model), "RISKMODEL_PORT": "0", "RISKMODEL_DATABASE_URL": database}
        environment = os.environ | VARIABLES | given
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stderr=stderr)
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self._port()}", timeout=30)

    def _port(self) -> int:
        for _ in range(1_000):
            for line in self.log.read_text().splitlines():
                if '"listening"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def wait_until(self, answered: Callable[[], bool]) -> None:
        for _ in range(1_000):
            if answered():
                return
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def ready(self) -> bool:
        return self.client.get("/health/ready").status_code == 200

    def end(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()

    def peak_memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tiny_model, tmp_path_factory.mktemp("server") / "log")
    server.wait_until(server.ready)
    yield server
    server.end()


def test_it_answers_without_any_library_of_training(tiny_model: Path) -> None:
    out, err = run(ASSESS, tiny_model).communicate(timeout=60)

    *_, rating, heavy = out.splitlines() or [err, err]
    assert rating in ("low", "medium", "high", "critical"), err
    assert heavy == "[]"


def test_a_model_that_is_missing_ends_the_process_with_its_reason(tmp_path: Path) -> None:
    process = run(SERVE, tmp_path / "no model", RISKMODEL_PORT="0")
    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert str(tmp_path / "no model") in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_port_that_is_taken_ends_the_process_with_its_reason(tiny_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run(SERVE, tiny_model, RISKMODEL_PORT=str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "Traceback" not in err
    assert err.startswith("RISKMODEL_HOST and RISKMODEL_PORT: cannot listen on 127.0.0.1")


@pytest.mark.slow
def test_it_ends_when_it_is_told_to(tiny_model: Path, tmp_path: Path) -> None:
    server = Server(tiny_model, tmp_path / "log")
    server.wait_until(server.ready)
    server.process.send_signal(signal.SIGINT)

    code = server.process.wait(timeout=20)
    server.end()

    assert code == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["event"][:13] for line in lines if line["level"] != "info"] == ["keys are off:"]


@pytest.mark.slow
def test_no_answer_waits_for_an_acknowledgement_of_its_first_half(server: Server) -> None:
    def seconds() -> float:
        began = time.perf_counter()
        assert server.client.get("/health/live").status_code == 200
        return time.perf_counter() - began

    assert statistics.median(seconds() for _ in range(30)) < 0.02  # Nagle's delay would make it 0.04


@pytest.mark.slow
def test_50_megabytes_are_refused_unread_declared_or_not(server: Server) -> None:
    chunk = b"Marisol " * (MIB // 8)

    def endless() -> Iterator[bytes]:
        yield b'{"text": "'
        for _ in range(50):
            yield chunk

    before = server.peak_memory()
    json_type = {"Content-Type": "application/json"}
    declared = server.client.post("/predict", content=chunk * 50, headers=json_type)
    after_declared = server.peak_memory()
    streamed = server.client.post("/predict/batch", content=endless(), headers=json_type)

    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["errors"][0]["found"] == "more than 33,554,432 bytes"
    assert after_declared - before < 5 * MIB
    assert server.peak_memory() - before < 50 * MIB
    assert server.client.post("/predict", json={"text": "The parcel is late."}).status_code == 200
    assert "Marisol" not in server.log.read_text()


@pytest.mark.slow
def test_a_client_that_leaves_does_not_keep_the_others_waiting(server: Server) -> None:
    long = {"escalations": [{"text": "The seller never sent the shoes. " * 600}] * 256}
    with pytest.raises(httpx2.ReadTimeout):
        server.client.post("/predict/batch", json=long, timeout=0.5)

    began = time.monotonic()
    answered = lambda: server.client.post("/predict", json={"text": "The parcel is late."}).status_code == 200  # noqa: E731
    server.wait_until(answered)  # until the service has seen that the client left, it is busy for so long a batch
    assert time.monotonic() - began < 5
    server.wait_until(lambda: '"status": 499' in server.log.read_text())
