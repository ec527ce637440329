"""Requests in, replies out, over one HTTP/1.1 connection that is kept; as little work for the processor as can be."""

import asyncio
import time
from dataclasses import dataclass, field

import httptools

from benchmarks.processes import HOST


@dataclass(frozen=True)
class Reply:
    """What came back, and how long it took from sending; headers by their name in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: dict[bytes, bytes]
    seconds: float


class Connection(asyncio.Protocol):
    """One connection; a request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._reply: asyncio.Future[Reply] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._sent = 0.0
        self.is_open = False

    async def ask(self, request: bytes) -> Reply:
        """Send a whole request and return what comes back.

        Raises:
            ConnectionError: if the connection is lost before the reply is complete.
        """
        if self._transport is None or not self.is_open:
            raise ConnectionError("The connection is closed.")
        self._reply = asyncio.get_running_loop().create_future()
        self._sent = time.perf_counter()
        self._transport.write(request)
        return await self._reply

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        """Pass on what came in."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.close()
            self._fail(ConnectionError(f"The reply is not HTTP: {error}."))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self.is_open = False
        self._fail(ConnectionError(f"The connection was lost: {exc}."))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; called by the parser."""
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body; called by the parser."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand over the reply; called by the parser."""
        if self._parser.get_status_code() < 200:  # 100 Continue and its like
            return
        seconds = time.perf_counter() - self._sent
        reply = Reply(self._parser.get_status_code(), b"".join(self._body), self._headers, seconds)
        self._headers, self._body = {}, []
        if not self._parser.should_keep_alive():
            self.is_open = False
            assert self._transport is not None
            self._transport.close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    def _fail(self, error: ConnectionError) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error)


async def connect(port: int) -> Connection:
    """Open a connection.

    Raises:
        OSError: if nobody listens.
    """
    _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, port)
    return connection


def request_bytes(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return a whole request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
