"""A command in, a running server out: started, waited for, paused, weighed and stopped, with all its children."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 180
STOP_WITHIN_SECONDS = 30
POLL_SECONDS = 0.02
# Not of the machine's user: the first would make every start compile the sources again.
NOT_PASSED_ON = ("PYTHONDONTWRITEBYTECODE",)


@dataclass(frozen=True)
class Command:
    """How a server is started on a port, which ``arguments`` is given; ``ready`` answers 200 once it is up."""

    name: str
    arguments: Callable[[int], list[str]]
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server that was ready; ``start_seconds`` is how long that took."""

    command: Command
    port: int
    process: "subprocess.Popen[bytes]"
    start_seconds: float

    def pause(self) -> None:
        """Take the processor away from it, parents before children, so that no watchdog of its own misses a child."""
        for process in self._tree():
            process.suspend()

    def resume(self) -> None:
        """Give it the processor again."""
        for process in reversed(self._tree()):
            with contextlib.suppress(psutil.NoSuchProcess):  # when it is stopped, a child may be gone already
                process.resume()

    def resident_megabytes(self) -> float:
        """Return the resident memory of all its processes together."""
        return sum(process.memory_info().rss for process in self._tree()) / 2**20

    def is_up(self) -> bool:
        """Return whether the process that was started still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(STOP_WITHIN_SECONDS)

    def stop(self) -> None:
        """End it as a supervisor would; what does not end in time is killed."""
        tree = self._tree()
        if not tree:
            return
        self.process.terminate()
        self.resume()
        _, alive = psutil.wait_procs(tree, STOP_WITHIN_SECONDS)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(STOP_WITHIN_SECONDS)

    def _tree(self) -> list[psutil.Process]:
        if not self.is_up():
            return []
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


def start(command: Command, log: Path, port: int | None = None) -> Server:
    """Start a server, with what it prints in a file, and wait until it is ready.

    Raises:
        RuntimeError: if it ends or is not ready in time, with the end of what it printed.
    """
    port = port or free_port()
    kept = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    own = {name: value for name, value in kept.items() if not name.startswith("RISKMODEL_")}
    started = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command.arguments(port),
            env=own | dict(command.environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the benchmark, which stops its servers in order
        )
    server = Server(command, port, process, 0.0)
    try:
        while time.perf_counter() - started < READY_WITHIN_SECONDS:
            if process.poll() is not None:
                raise RuntimeError(f"{command.name} ended with exit code {process.returncode}:\n{_end_of(log)}")
            if answers(port, command.ready):
                return replace(server, start_seconds=time.perf_counter() - started)
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"{command.name} was not ready within {READY_WITHIN_SECONDS} s:\n{_end_of(log)}")
    except BaseException:
        server.stop()
        raise


@contextlib.contextmanager
def running(command: Command, log: Path, port: int | None = None) -> Iterator[Server]:
    """Yield a server that is ready, and stop it whatever happens."""
    server = start(command, log, port)
    try:
        yield server
    finally:
        server.stop()


def answers(port: int, path: str) -> bool:
    """Return whether a path answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]


def give_way() -> None:
    """Let signals that end a benchmark run its clean-up, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
