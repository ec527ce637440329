"""The service killed under load, again and again; answers lost and duplicated out."""

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.faults.audit import audit
from benchmarks.faults.crowd import Crowd
from benchmarks.faults.setting import Setting
from benchmarks.ours import service
from benchmarks.processes import free_port, start
from training.progress import say

SOONEST, LATEST = 0.3, 3.0  # seconds of load before the service is killed


def kill_under_load(setting: Setting) -> dict[str, Any]:
    """Kill the service at random moments; after each restart compare what was answered with what is kept."""
    chance = random.Random(setting.seed)
    with tempfile.TemporaryDirectory() as name:
        url, log, port = f"sqlite:///{name}/casebook.db", Path(name) / "log", free_port()
        command = service(setting.folder, url)
        server = start(command, log, port)
        crowd = Crowd([port], setting.seed)
        worst: dict[str, Any] = {"lost": 0, "duplicates": 0, "kept_otherwise_than_answered": 0, "database_sound": True}
        restarts, breaks = [], []
        try:
            with crowd.sending():
                for at in range(setting.kills):
                    time.sleep(chance.uniform(SOONEST, LATEST))
                    server.kill()
                    killed = time.perf_counter()
                    server = start(command, log, port)
                    restarts.append(round(server.start_seconds, 2))
                    found = audit(url, crowd)
                    worst = {
                        key: min(found[key], value) if isinstance(value, bool) else max(found[key], value)
                        for key, value in worst.items()
                    }
                    say(f"kill {at + 1} of {setting.kills}: {found}")
                    time.sleep(SOONEST)
                    breaks.append(crowd.first_answer_after(killed))
            final = audit(url, crowd)
        finally:
            server.stop()
    return {
        "kills": setting.kills,
        "worst_after_a_restart": worst,
        "at_the_end": final,
        "replies": crowd.kinds(),
        "start_to_ready_s_most": max(restarts),
        "kill_to_next_answer_s_most": max(seconds for seconds in breaks if seconds is not None),
    }
