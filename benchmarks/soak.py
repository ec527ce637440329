"""``python -m benchmarks soak``: many requests in; resident memory as it went, and its slope, out."""

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load import run_load
from benchmarks.ours import service
from benchmarks.plan import Plan
from benchmarks.processes import Server, running
from benchmarks.texts import bodies_of, read_texts
from training.progress import progress

SLICES = 50  # between two of them memory is read
SETTLED = 0.1  # of the requests; by then every cache and pool has its size
EDGE = 0.1  # of the samples: first and last figures are means of so many
PER = 10_000  # requests that the slope is given for
NO_END_SECONDS = 3600.0


def measure_soak(
    folder: Path, requests: int, clients: int, characters: int, report: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Return memory over so many requests, each with an id; ``report`` gets what there is, again and again."""
    bodies = bodies_of(read_texts(most_characters=characters))
    measured: dict[str, Any] = {"wanted": requests, "clients": clients, "most_characters": characters, "samples": []}
    outcomes: Counter[str] = Counter()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, progress("requests") as show:
        database = Path(name) / "casebook.db"
        with running(service(folder, f"sqlite:///{database}"), Path(name) / "log") as server:
            done = 0
            measured["samples"].append(_sample(server, 0, begin))
            for at in range(SLICES):
                share = requests * (at + 1) // SLICES - requests * at // SLICES
                plan = Plan(server.port, "/predict", bodies, clients=clients, ids=True, requests=share)
                outcomes += run_load(_without_end(plan)).outcomes
                done += share
                measured["samples"].append(_sample(server, done, begin))
                measured |= _figures(measured["samples"], requests)
                measured |= {
                    "requests": done,
                    "complete": done == requests,
                    "outcomes": dict(outcomes),
                    "requests_per_second": round(done / (time.perf_counter() - begin), 1),
                    "database_mb": round(
                        sum(path.stat().st_size for path in database.parent.glob("casebook*")) / 2**20
                    ),
                }
                show(done, requests, f"{measured['samples'][-1]['resident_mb']} MB")
                report(measured)
    return measured


def _without_end(plan: Plan) -> Plan:
    return Plan(**vars(plan) | {"seconds": NO_END_SECONDS, "warm_up": 0.0})


def _sample(server: Server, done: int, begin: float) -> dict[str, float]:
    return {
        "requests": done,
        "seconds": round(time.perf_counter() - begin, 1),
        "resident_mb": round(server.resident_megabytes(), 1),
    }


def _figures(samples: list[dict[str, float]], wanted: int) -> dict[str, Any]:
    """Return the slope by least squares, and first and last figures, from where it should have settled on."""
    settled = [sample for sample in samples if sample["requests"] >= SETTLED * wanted]
    if len(settled) < 3:
        return {}
    done = np.array([sample["requests"] for sample in settled])
    memory = np.array([sample["resident_mb"] for sample in settled])
    few = max(1, round(EDGE * len(settled)))
    return {
        "resident_mb_at_start": samples[0]["resident_mb"],
        "resident_mb_first": round(statistics.mean(memory[:few]), 1),
        "resident_mb_last": round(statistics.mean(memory[-few:]), 1),
        "resident_mb_most": round(float(memory.max()), 1),
        f"mb_per_{PER}_requests": round(float(np.polyfit(done, memory, 1)[0]) * PER, 2),
    }
