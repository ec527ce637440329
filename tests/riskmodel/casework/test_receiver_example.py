"""The receiver that the documentation shows does what it says."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from riskmodel.casework import Webhooks
from riskmodel.casework.delivery import Ended
from tests.riskmodel.casework.made import OTHER_SECRET, SECRET, contacts, leased
from tests.riskmodel.casework.mailbox import free_port

PAGE = Path(__file__).parents[3] / "docs" / "handoffs.md"
ROOT = Path(__file__).parents[3]
EVENT = {"type": "handoff.opened", "data": {"number": 7, "act_by": "2026-03-01T16:00:00Z"}}


def status(url: str) -> int:
    """Return what a receiver answers to an unsigned request; 0 while nobody is there."""
    try:
        with urlopen(Request(url, data=b"{}", method="POST"), timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def test_the_receiver_of_the_documentation_takes_what_is_signed_once_and_nothing_else(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "receiver.py").write_text(code, encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    environment = os.environ | {
        "SECRETS": f"{OTHER_SECRET} {SECRET}",
        "PORT": str(port),
        "PYTHONPATH": str(ROOT / "src"),
    }
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "receiver.py")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as receiver:
        try:
            deadline = time.monotonic() + 30
            while status(url) == 0:
                assert time.monotonic() < deadline, "the receiver did not start"
                time.sleep(0.05)
            assert status(url) == 401
            deliver = Webhooks(contacts(url))
            for tries in (1, 2):
                assert deliver(leased(payload=EVENT, tries=tries)) == Ended("delivered", 204)
        finally:
            receiver.kill()
        assert receiver.stdout is not None
        assert receiver.stdout.read().splitlines() == ["handoff.opened 7 2026-03-01T16:00:00Z"]
