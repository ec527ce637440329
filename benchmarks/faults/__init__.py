"""Faults under load: each a function that takes a setting and returns its figures."""

from collections.abc import Callable
from typing import Any

from benchmarks.faults.kill import kill_under_load
from benchmarks.faults.locked import lock_the_database
from benchmarks.faults.processes import retry_against_several
from benchmarks.faults.setting import Setting
from benchmarks.faults.stopped import stop_postgresql

FAULTS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "kill": kill_under_load,
    "locked": lock_the_database,
    "postgresql": stop_postgresql,
    "processes": retry_against_several,
}

__all__ = ["FAULTS", "Setting"]
