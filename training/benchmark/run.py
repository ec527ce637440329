"""A version and a folder of public sets in, every figure out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from riskmodel.artifact import load_model, read_manifest
from riskmodel.errors import DataError
from riskmodel.policy import Policy
from training.benchmark.reading import Reading, read
from training.benchmark.sets import SETS, Line, read_set
from training.benchmark.spans import FILE, toxic_spans
from training.progress import progress, say


@dataclass(frozen=True)
class Results:
    """What a version reached: its name, what it was trained on, the figures, the sets that were not there."""

    version: str
    trained_on: list[str]
    lines: list[Line]
    missing: list[str]


def run(folder: Path, policy: Policy, data: Path, cache: Path) -> Results:
    """Read every set in a folder with one version.

    Raises:
        DataError: if the folder has none of the sets, or one cannot be read.
    """
    manifest, model = read_manifest(folder), load_model(folder, policy, across_texts=True)
    lines: list[Line] = []
    missing: list[str] = []
    for name, (file, ask) in SETS.items():
        rows = read_set(data, file)
        if rows is None:
            missing.append(file)
            continue
        with progress(f"Reading {name}") as report:

            def reading(texts: Sequence[str]) -> Reading:
                return read(model, folder, manifest.encoder, texts, cache, report)

            lines += ask(rows, reading)
    spans = read_set(data, FILE)
    if spans is None:
        missing.append(FILE)
    else:
        with progress("Reading toxic_spans") as report:
            lines += toxic_spans(spans, model, report)
    if not lines:
        raise DataError(f"{data} has none of the public sets: expected files such as {', '.join(missing[:3])}.")
    for file in missing:
        say(f"{data / file} is not there: done without it.")
    return Results(manifest.version, manifest.trained_on, lines, missing)
