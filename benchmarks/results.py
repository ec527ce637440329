"""What a command measured in; a file of the model version out, with machine, versions, command line and time."""

import json
import os
import platform
import sys
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.texts import ROOT

RESULTS = ROOT / "benchmarks" / "results"
LOAD_AT_START = os.getloadavg()  # of others; later it would be our own
LIBRARIES = (
    "fastapi",
    "httptools",
    "mlflow",
    "numpy",
    "onnxruntime",
    "psycopg",
    "ray",
    "scikit-learn",
    "sentence-transformers",
    "sqlalchemy",
    "tokenizers",
    "torch",
    "uvicorn",
)


def keep(model: str, command: str, measured: dict[str, Any]) -> Path:
    """Write what a command measured, over what it measured before, and return the file."""
    path = RESULTS / model / f"{command}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "model": model,
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "machine": machine(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
        command: measured,
    }
    work = path.with_suffix(".part")
    work.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=_plain) + "\n", encoding="utf-8")
    work.replace(path)  # a run that is killed leaves a whole file
    return path


def read(model: str, command: str) -> dict[str, Any] | None:
    """Return what a command measured last; None if it never ran for this version."""
    path = RESULTS / model / f"{command}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def machine() -> dict[str, Any]:
    """Return what was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average_at_start": [round(load, 2) for load in LOAD_AT_START],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON.")
