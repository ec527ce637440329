"""Results of all commands in; what was asked of the service, what was measured, and whether that is enough, out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.bare import ONE, SHARED

Found = dict[str, dict[str, Any]]  # what each command measured, by its name
ENOUGH = "yes"
BUSY_CLIENTS = 32
SOAKED, KILLS = 100_000, 20  # a shorter run shows that the script works, no more
FAULTS = {
    "kill": "kill -9 under load",
    "locked": "database locked for 5 s",
    "postgresql": "PostgreSQL stopped and started",
    "processes": "four processes, one database",
}


@dataclass(frozen=True)
class Target:
    """What is asked: a figure, at least or at most a limit."""

    what: str
    limit: float
    at_least: bool
    unit: str
    figure: Callable[[Found], float | None]

    def row(self, found: Found) -> tuple[str, str, str, str]:
        """Return what, asked, measured and whether it is reached."""
        value = self.figure(found)
        asked = f"{'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"
        if value is None:
            return self.what, asked, "not measured", ""
        reached = value >= self.limit if self.at_least else value <= self.limit
        return self.what, asked, f"{value:,.5g}{self.unit}", ENOUGH if reached else "**no**"


def targets() -> list[Target]:
    """Return all targets."""
    busy = f"requests/s at {BUSY_CLIENTS} clients over"
    return [
        Target(
            f"{busy} texts/s of the encoder, {SHARED}",
            0.85,
            True,
            "",
            _ratio(f"{busy} texts/s of the encoder, {SHARED}"),
        ),
        Target(
            f"{busy} texts/s of the encoder, {ONE}", 0.85, True, "", _ratio(f"{busy} texts/s of the encoder, {ONE}")
        ),
        *(
            Target(f"{busy} {peer}{tuned}", limit, True, "", _ratio(f"{busy} {peer}{tuned}"))
            for peer, limit in (("mlflow", 4), ("fastapi", 3), ("litserve", 3))
            for tuned in ("", " tuned")
        ),
        Target(
            "p50 at 1 client over the encoder's call", 1.4, False, "", _ratio("p50 at 1 client over the encoder's call")
        ),
        Target(
            f"p99 over p50 at {BUSY_CLIENTS} clients", 4, False, "", _ratio(f"p99 over p50 at {BUSY_CLIENTS} clients")
        ),
        Target("start to ready", 3, False, " s", lambda found: _at(found, "service", "start_to_ready_s")),
        Target("resident memory at rest", 600, False, " MB", lambda found: _at(found, "service", "resident_mb")),
        Target("resident memory under load, the most", 600, False, " MB", _most_memory),
        Target("memory over 100,000 requests, last over first", 1.02, False, "", _memory_growth),
        Target("overload: refused within, 99 of 100", 50, False, " ms", _refused),
        Target("overload: let in and not answered", 0, False, "", _not_answered),
        Target("a million stored over ten thousand: p50 of /predict", 1.1, False, "", _growth),
        *(
            Target(f"{title}: {words}", 0, False, "", _faulty(fault, figure))
            for fault, title in FAULTS.items()
            for figure, words in (("lost", "answers lost"), ("duplicates", "kept twice"))
        ),
    ]


def _at(found: Found, *path: str) -> Any:
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _ratio(name: str) -> Callable[[Found], float | None]:
    return lambda found: _at(found, "peers", "ratios", name, "median")


def _most_memory(found: Found) -> float | None:
    ours = [
        one["resident_mb"]
        for one in _at(found, "peers", "medians") or []
        if one["system"] == "riskmodel" and one["resident_mb"] is not None
    ]
    return max(ours, default=None)


def _memory_growth(found: Found) -> float | None:
    first, last = _at(found, "soak", "resident_mb_first"), _at(found, "soak", "resident_mb_last")
    if not first or found["soak"]["requests"] < SOAKED:
        return None
    return float(last / first)


def _orderly(found: Found) -> Iterator[dict[str, Any]]:
    """Return crowds of clients that do as they are told; those who come back at once measure their own hurry."""
    for name, crowd in (_at(found, "overload", "crowds") or {}).items():
        if "at once" not in name:
            yield crowd


def _refused(found: Found) -> float | None:
    return max((crowd["refused_ms"]["p99"] or 0.0 for crowd in _orderly(found)), default=None)


def _not_answered(found: Found) -> float | None:
    crowds = (_at(found, "overload", "crowds") or {}).values()
    return max((crowd["let_in_and_not_answered"] for crowd in crowds), default=None)


def _growth(found: Found) -> float | None:
    by_size = _at(found, "growth", "ratio_to_smallest", "predict") or {}
    return by_size.get("1000000")


def _faulty(fault: str, figure: str) -> Callable[[Found], float | None]:
    if fault == "kill":
        return lambda found: _after_kills(found, figure)
    return lambda found: _at(found, "faults", fault, "casebook", figure)


def _after_kills(found: Found, figure: str) -> float | None:
    kill = _at(found, "faults", "kill")
    if not kill or kill["kills"] < KILLS:
        return None
    return float(max(kill["worst_after_a_restart"][figure], kill["at_the_end"][figure]))
