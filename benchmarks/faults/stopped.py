"""PostgreSQL stopped and started under load; what clients saw, and how soon they were answered again, out."""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.faults.audit import audit
from benchmarks.faults.crowd import Crowd
from benchmarks.faults.outage import outage
from benchmarks.faults.setting import Setting
from benchmarks.ours import service
from benchmarks.postgres import postgresql
from benchmarks.processes import answers, running

TIMES = 3
BEFORE_SECONDS, AWAY_SECONDS, AFTER_SECONDS = 3.0, 5.0, 4.0


def stop_postgresql(setting: Setting) -> dict[str, Any]:
    """Stop it for five seconds, three times, with the same service up all along."""
    found: dict[str, Any] = {"stops": []}
    with tempfile.TemporaryDirectory() as name, postgresql() as database:
        with running(service(setting.folder, database.url), Path(name) / "log") as server:
            crowd = Crowd([server.port], setting.seed)
            with crowd.sending():
                for _ in range(TIMES):
                    time.sleep(BEFORE_SECONDS)
                    begin = time.perf_counter()
                    database.stop()
                    time.sleep(AWAY_SECONDS)
                    database.start()
                    end = time.perf_counter()
                    time.sleep(AFTER_SECONDS)
                    found["stops"].append((begin, end))
            found["stops"] = [_one(crowd, *moments) for moments in found["stops"]]
            found["same_process"], found["ready"] = server.is_up(), answers(server.port, "/health/ready")
        found["casebook"] = audit(database.url, crowd)
    found["refusals_without_retry_after"] = crowd.without_retry_after
    return found


def _one(crowd: Crowd, begin: float, end: float) -> dict[str, Any]:
    part = Crowd(crowd.ports, crowd.seed)
    part.events = [event for event in crowd.events if begin - BEFORE_SECONDS <= event[0] < end + AFTER_SECONDS]
    return outage(part, begin, end)
