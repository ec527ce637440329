"""``python -m benchmarks``: measure, print, and keep the results with machine and versions as a file."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.encoder import measure_encoder
from benchmarks.service import measure_service
from riskmodel import load_policy
from riskmodel.artifact import champion_folder, read_manifest
from training.dataset import SPLITS, read_labelled

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LIBRARIES = ("onnxruntime", "torch", "sentence-transformers", "tokenizers", "fastapi", "uvicorn", "numpy")


def main() -> None:
    """Measure the champion on the texts of the test split."""
    policy = load_policy()
    folder = champion_folder(ROOT / "models")
    test = read_labelled(ROOT / SPLITS["test"], policy)
    results = {
        "model": read_manifest(folder).version,
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "libraries": {name: version(name) for name in LIBRARIES},
        "encoder": measure_encoder(folder, test, policy, ROOT / ".cache"),
        "service": measure_service(folder, test, policy),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{results['model']}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))
    print(f"Kept in {path.relative_to(ROOT)}")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
