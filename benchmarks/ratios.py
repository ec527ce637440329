"""Rounds of figures in, medians and ratios out: what the service is asked to reach, and what it does."""

import statistics
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.bare import ONE, SHARED
from benchmarks.ours import NAME

Round = list[dict[str, Any]]
Figure = Callable[[Round], float | None]
PEERS = [name + tuned for name in ("mlflow", "fastapi", "litserve") for tuned in ("", " tuned")]
BUSY = 32  # clients at which throughput is compared


def summarise(rounds: list[Round]) -> dict[str, Any]:
    """Return the median of each figure, and ratios that were taken within each round, with their median."""
    return {"medians": _medians(rounds), "ratios": _ratios(rounds)}


def _medians(rounds: list[Round]) -> list[dict[str, Any]]:
    kinds = list(dict.fromkeys((one["system"], one["clients"]) for found in rounds for one in found))
    return [
        {
            "system": system,
            "clients": clients,
            "rate": _median(_rate(found, system, clients) for found in rounds),
            **{
                name: _median(_latency(found, system, clients, name) for found in rounds)
                for name in ("p50", "p95", "p99")
            },
            "resident_mb": _median(_value(found, system, clients, "resident_mb") for found in rounds),
            "errors": sum(_errors(found, system, clients) for found in rounds),
            "generator_ms": _median(_generator(found, system, clients) for found in rounds),
        }
        for system, clients in kinds
    ]


def _ratios(rounds: list[Round]) -> dict[str, Any]:
    wanted: dict[str, tuple[Figure, Figure]] = {
        f"requests/s at {BUSY} clients over texts/s of the encoder, {way}": (_our_rate, _rate_of(way))
        for way in (ONE, SHARED)
    }
    wanted |= {f"requests/s at {BUSY} clients over {peer}": (_our_rate, _rate_of(peer)) for peer in PEERS}
    wanted["p50 at 1 client over the encoder's call"] = (
        lambda found: _latency(found, NAME, 1, "p50"),
        lambda found: _latency(found, ONE, 1, "p50"),
    )
    wanted[f"p99 over p50 at {BUSY} clients"] = (
        lambda found: _latency(found, NAME, BUSY, "p99"),
        lambda found: _latency(found, NAME, BUSY, "p50"),
    )
    ratios = {
        name: [_divide(ours(found), theirs(found)) for found in rounds] for name, (ours, theirs) in wanted.items()
    }
    return {
        name: {"median": _median(values), "rounds": values}
        for name, values in ratios.items()
        if any(value is not None for value in values)
    }


def _our_rate(found: Round) -> float | None:
    return _rate(found, NAME, BUSY)


def _rate_of(system: str) -> Figure:
    return lambda found: _rate(found, system, BUSY)


def _find(found: Round, system: str, clients: int) -> dict[str, Any] | None:
    return next((one for one in found if (one["system"], one["clients"]) == (system, clients)), None)


def _rate(found: Round, system: str, clients: int) -> float | None:
    one = _find(found, system, clients)
    if one is None:
        return None
    return float(one["load"].requests_per_second if "load" in one else one["bare"].texts_per_second)


def _latency(found: Round, system: str, clients: int, name: str) -> float | None:
    one = _find(found, system, clients)
    if one is None:
        return None
    value: float | None = getattr(one["load"].answered if "load" in one else one["bare"].call, name)
    return value


def _value(found: Round, system: str, clients: int, name: str) -> float | None:
    one = _find(found, system, clients)
    return None if one is None else one.get(name)


def _errors(found: Round, system: str, clients: int) -> int:
    one = _find(found, system, clients)
    outcomes = one["load"].outcomes if one is not None and "load" in one else {}
    return sum(count for kind, count in outcomes.items() if kind != "200")


def _generator(found: Round, system: str, clients: int) -> float | None:
    one = _find(found, system, clients)
    return one["load"].generator_ms if one is not None and "load" in one else None


def _divide(ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or not theirs else round(ours / theirs, 3)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 3) if known else None
