"""A team's own receiver of webhooks on a free port, that does with each request what a test wants."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came in, and how it is answered; the last behaviour stays."""

    behaviours: list[Behaviour]
    received: list[Received] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Received) -> Behaviour:
        with self.lock:
            self.received.append(request)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


class Handler(BaseHTTPRequestHandler):
    """Reads a request, then does as told."""

    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.receiver.take(Received(self.path, dict(self.headers), body))(self)

    def do_GET(self) -> None:
        self.server.receiver.take(Received(self.path, dict(self.headers), b""))(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def status(code: int, **headers: str) -> Behaviour:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def hang_up(handler: Handler) -> None:
    """End the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def drip(handler: Handler) -> None:
    """Answer a byte every 50 ms, for ever."""
    with contextlib.suppress(OSError):
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            handler.connection.sendall(b"a")
            time.sleep(0.05)


def silent(seconds: float) -> Behaviour:
    """Say nothing for a while, then 200."""

    def wait(handler: Handler) -> None:
        time.sleep(seconds)
        with contextlib.suppress(OSError):
            status(200)(handler)

    return wait


def endless(handler: Handler) -> None:
    """Answer 200 with a body that never ends."""
    with contextlib.suppress(OSError):
        handler.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.connection.sendall(b"a" * 65_536)


class Server(ThreadingHTTPServer):
    """Says nothing of connections that its clients cut."""

    daemon_threads = True
    block_on_close = False
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextlib.contextmanager
def receiving(*behaviours: Behaviour) -> Iterator[Receiver]:
    """Receive until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    server.receiver = Receiver(list(behaviours))
    server.receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
