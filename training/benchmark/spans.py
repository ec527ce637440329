"""Toxic Spans: which characters a version finds to carry the harm, against those that people marked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmodel.model import RiskModel
from riskmodel.policy import NO_VIOLATION
from riskmodel.stages.explanation import Support
from training.benchmark.measures import resampled
from training.benchmark.sets import ZERO, Line
from training.metrics import Interval
from training.progress import Report, silent

FILE = "toxic_spans_en.jsonl.gz"
LEVELS = np.arange(1, 10) / 10  # of the strongest word's support; the best one is chosen on the source's trial part
BATCH = 64


def toxic_spans(rows: list[dict[str, Any]], model: RiskModel, report: Report = silent) -> list[Line]:
    """Score the words that speak against ``none`` as the source does: mean F1 of characters a text."""
    trial = [row for row in rows if row["split"] == "trial"]
    test = [row for row in rows if row["split"] == "test"]
    found = supports(model, [row["text"] for row in [*trial, *test]], report)
    marked = [_characters(row["rationale_spans"]) for row in [*trial, *test]]
    n = len(trial)
    level = max(
        LEVELS,
        key=lambda at: float(np.mean([_f1(_strong(s, at), m) for s, m in zip(found[:n], marked[:n], strict=True)])),
    )
    scores = np.array([_f1(_strong(s, level), m) for s, m in zip(found[n:], marked[n:], strict=True)])
    every = np.array([_f1(_strong(s, -np.inf), m) for s, m in zip(found[n:], marked[n:], strict=True)])
    return [
        Line("Toxic Spans", "which characters?", ZERO, len(test), "F1 of characters", _mean(scores), "winner 0.7083"),
        Line("Toxic Spans", "which characters?", "baseline: every word", len(test), "F1 of characters", _mean(every)),
    ]


def supports(model: RiskModel, texts: Sequence[str], report: Report = silent) -> list[Support]:
    """Return what each word of each text adds to the logit against ``none``."""
    at = model.heads.columns["categories"].start + model.policy.category_names.index(NO_VIOLATION)
    coefficients = np.zeros(len(model.heads.bias), dtype=np.float32)
    coefficients[at] = -1
    found: list[Support] = []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        for text, encoding in zip(batch, model.encoder.encode(batch), strict=True):
            found.append(model.support(text, encoding, model.lexical.transform(text), coefficients))
        report(len(found), len(texts), "")
    return found


def _mean(scores: NDArray[np.float64]) -> Interval:
    return resampled(lambda rows: float(scores[rows].mean()), len(scores))


def _characters(spans: Sequence[Sequence[int]]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


def _strong(found: Support, level: float) -> set[int]:
    strongest = float(found.words.max()) if len(found.words) else 0.0
    floor = level * strongest if strongest > 0 else np.inf
    floor = level if np.isinf(level) else floor
    chosen = found.spans[found.words >= floor]
    return {at for start, end in chosen for at in range(start, end)}


def _f1(given: set[int], truth: set[int]) -> float:
    if not truth or not given:
        return float(not truth and not given)
    return 2 * len(given & truth) / (len(given) + len(truth))
