"""A plan in, latencies and outcomes out: a load generator in a process of its own.

``run_load`` starts it and passes the plan; ``python -m benchmarks.load`` is the process.
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from benchmarks.client import Connection, Reply, connect, request_bytes
from benchmarks.plan import PATIENT, Latency, Load, Plan, latency_of

REFUSAL = "503 busy"
LAST_ANSWERS_SECONDS = 60.0  # waited for after the measured time
AFTER_A_LOST_CONNECTION = 0.05
SPREAD = 0.5  # of a pause


def run_load(plan: Plan) -> Load:
    """Load a server from another process and return what came of it.

    Raises:
        RuntimeError: with what the generator printed, if it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(asdict(plan)), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"The load generator failed:\n{done.stderr[-2000:]}")
    raw = json.loads(done.stdout)
    return Load(**raw | {name: Latency(**raw[name]) for name in ("answered", "refused")})


class Generator:
    """Sends what a plan says and counts what comes back."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._begin = time.perf_counter() + plan.warm_up
        self._end = self._begin + plan.seconds
        self._requests = itertools.cycle([body.encode() for body in plan.bodies] or plan.paths)
        self._prepared: dict[str | bytes, bytes] = {}
        self._left = plan.requests or sys.maxsize
        self._outcomes: Counter[str] = Counter()
        self._answered: list[float] = []
        self._refused: list[float] = []
        self._silent = self._unsent = 0
        self._random = random.Random(plan.clients)

    async def run(self) -> Load:
        """Carry out the plan."""
        clients = self._arrivals() if self.plan.rate is not None else self._clients()
        used = asyncio.create_task(self._processor_time())
        await clients
        finished = min(time.perf_counter(), self._end)
        spent = await used if finished >= self._end else time.process_time()
        if finished < self._end:
            used.cancel()
        return Load(
            requests_per_second=round(len(self._answered) / max(1e-9, finished - self._begin), 2),
            answered=latency_of(self._answered),
            refused=latency_of(self._refused),
            outcomes=dict(sorted(self._outcomes.items())),
            without_retry_after=self._silent,
            generator_ms=round(spent * 1e3 / max(1, len(self._answered) + len(self._refused)), 3),
            unsent=self._unsent,
        )

    async def _processor_time(self) -> float:
        await asyncio.sleep(max(0.0, self._begin - time.perf_counter()))
        before = time.process_time()
        await asyncio.sleep(max(0.0, self._end - time.perf_counter()))
        return time.process_time() - before

    async def _clients(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.plan.clients)))

    async def _client(self) -> None:
        connection: Connection | None = None
        for request in self._until_end():
            connection, pause = await self._ask(connection, request)
            if pause:
                await asyncio.sleep(min(pause, max(0.0, self._end - time.perf_counter())))
        if connection is not None:
            connection.close()

    async def _arrivals(self) -> None:
        assert self.plan.rate is not None
        idle: list[Connection | None] = [None] * self.plan.clients
        tasks: set[asyncio.Task[None]] = set()

        async def one(connection: Connection | None, request: bytes) -> None:
            idle.append((await self._ask(connection, request))[0])

        due = time.perf_counter()
        for request in self._until_end():
            due += self._random.expovariate(self.plan.rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if not idle:
                self._unsent += 1
                continue
            task = asyncio.create_task(one(idle.pop(), request))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks)

    async def _ask(self, connection: Connection | None, request: bytes) -> tuple[Connection | None, float]:
        """Send a request, count what comes of it; return the connection and how long to wait before the next."""
        try:
            if connection is None or not connection.is_open:
                connection = await connect(self.plan.port)
            late = max(0.0, self._end - time.perf_counter()) + LAST_ANSWERS_SECONDS
            reply = await asyncio.wait_for(connection.ask(request), late)
        except TimeoutError:
            self._outcomes["no answer"] += 1
            return None, 0.0
        except OSError:
            self._outcomes["connection"] += 1
            return None, AFTER_A_LOST_CONNECTION
        return connection, self._count(reply)

    def _count(self, reply: Reply) -> float:
        kind = kind_of(reply)
        measured = self._begin <= time.perf_counter() <= self._end
        if measured or time.perf_counter() > self._end:
            self._outcomes[kind] += 1
        if reply.status == 503 and b"retry-after" not in reply.headers:
            self._silent += 1
        if measured and reply.status == 200:
            self._answered.append(reply.seconds)
        if measured and kind == REFUSAL:
            self._refused.append(reply.seconds)
        if reply.status == 200:
            return 0.0
        if self.plan.pause != PATIENT:
            return self.plan.pause
        # With a spread, as clients are told to: together they would come back in one moment, again and again.
        return float(reply.headers.get(b"retry-after", b"1")) * self._random.uniform(1.0, 1.0 + SPREAD)

    def _until_end(self) -> Iterator[bytes]:
        while time.perf_counter() < self._end and self._left > 0:
            self._left -= 1
            yield self._next()

    def _next(self) -> bytes:
        key = next(self._requests)
        plan = self.plan
        if isinstance(key, str):
            return request_bytes("GET", key, b"", plan.headers)
        if plan.ids:
            body = b'{"id":"%s",%s' % (uuid.uuid4().hex.encode(), key[1:])
            return request_bytes("POST", plan.path, body, plan.headers)
        if key not in self._prepared:
            self._prepared[key] = request_bytes("POST", plan.path, key, plan.headers)
        return self._prepared[key]


def kind_of(reply: Reply) -> str:
    """Return the status, and for a problem document of riskmodel what kind of problem it is."""
    if reply.status < 400 or not reply.body.startswith(b'{"type":"urn:riskmodel:problem:'):
        return str(reply.status)
    return f"{reply.status} {json.loads(reply.body)['type'].rpartition(':')[2]}"


def main() -> None:
    """Read a plan from stdin and print what came of it."""
    plan = Plan(**json.load(sys.stdin))
    load = asyncio.run(Generator(plan).run())
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
