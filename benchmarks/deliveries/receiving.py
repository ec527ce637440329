"""Receivers of webhooks and of e-mail on this machine that fail half of the time, each time in one of several ways."""

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from riskmodel.casework import verify

FAILING = 0.5
SILENT_SECONDS, SLOW_SECONDS = 3.0, 0.3
WAYS = ("500", "404", "429", "302", "hang up", "no answer", "200 dripped", "taken, then no answer")
MAIL_WAYS = ("451", "452 after the data", "421")


@dataclass
class Taken:
    """What was received whole, by id, how often, and what else was done to it."""

    chance: random.Random
    ids: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, ways: tuple[str, ...]) -> str:
        """Return how a call fails, or ``taken``."""
        with self.lock:
            way = self.chance.choice(ways) if self.chance.random() < FAILING else "taken"
            self.ways[way] += 1
            return way

    def take(self, id_: str) -> None:
        """Remember a message."""
        with self.lock:
            self.ids[id_] += 1


class Handler(BaseHTTPRequestHandler):
    """Takes a webhook, or fails."""

    server: Any

    def do_POST(self) -> None:
        """Verify the signature, then do as chance has it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        id_ = verify([self.server.secret], dict(self.headers), body, time.time())
        way = self.server.taken.draw(WAYS)
        if way in ("taken", "taken, then no answer"):
            self.server.taken.take(id_)
        match way:
            case "taken":
                time.sleep(self.server.taken.chance.choice((0.0, SLOW_SECONDS)))
                self._answer(200)
            case "hang up":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            case "no answer" | "taken, then no answer":
                time.sleep(SILENT_SECONDS)
            case "200 dripped":
                self._drip()
            case code:
                self._answer(int(code))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
                self.connection.sendall(bytes([byte]))
                time.sleep(0.05)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing of connections that were cut."""

    daemon_threads = True
    block_on_close = False
    secret: str
    taken: Taken

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class Mail:
    """Takes an e-mail, or fails."""

    def __init__(self, taken: Taken) -> None:
        self.taken = taken

    async def handle_RCPT(  # noqa: N802  as the library calls it
        self, server: Any, session: Any, envelope: Any, to: str, options: Any
    ) -> str:
        """Refuse for now, or go on."""
        session.way = self.taken.draw(MAIL_WAYS)
        if session.way == "451":
            return "451 try later"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take it, or refuse for now."""
        if session.way != "taken":
            return "421 bye" if session.way == "421" else "452 full"
        id_ = str(message_from_bytes(envelope.content)["Message-ID"]).strip("<>").partition("@")[0]
        self.taken.take(id_)
        return "250 OK"


@contextlib.contextmanager
def receivers(secret: str, seed: int) -> Iterator[tuple[int, int, Taken, Taken]]:
    """Receive until the block ends; give the ports of webhooks and e-mail, and what each took."""
    hooks, mails = Taken(random.Random(seed)), Taken(random.Random(seed + 1))
    server = Server(("127.0.0.1", 0), Handler)
    server.secret, server.taken = secret, hooks
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    mail = Controller(Mail(mails), hostname="127.0.0.1", port=port, ready_timeout=30)
    mail.start()
    try:
        yield server.server_port, port, hooks, mails
    finally:
        mail.stop(no_assert=True)
        server.shutdown()
        thread.join()
        server.server_close()
