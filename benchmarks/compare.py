"""``python -m benchmarks peers``: the service beside the bare encoder and three peers, at 1, 8, 32 and 128 clients.

All servers are up the whole time; all but the one that is measured are paused. Within a round each number of clients
is measured for every system, one right after the other, so that a slow minute of the machine hits all of them alike;
ratios are of figures of one round, and their median is reported.
"""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import ours, ratios
from benchmarks.bare import ONE, SHARED, run_bare
from benchmarks.load import run_load
from benchmarks.peers.commands import peers
from benchmarks.plan import Plan
from benchmarks.processes import Command, Server, running
from benchmarks.texts import bodies_of, read_texts

CLIENTS = (1, 8, 32, 128)
BESIDE_BARE = (1, 32)  # numbers of clients that are compared with the bare encoder
WARM_UP_SECONDS = 3.0


@dataclass(frozen=True)
class System:
    """A server that runs, and how it is asked."""

    server: Server
    path: str
    bodies: list[str]
    headers: dict[str, str]

    @property
    def name(self) -> str:
        """Return what the results call it."""
        return self.server.command.name


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    rounds: int
    seconds: float
    clients: tuple[int, ...]
    ids: bool


def measure_peers(
    folder: Path, cache: Path, amount: Amount, only: set[str], report: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Return figures of every system and round, and the ratios; ``report`` gets what there is after each round."""
    texts = read_texts()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        work = Path(name)
        url = f"sqlite:///{work / 'casebook.db'}"

        def up(command: Command) -> Server:
            server = stack.enter_context(running(command, work / f"{command.name}.log"))
            print(f"{command.name}: ready after {server.start_seconds:.1f} s, {server.resident_megabytes():.0f} MB")
            server.pause()
            return server

        systems = [System(up(ours.service(folder, url, keys=True)), "/predict", bodies_of(texts), ours.make_key(url))]
        known = peers(folder, cache, only)
        systems += [System(up(peer.command), peer.path, [*map(peer.body, texts)], {}) for peer in known]
        measured: dict[str, Any] = {
            "systems": {ours.NAME: "int8 ONNX, keys on, explained and stored (SQLite, each commit synced)"}
            | {peer.command.name: peer.configuration for peer in known},
            "start_seconds": {system.name: round(system.server.start_seconds, 2) for system in systems},
            "resident_mb_at_start": {system.name: round(system.server.resident_megabytes(), 1) for system in systems},
            "seconds": amount.seconds,
            "rounds": [],
        }
        for at in range(amount.rounds):
            measured["rounds"].append(_round(folder, systems, amount, at))
            measured |= ratios.summarise(measured["rounds"])
            report(measured)
    return measured


def _round(folder: Path, systems: list[System], amount: Amount, number: int) -> list[dict[str, Any]]:
    """Measure everything once; every round begins with another system."""
    turn = number % len(systems)
    found: list[dict[str, Any]] = []
    for clients in amount.clients:
        if clients in BESIDE_BARE:
            for way in (ONE, SHARED):
                bare = run_bare(folder, way, amount.seconds)
                found.append({"system": way, "clients": clients, "bare": bare})
                print(f"round {number + 1}, {way}: {bare.texts_per_second} texts/s, p50 {bare.call.p50} ms")
        for system in systems[turn:] + systems[:turn]:
            found.append(_one(system, clients, amount))
            load = found[-1]["load"]
            print(
                f"round {number + 1}, {clients} clients, {system.name}: {load.requests_per_second} requests/s, "
                f"p50 {load.answered.p50}, p95 {load.answered.p95}, p99 {load.answered.p99} ms, {load.outcomes}, "
                f"{found[-1]['resident_mb']} MB"
            )
    return found


def _one(system: System, clients: int, amount: Amount) -> dict[str, Any]:
    system.server.resume()
    before = system.server.resident_megabytes()
    try:
        load = run_load(
            Plan(
                port=system.server.port,
                path=system.path,
                bodies=system.bodies,
                headers=system.headers,
                clients=clients,
                seconds=amount.seconds,
                warm_up=WARM_UP_SECONDS,
                ids=amount.ids and system.name == ours.NAME,
            )
        )
        after = system.server.resident_megabytes()
    finally:
        system.server.pause()
    return {
        "system": system.name,
        "clients": clients,
        "load": load,
        "resident_mb_before": round(before, 1),
        "resident_mb": round(after, 1),
    }
