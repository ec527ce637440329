"""A model folder and a database in, the command of the service out; and a key that opens it."""

import subprocess
import sys
from pathlib import Path

from benchmarks.processes import Command

READY = "/health/ready"
NO_LIMIT = "1000000/second"  # one key stands for many clients here
NAME = "riskmodel"


def service(folder: Path, database_url: str, *, keys: bool = False, threads: int = 0) -> Command:
    """Return how to start the service as its users do, but for the rate limit of a key.

    Args:
        folder: of the model.
        database_url: of the casebook.
        keys: whether clients must show a key.
        threads: cores; 0 for all.
    """
    environment = {
        "RISKMODEL_DATABASE_URL": database_url,
        "RISKMODEL_AUTH": "on" if keys else "off",
        "RISKMODEL_RATE_LIMIT": NO_LIMIT,
        "RISKMODEL_THREADS": str(threads),
    }

    def arguments(port: int) -> list[str]:
        return [sys.executable, "-m", "riskmodel", "serve", "--model", str(folder), "--port", str(port)]

    return Command(NAME, arguments, READY, environment)


def make_key(database_url: str) -> dict[str, str]:
    """Make a key with every right and return the header that shows it."""
    command = [sys.executable, "-m", "riskmodel", "keys", "create", "benchmark", "--role", "admin"]
    done = subprocess.run(
        [*command, "--database-url", database_url], capture_output=True, text=True, check=True, timeout=60
    )
    return {"Authorization": f"Bearer {done.stdout.strip()}"}
