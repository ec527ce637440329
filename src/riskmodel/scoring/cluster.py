"""Blocks in, what came of each out, done by actors on a Ray cluster. The only door to Ray for work in bulk."""

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from riskmodel.errors import DataError, RiskmodelError, SettingsError
from riskmodel.scoring.blocks import Block
from riskmodel.scoring.engines import Worker
from riskmodel.scoring.parts import Counted

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data itself does (ray issue 53727)
try:
    import ray
    import ray.data
    from ray.exceptions import RayError
except ImportError:
    raise SettingsError("--engine ray needs Ray: pip install 'riskmodel[ray]'.") from None

LOCAL = "local"
REACH_SECONDS = 5.0
STORE_BYTES = 256 * 2**20  # of a cluster of our own: only the model and the names of blocks go through its store


class OnRay:
    """Ray: an actor a core, each with a worker of its own; Ray makes one that dies again and gives it its block again.

    Args:
        address: of a cluster, as ``ray.init`` takes it; ``local`` starts one on this machine.
        workers: actors; None for as many as the cluster has cores.
    """

    threads = 1

    def __init__(self, address: str = LOCAL, workers: int | None = None) -> None:
        self._address = address
        self._asked = workers

    def __enter__(self) -> "OnRay":
        """Connect.

        Raises:
            SettingsError: if no cluster answers at the address.
        """
        _check_reachable(self._address)
        own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": STORE_BYTES}
        try:
            ray.init(
                address=self._address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({**own, "num_cpus": self._asked} if self._address == LOCAL else {}),
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise _no_cluster(self._address, str(error).partition("\n")[0]) from None
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors come back as our own
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect; a cluster of our own ends."""
        ray.shutdown()

    @property
    def workers(self) -> int:
        """Return how many actors work."""
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return self._asked or max(1, int(resources.get("CPU", 1)))

    def run(self, make: Callable[[], Worker], blocks: Iterable[Block]) -> Iterator[Counted]:
        """Do the blocks on the actors.

        Raises:
            DataError: with the sentence of what a worker raised, or that Ray itself failed.
        """
        items = [asdict(block) for block in blocks]
        shared = ray.put(make)  # once a machine, however many actors there are
        done = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            _Actor,
            fn_constructor_args=([shared],),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(
                size=min(self.workers, len(items)),
                max_tasks_in_flight_per_actor=1,  # so that none waits behind another while an actor is idle
            ),
            num_cpus=1,
        )
        try:
            for row in done.iter_rows():
                if row["problem"]:
                    raise DataError(row["problem"])
                yield Counted(done=row["done"], refused=row["refused"])
        except RayError as error:
            raise DataError(
                f"Ray stopped ({type(error).__name__}). What is finished stays; the same command goes on."
            ) from None


class _Actor:
    """One worker, made where it works."""

    def __init__(self, shared: list["ray.ObjectRef[Callable[[], Worker]]"]) -> None:
        self._make = ray.get(shared[0])
        self._work: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Do the block that a batch of one names; what a worker raises on purpose comes back as a sentence."""
        block = Block(str(batch["file"][0]), *(int(batch[name][0]) for name in ("at", "before", "rows")))
        try:
            self._work = self._work or self._make()
            counted, problem = self._work(block), ""
        except RiskmodelError as error:
            counted, problem = Counted(done=0, refused=0), str(error)
        return {"done": [counted.done], "refused": [counted.refused], "problem": [problem]}


def _check_reachable(address: str) -> None:
    """Ask for a connection first: Ray itself waits for a minute, and then ends the process."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon:
        return
    if not port.isdecimal():
        raise SettingsError(f"--address: found {address}, expected HOST:PORT, ray://HOST:PORT, auto or {LOCAL}.")
    try:
        with contextlib.closing(socket.create_connection((host, int(port)), timeout=REACH_SECONDS)):
            pass
    except OSError as error:
        raise _no_cluster(address, str(error.strerror or error)) from None


def _no_cluster(address: str, why: str) -> SettingsError:
    return SettingsError(
        f"No Ray cluster answers at {address} ({why}). Start one with `ray start --head`, or leave --address out."
    )
