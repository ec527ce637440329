"""Ports in, answers by id out: clients that send each escalation with an id of its own until it is answered."""

import asyncio
import itertools
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

from benchmarks.client import Connection, Reply, connect, request_bytes
from benchmarks.load import kind_of
from benchmarks.texts import read_texts

CLIENTS = 16
CHARACTERS = 80  # texts are cut, so that much happens in little time
PAUSE_SECONDS = 0.05  # before another try
ASKED_AGAIN = 0.2  # of the answers are asked for once more
PATIENCE_SECONDS = 15.0  # with one reply


@dataclass
class Crowd:
    """Clients on a thread of their own, and what they saw.

    Attributes:
        ports: of the services; each try goes to any of them, or to all with ``everywhere``.
        everywhere: whether each id is sent to all ports at once.
        answers: the first answer to each id.
        differing: ids that were later answered otherwise.
        events: when each reply came (``time.perf_counter``), what kind it was, and how long it took.
        without_retry_after: 503s that do not say when to come back.
        unanswered: ids that had no answer when all ended.
    """

    ports: list[int]
    seed: int
    everywhere: bool = False
    clients: int = CLIENTS
    answers: dict[str, bytes] = field(default_factory=dict)
    differing: set[str] = field(default_factory=set)
    events: list[tuple[float, str, float]] = field(default_factory=list)
    without_retry_after: int = 0
    unanswered: set[str] = field(default_factory=set)
    _stopping: bool = False

    @contextmanager
    def sending(self) -> Iterator["Crowd"]:
        """Send while the block runs; then wait until all that was sent is answered."""
        thread = Thread(target=lambda: asyncio.run(self._all()), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopping = True
            thread.join()

    def kinds(self, begin: float = 0.0, end: float = float("inf")) -> dict[str, int]:
        """Count replies by kind, of some time."""
        return dict(Counter(kind for at, kind, _ in self.events if begin <= at < end))

    def first_answer_after(self, moment: float) -> float | None:
        """Return how many seconds after a moment the next request was answered."""
        return next((round(at - moment, 3) for at, kind, _ in self.events if at > moment and kind == "200"), None)

    async def _all(self) -> None:
        bodies = itertools.cycle(json.dumps({"text": text}) for text in read_texts(self.seed, CHARACTERS))
        await asyncio.gather(*(self._client(bodies, random.Random(self.seed + at)) for at in range(self.clients)))

    async def _client(self, bodies: Iterator[str], chance: random.Random) -> None:
        connections: dict[int, Connection] = {}
        while not self._stopping:
            id_ = uuid.UUID(int=chance.getrandbits(128)).hex
            body = f'{{"id":"{id_}",{next(bodies)[1:]}'.encode()
            request = request_bytes("POST", "/predict", body, {})
            self.unanswered.add(id_)
            ports = self.ports if self.everywhere else [chance.choice(self.ports)]
            await asyncio.gather(*(self._until_answered(connections, port, id_, request) for port in ports))
            if chance.random() < ASKED_AGAIN:
                await self._until_answered(connections, chance.choice(self.ports), id_, request)
        for connection in connections.values():
            connection.close()

    async def _until_answered(self, connections: dict[int, Connection], port: int, id_: str, request: bytes) -> None:
        give_up: float | None = None
        while give_up is None or time.perf_counter() < give_up:
            if self._stopping and give_up is None:
                give_up = time.perf_counter() + 2 * PATIENCE_SECONDS
            if await self._try(connections, port, id_, request):
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, connections: dict[int, Connection], port: int, id_: str, request: bytes) -> bool:
        began = time.perf_counter()
        try:
            connection = connections.get(port)
            if connection is None or not connection.is_open:
                connections[port] = connection = await connect(port)
            reply = await asyncio.wait_for(connection.ask(request), PATIENCE_SECONDS)
        except OSError as error:  # TimeoutError is one
            kind = "no reply in time" if isinstance(error, TimeoutError) else "connection"
            self.events.append((time.perf_counter(), kind, time.perf_counter() - began))
            if connections.get(port) is not None:
                connections.pop(port).close()
            return False
        self.events.append((time.perf_counter(), kind_of(reply), reply.seconds))
        return self._note(id_, reply)

    def _note(self, id_: str, reply: Reply) -> bool:
        if reply.status == 503 and b"retry-after" not in reply.headers:
            self.without_retry_after += 1
        if reply.status != 200:
            return False
        if self.answers.setdefault(id_, reply.body) != reply.body:
            self.differing.add(id_)
        self.unanswered.discard(id_)
        return True
