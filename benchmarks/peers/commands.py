"""A model folder in, the commands of its peers out; what they serve is made first, once, and kept in the cache."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.making import installed, made, saved
from benchmarks.peers.objects import AT_ONCE, BATCH, FOLDER, THREADS
from benchmarks.processes import HOST, Command
from benchmarks.texts import ROOT


@dataclass(frozen=True)
class Peer:
    """A peer: its command, where a text is sent, and how the body is made of it."""

    command: Command
    path: str
    body: Callable[[str], str]
    configuration: str


@dataclass(frozen=True)
class Tuning:
    """How a peer is set: as its documentation has it, or as was found to be the fastest on two cores.

    Attributes:
        name: added to the peer's.
        threads: of torch.
        workers: processes that load the model.
        batch: texts that sentence-transformers pads to one length.
        at_once: requests that run at once, of the FastAPI route; None for FastAPI's own number.
    """

    name: str
    threads: int
    workers: int = 1
    batch: int = 32
    at_once: int | None = None

    def __str__(self) -> str:
        """Return it for the results."""
        text = f"{self.workers} × {self.threads} torch threads, padded in batches of {self.batch}"
        return text if self.at_once is None else f"{text}, {self.at_once} requests at once"


CORES = os.cpu_count() or 1
AS_DOCUMENTED = Tuning("", CORES)
TUNED = {
    "mlflow": Tuning(" tuned", 1, workers=CORES),
    "fastapi": Tuning(" tuned", 1, at_once=CORES),
    "litserve": Tuning(" tuned", CORES, batch=4),
}


def peers(folder: Path, cache: Path, only: set[str]) -> list[Peer]:
    """Return the peers of a model version, ready to be started, each as documented and tuned.

    Args:
        folder: of the version.
        cache: of the project.
        only: names of those that are wanted; empty for all.
    """
    objects = made(folder, cache)
    extras = installed(cache / "peers")
    served = saved(objects)

    def mlflow(tuning: Tuning) -> Peer:
        def arguments(port: int) -> list[str]:
            command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(served)]
            command += ["--env-manager", "local", "--host", HOST, "--port", str(port)]
            return [*command, "--workers", str(tuning.workers)]

        command = Command("mlflow" + tuning.name, arguments, "/ping", _environment(objects, extras, tuning))
        return Peer(command, "/invocations", _record, str(tuning))

    def fastapi(tuning: Tuning) -> Peer:
        def arguments(port: int) -> list[str]:
            command = [sys.executable, "-m", "uvicorn", "benchmarks.peers.plain_fastapi:app", "--port", str(port)]
            return [*command, "--no-access-log", "--log-level", "warning"]

        command = Command("fastapi" + tuning.name, arguments, "/health", _environment(objects, extras, tuning))
        return Peer(command, "/predict", _plain, str(tuning))

    def litserve(tuning: Tuning) -> Peer:
        def arguments(port: int) -> list[str]:
            return [sys.executable, "-m", "benchmarks.peers.litserve_server", str(port)]

        command = Command("litserve" + tuning.name, arguments, "/health", _environment(objects, extras, tuning))
        return Peer(command, "/predict", _plain, f"up to 32 requests gathered in 5 ms, {tuning}")

    makers = {"mlflow": mlflow, "fastapi": fastapi, "litserve": litserve}
    found = [make(tuning) for name, make in makers.items() for tuning in (AS_DOCUMENTED, TUNED[name])]
    return [peer for peer in found if not only or peer.command.name in only]


def _environment(objects: Path, extras: Path, tuning: Tuning) -> dict[str, str]:
    found = {
        FOLDER: str(objects),
        THREADS: str(tuning.threads),
        BATCH: str(tuning.batch),
        "OMP_NUM_THREADS": str(tuning.threads),
        "PYTHONPATH": f"{ROOT}:{extras}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # mlflow calls uvicorn by its name
        "HF_HUB_OFFLINE": "1",
        "UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "3600",  # a server that is paused is not dead
        "TOKENIZERS_PARALLELISM": "false",
    }
    return found if tuning.at_once is None else found | {AT_ONCE: str(tuning.at_once)}


def _record(text: str) -> str:
    return json.dumps({"dataframe_records": [{"text": text}]}, ensure_ascii=False)


def _plain(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False)
