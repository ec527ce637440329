"""``python -m benchmarks overload``: more than can be answered in; refusals, their speed, and what was answered out."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.load import REFUSAL, run_load
from benchmarks.ours import service
from benchmarks.plan import PATIENT, Load, Plan
from benchmarks.processes import running
from benchmarks.texts import bodies_of, read_texts

BEYOND = 3  # times the capacity arrive
CAPACITY_CLIENTS = 32
OPEN_CONNECTIONS = 4_000  # the most, where requests arrive whether or not earlier ones were answered
WARM_UP_SECONDS = 5.0  # until the queue is full


def measure_overload(folder: Path, seconds: float, connections: int) -> dict[str, Any]:
    """Return what became of requests in each of three kinds of crowd."""
    with tempfile.TemporaryDirectory() as name:
        command = service(folder, f"sqlite:///{name}/casebook.db")
        with running(command, Path(name) / "log") as server:
            plan = Plan(server.port, "/predict", bodies_of(read_texts()), seconds=seconds, warm_up=WARM_UP_SECONDS)
            capacity = run_load(replace(plan, clients=CAPACITY_CLIENTS)).requests_per_second
            arriving = round(BEYOND * capacity, 1)
            print(f"capacity: {capacity} requests/s")
            crowds = {
                f"{arriving} requests/s arrive, {BEYOND} times the capacity": replace(
                    plan, rate=arriving, clients=OPEN_CONNECTIONS
                ),
                f"{connections} clients, who come back when they are told": replace(
                    plan, clients=connections, pause=PATIENT
                ),
                f"{connections} clients, who come back at once": replace(plan, clients=connections, pause=0.0),
            }
            found = {}
            for crowd, crowded in crowds.items():
                found[crowd] = _figures(run_load(crowded))
                print(f"{crowd}: {found[crowd]}")
            after = run_load(replace(plan, clients=1, seconds=3, warm_up=1))
            memory = server.resident_megabytes()
    return {
        "capacity_requests_per_second": capacity,
        "crowds": found,
        "p50_at_one_client_afterwards_ms": after.answered.p50,
        "resident_mb": round(memory, 1),
    }


def _figures(load: Load) -> dict[str, Any]:
    total = sum(load.outcomes.values())
    refused = load.outcomes.get(REFUSAL, 0)
    answered = load.outcomes.get("200", 0)
    return {
        "requests": total,
        "answered": answered,
        "refused": refused,
        "refused_share": round(refused / max(1, total), 3),
        "let_in_and_not_answered": total - refused - answered,
        "refusals_without_retry_after": load.without_retry_after,
        "refused_ms": load.refused,
        "answered_ms": load.answered,
        "answered_per_second": load.requests_per_second,
        "outcomes": load.outcomes,
        "generator_ms": load.generator_ms,
        "unsent": load.unsent,
    }
