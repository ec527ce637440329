"""What the load generator is told, and what it tells: the two ends of its pipe."""

from dataclasses import dataclass, field

import numpy as np

PATIENT = -1.0  # as a pause: what Retry-After says


@dataclass(frozen=True)
class Plan:
    """Whom to load with what.

    Attributes:
        port: of this machine.
        path: of every request.
        bodies: JSON objects, sent in turn; where there are none, ``paths`` are got in turn.
        headers: of every request.
        clients: connections that send one request after the other; or, with ``rate``, the most there may be.
        seconds: to measure.
        warm_up: seconds before that.
        ids: whether each body gets an ``id`` of its own.
        rate: requests a second that arrive whether or not earlier ones were answered; None for a closed loop.
        pause: seconds a client waits after a refusal; ``PATIENT`` for as long as it is told.
        requests: end after so many, if sooner; 0 for no such end.
    """

    port: int
    path: str = "/"
    bodies: list[str] = field(default_factory=list, repr=False)
    paths: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    clients: int = 1
    seconds: float = 20.0
    warm_up: float = 3.0
    ids: bool = False
    rate: float | None = None
    pause: float = 0.0
    requests: int = 0


@dataclass(frozen=True)
class Latency:
    """Milliseconds; None where nothing was counted."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True)
class Load:
    """What came of a plan.

    Attributes:
        requests_per_second: answered with 200 while measured.
        answered: their latency.
        refused: latency of every 503 that refuses at the door.
        outcomes: how many replies of each kind: ``200``, ``503 busy``, ``connection`` ...; also after the end of the
            measured time, so that they sum to all that was sent.
        without_retry_after: 503s that do not say when to come back.
        generator_ms: processor time of the generator a request.
        unsent: arrivals for which no connection was free (open loop).
    """

    requests_per_second: float
    answered: Latency
    refused: Latency
    outcomes: dict[str, int]
    without_retry_after: int
    generator_ms: float
    unsent: int


def latency_of(seconds: list[float]) -> Latency:
    """Return percentiles of n latencies in seconds."""
    if not seconds:
        return Latency(None, None, None, None)
    p50, p95, p99, most = np.percentile(seconds, [50, 95, 99, 100]) * 1e3
    return Latency(round(p50, 2), round(p95, 2), round(p99, 2), round(most, 2))
