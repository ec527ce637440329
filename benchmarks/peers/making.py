"""A model folder in; what its peers serve, and what LitServe needs to run, out: made once, and kept in the cache."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.objects import HEADS
from benchmarks.texts import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MLFLOW_MODEL = Path(__file__).with_name("mlflow_model.py")


def made(folder: Path, cache: Path) -> Path:
    """Return the folder of encoder and heads, made where it is missing (minutes)."""
    objects = cache / "benchmarks" / folder.name / "objects"
    if not objects.is_dir():
        # Here, since torch is only needed for this: the servers load what is kept.
        from benchmarks.encoder import adapted_sentence_transformer  # noqa: PLC0415
        from benchmarks.peers.objects import make  # noqa: PLC0415
        from riskmodel import load_policy  # noqa: PLC0415
        from training.dataset import SPLITS  # noqa: PLC0415
        from training.rows import read_labelled  # noqa: PLC0415

        train = read_labelled(ROOT / SPLITS["train"], load_policy())
        labels = {name: train[name].tolist() for name in HEADS}
        make(objects, adapted_sentence_transformer(folder, cache), train["text"].tolist(), labels)
    return objects


def installed(target: Path) -> Path:
    """Return the folder with what LitServe needs, installed where it is missing."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    kept = target / REQUIREMENTS.name
    if not kept.is_file() or kept.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(target, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(target)]
        subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True, stdout=sys.stderr)
        kept.write_text(wanted, encoding="utf-8")
    return target


def saved(objects: Path) -> Path:
    """Return the objects as an MLflow model, saved where it is missing."""
    model = objects.with_name("mlflow")
    if not model.is_dir():
        import mlflow  # noqa: PLC0415  seconds

        work = objects.with_name("mlflow.part")
        shutil.rmtree(work, ignore_errors=True)
        mlflow.pyfunc.save_model(
            work,
            python_model=str(MLFLOW_MODEL),
            artifacts={"objects": str(objects)},
            pip_requirements=["mlflow", "sentence-transformers", "scikit-learn"],
        )
        work.rename(model)
    return model
