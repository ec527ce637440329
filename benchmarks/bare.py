"""Texts in, texts a second out: the encoder alone in a loop, in a process of its own; the yardstick of the service."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.plan import Latency, latency_of
from benchmarks.texts import read_texts
from riskmodel import load_model, load_policy

ONE, SHARED = "one text at a time on all cores", "texts shared among the cores"
WARM_UP_TEXTS = 40


@dataclass(frozen=True)
class Bare:
    """What the encoder does with nothing around it; the latency of one call, where texts go one at a time."""

    texts_per_second: float
    call: Latency


def run_bare(folder: Path, way: str, seconds: float) -> Bare:
    """Measure the encoder of a version in another process."""
    command = [sys.executable, "-m", "benchmarks.bare", str(folder), way, str(seconds)]
    raw = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Bare(raw["texts_per_second"], Latency(**raw["call"]))


def measure(folder: Path, way: str, seconds: float) -> Bare:
    """Measure it in this process."""
    encoder = load_model(folder, load_policy(), across_texts=way == SHARED).encoder
    texts = read_texts()
    for text in texts[:WARM_UP_TEXTS]:
        encoder.encode([text])
    begin = time.perf_counter()
    if way == SHARED:
        done = 0
        while time.perf_counter() - begin < seconds:
            done += len(encoder.encode(texts))
        return Bare(round(done / (time.perf_counter() - begin), 2), latency_of([]))
    calls: list[float] = []
    for text in cycle(texts):
        before = time.perf_counter()
        encoder.encode([text])
        after = time.perf_counter()
        calls.append(after - before)
        if after - begin > seconds:
            break
    return Bare(round(len(calls) / (after - begin), 2), latency_of(calls))


if __name__ == "__main__":
    bare = measure(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
    print(json.dumps({"texts_per_second": bare.texts_per_second, "call": vars(bare.call)}))
