"""SQLite's file locked by another program under load; what clients saw, and how soon they were answered again, out."""

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.faults.audit import audit
from benchmarks.faults.crowd import Crowd
from benchmarks.faults.outage import outage
from benchmarks.faults.setting import Setting
from benchmarks.ours import service
from benchmarks.processes import running

BEFORE_SECONDS, LOCKED_SECONDS, AFTER_SECONDS = 3.0, 5.0, 4.0


def lock_the_database(setting: Setting) -> dict[str, Any]:
    """Hold an exclusive lock for five seconds."""
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "casebook.db"
        url = f"sqlite:///{database}"
        with running(service(setting.folder, url), Path(name) / "log") as server:
            crowd = Crowd([server.port], setting.seed)
            with crowd.sending(), closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as other:
                time.sleep(BEFORE_SECONDS)
                other.execute("BEGIN EXCLUSIVE")
                begin = time.perf_counter()
                time.sleep(LOCKED_SECONDS)
                end = time.perf_counter()
                other.execute("ROLLBACK")
                time.sleep(AFTER_SECONDS)
            return outage(crowd, begin, end) | {"same_process": server.is_up(), "casebook": audit(url, crowd)}
