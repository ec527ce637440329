"""Worker processes for tests: start, tell, hear, kill."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


class Worker:
    """One process that runs ``worker.py``."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.riskmodel.casebook.worker"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def kill(self) -> list[Any]:
        """End the process as ``kill -9`` does, and return what it still had said; a line that was cut is left out."""
        self._process.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        rest = self._process.stdout.read()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        return [json.loads(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
