"""A real SMTP server on a free port of this machine, with or without TLS and a login, that keeps what it gets."""

import contextlib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "desk", "a password"


@dataclass
class Mailbox:
    """What came in, whether it came within TLS, and what is answered."""

    answer: str = "250 OK"
    to_recipient: str = "250 OK"
    emails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802  as the library calls it
        self, server: Any, session: Session, envelope: Envelope, to: str, options: Any
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            found = message_from_bytes(envelope.content or b"", EmailMessage, policy=default)
            self.emails.append(found)
            self.envelopes.append(envelope)
            self.secure.append(session.ssl is not None)
        return self.answer


@contextlib.contextmanager
def mailbox(certificate: Path | None = None, *, login: bool = False, **answers: str) -> Iterator[Mailbox]:
    """Receive until the block ends; with a certificate STARTTLS is offered."""
    found = Mailbox(**answers)
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good)

    controller = Controller(
        found,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        authenticator=check if login else None,
        auth_required=login,
        auth_require_tls=context is not None,
        ready_timeout=30,
    )
    controller.port = free_port()
    controller.start()
    found.port = controller.port
    try:
        yield found
    finally:
        controller.stop(no_assert=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def make_certificate(folder: Path) -> Path:
    """Make a certificate for localhost that nobody signed but itself."""
    path = folder / "localhost.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    options = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    files = ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run([*command, *options, *files], check=True, capture_output=True)
    return path
