"""Teams that are reached by webhook or e-mail, and not at all during an outage; what arrived, in order, out."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from riskmodel.casework import SignatureError, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the simulation only
BUSY = 503
SUBJECT = re.compile(r"^\D+(\d+):")  # "Hand-off 12: ..."; a withdrawal has no colon


@dataclass
class Inbox:
    """What reached the teams.

    Attributes:
        is_down: whether a channel has an outage now.
        ids: of the messages that were taken, each as often as it was sent.
        handoffs: numbers of hand-offs that arrived and nobody has looked at yet.
        turned_away: requests during outages.
    """

    is_down: Callable[[str], bool]
    ids: list[str] = field(default_factory=list)
    handoffs: list[int] = field(default_factory=list)
    turned_away: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, channel: str, id_: str, handoff: int | None) -> bool:
        """Take a message in; False during an outage."""
        with self.lock:
            if self.is_down(channel):
                self.turned_away += 1
                return False
            if handoff is not None and id_ not in self.ids:  # at least once: what comes twice is one
                self.handoffs.append(handoff)
            self.ids.append(id_)
            return True


@dataclass(frozen=True)
class Places:
    """Where the teams listen."""

    webhook: str
    smtp_port: int


@contextlib.contextmanager
def teams_listening(inbox: Inbox, clock: Callable[[], datetime]) -> Iterator[Places]:
    """Listen on free ports of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                verify([SECRET], dict(self.headers), body, clock().timestamp())
            except SignatureError:
                self.send_error(401)
                return
            told = json.loads(body)
            number = told["data"]["number"] if told["type"] == "handoff.opened" else None
            taken = inbox.take("webhook", str(self.headers["webhook-id"]), number)
            self.send_response(204 if taken else BUSY)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Mail:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  the library's name
            found = message_from_bytes(envelope.content or b"", policy=default)
            handoff = SUBJECT.match(str(found["Subject"]))
            id_ = str(found["Message-ID"]).strip("<>").partition("@")[0]
            taken = inbox.take("email", id_, int(handoff.group(1)) if handoff else None)
            return "250 OK" if taken else "451 try again later"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:  # the library calls itself by the port it was told
        port = free.getsockname()[1]
    mail = Controller(Mail(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        yield Places(f"http://127.0.0.1:{server.server_port}/hook", port)
    finally:
        mail.stop()
        server.shutdown()
        server.server_close()
