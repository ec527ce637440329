"""A worker and blocks in, what came of each out, in any order: what every engine does."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

from riskmodel.errors import SettingsError
from riskmodel.scoring.blocks import Block
from riskmodel.scoring.parts import Counted

Worker = Callable[[Block], Counted]
EngineName = Literal["local", "ray"]


class Engine(Protocol):
    """Does blocks."""

    @property
    def workers(self) -> int:
        """Return how many blocks are done at once."""

    @property
    def threads(self) -> int:
        """Return how many cores each worker may use; 0 for all."""

    def run(self, make: Callable[[], Worker], blocks: Iterable[Block]) -> Iterator[Counted]:
        """Yield what came of each block as it is finished.

        Args:
            make: makes a worker; called once for each, where it works. Must survive pickling.
            blocks: to be done, each once.

        Raises:
            RiskmodelError: what a worker raised.
        """


class Here:
    """This process: one block after the other, its texts shared among the cores."""

    workers = 1

    def __init__(self, threads: int = 0) -> None:
        self.threads = threads

    def run(self, make: Callable[[], Worker], blocks: Iterable[Block]) -> Iterator[Counted]:
        """Do the blocks one by one."""
        return map(make(), blocks)


def open_engine(
    name: EngineName, *, address: str | None = None, workers: int | None = None, threads: int | None = None
) -> AbstractContextManager[Engine]:
    """Return a context in which an engine runs.

    Args:
        name: ``local`` is this process.
        address: of a Ray cluster; None starts one on this machine.
        workers: of Ray; None for one a core.
        threads: of this process; None for all cores.

    Raises:
        SettingsError: if an option belongs to the other engine, Ray is not installed, or no cluster answers.
    """
    if name == "local":
        if address is not None or workers is not None:
            raise SettingsError("--address and --workers are of --engine ray; on this machine say --threads.")
        return nullcontext(Here(threads or 0))
    if threads is not None:
        raise SettingsError("--threads is of --engine local; with ray each worker has one core: say --workers.")
    from riskmodel.scoring.cluster import LOCAL, OnRay  # noqa: PLC0415  Ray takes seconds to import

    return OnRay(address or LOCAL, workers)
