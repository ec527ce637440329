"""Four services on one PostgreSQL, the same ids sent to all of them; whether each id has one answer, out."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.faults.audit import audit
from benchmarks.faults.crowd import Crowd
from benchmarks.faults.setting import Setting
from benchmarks.ours import service
from benchmarks.postgres import postgresql
from benchmarks.processes import running

SERVICES = 4
LOAD_SECONDS = 20.0
CLIENTS = 8


def retry_against_several(setting: Setting) -> dict[str, Any]:
    """Send every id to all services at once, and some again; all answers to one id must be the same bytes."""
    with tempfile.TemporaryDirectory() as name, postgresql() as database, ExitStack() as stack:
        command = service(setting.folder, database.url, threads=1)
        log = Path(name) / "log"
        servers = [stack.enter_context(running(command, log)) for _ in range(SERVICES)]
        crowd = Crowd([server.port for server in servers], setting.seed, everywhere=True, clients=CLIENTS)
        with crowd.sending():
            time.sleep(LOAD_SECONDS)
        return {"services": SERVICES, "replies": crowd.kinds(), "casebook": audit(database.url, crowd)}
