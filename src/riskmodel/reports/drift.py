"""A period of cases and a version's reference in, whether the desk's work has changed out.

Each verdict rests on the size of an effect, never on a p-value alone, which every large sample would make small.
Mixes are compared by the population stability index less what chance alone would give; texts by a domain classifier
on samples of a fixed size (Rabanser, Günnemann and Lipton 2019, "Failing Loudly"), against a band of permuted labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from riskmodel.artifact import ENCODER, load_encoder, read_manifest
from riskmodel.reference import Mix, Said, count, read_reference

FloatArray = NDArray[np.float32]
Verdict = Literal["steady", "some change", "much change", "too few to tell"]

LEAST_CASES = 200
SOME, MUCH = 0.1, 0.25  # of the index, as is usual
SMOOTHING = 0.5  # of a case, so that what never occurred does not count without end
SAMPLE_TEXTS = 400  # of either side
SOME_AUROC, MUCH_AUROC = 0.65, 0.8
PERMUTATIONS = 200
BAND = 0.99
SHRINKAGE = 0.1
SEED = 2026


@dataclass(frozen=True)
class Shift:
    """How far one thing moved: its index (or AUROC), the verdict, and the values whose shares moved most.

    ``index``: None where there are too few to tell; ``moved``: value → (share in the reference, share in the period).
    """

    what: str
    index: float | None
    verdict: Verdict
    moved: dict[str, tuple[float, float]]


def mix_shift(what: str, before: Mapping[str, int], now: Mapping[str, int]) -> Shift:
    """Compare how often each value occurred."""
    values = sorted({*before, *now})
    old, new = (np.array([counts.get(value, 0) for value in values], dtype=np.float64) for counts in (before, now))
    n, m = old.sum(), new.sum()
    if not values or min(n, m) < LEAST_CASES:
        return Shift(what, None, "too few to tell", {})
    p, q = ((counts + SMOOTHING) / (counts + SMOOTHING).sum() for counts in (old, new))
    each = (q - p) * np.log(q / p)
    by_chance = (len(values) - 1) * (1 / n + 1 / m)
    index = max(0.0, float(each.sum() - by_chance))
    most = np.argsort(-each)[:3]
    moved = {values[at]: (round(float(p[at]), 4), round(float(q[at]), 4)) for at in most}
    return Shift(what, index, _verdict(index, SOME, MUCH), moved)


def mix_shifts(before: Mix, now: Mix) -> list[Shift]:
    """Compare languages, main categories, ratings and confidence."""
    tenths = [f"{at / 10:.1f}-{(at + 1) / 10:.1f}" for at in range(len(before.confidence))]
    return [
        mix_shift("languages", before.languages, now.languages),
        mix_shift("categories", before.categories, now.categories),
        mix_shift("ratings", before.ratings, now.ratings),
        mix_shift(
            "confidence",
            dict(zip(tenths, before.confidence, strict=True)),
            dict(zip(tenths, now.confidence, strict=True)),
        ),
    ]


def text_shift(before: FloatArray, now: FloatArray) -> Shift:
    """Ask a classifier to tell unit vectors (n, d) of held-out texts from those of the period (m, d).

    The index is its cross-fitted AUROC: a half where it cannot. Both sides are cut to one size, so that the answer
    does not depend on how many there are.
    """
    size = min(SAMPLE_TEXTS, len(before), len(now))
    if size < LEAST_CASES:
        return Shift("texts", None, "too few to tell", {})
    draw = np.random.default_rng(SEED)
    X = np.concatenate([vectors[draw.choice(len(vectors), size, replace=False)] for vectors in (before, now)])
    y = np.repeat([0, 1], size)
    found = _cross_fitted(X, y, draw)
    verdict = _verdict(found, SOME_AUROC, MUCH_AUROC)
    if verdict != "steady":  # what is steady stays so, whatever the band
        band = np.quantile([_cross_fitted(X, draw.permutation(y), draw) for _ in range(PERMUTATIONS)], BAND)
        verdict = verdict if found > band else "steady"
    return Shift("texts", found, verdict, {})


def _verdict(index: float, some: float, much: float) -> Verdict:
    return "much change" if index >= much else "some change" if index >= some else "steady"


def _cross_fitted(X: FloatArray, y: NDArray[np.int64], draw: np.random.Generator) -> float:
    """Return the AUROC of linear discriminants, each read on the half it was not fitted on."""
    half = draw.permutation(len(X)) < len(X) // 2
    scores = np.empty(len(X))
    for fit in (half, ~half):
        means = [X[fit & (y == side)].mean(axis=0) for side in (0, 1)]
        centred = X[fit] - np.stack(means)[y[fit]]
        spread = centred.T @ centred / max(1, int(fit.sum()))
        ridge = SHRINKAGE * float(np.trace(spread)) / len(spread) + 1e-9
        direction = np.linalg.solve(spread + ridge * np.eye(len(spread)), means[1] - means[0])
        scores[~fit] = (X[~fit] - (means[0] + means[1]) / 2) @ direction
    zeros, ones = np.sort(scores[y == 0]), scores[y == 1]
    below = (np.searchsorted(zeros, ones, "left") + np.searchsorted(zeros, ones, "right")) / 2  # a tie counts half
    return float(below.mean() / len(zeros))


def compare(folder: Path, cases: Sequence[Mapping[str, Any]]) -> list[Shift]:
    """Compare exported cases with the reference of a version; of their texts, a sample is encoded.

    Raises:
        ArtifactError: if the version has no reference or cannot be loaded.
    """
    before, held_out = read_reference(folder)
    newest = [case["assessments"][0] for case in cases]
    now = count(
        Said(found["language"], found["categories"][0]["name"], found["rating"], found["confidence"])
        for found in newest
    )
    chosen = np.random.default_rng(SEED).permutation(len(cases))[:SAMPLE_TEXTS]
    encoder = load_encoder(folder / ENCODER, read_manifest(folder).encoder, across_texts=True)
    vectors = np.stack([found.vector for found in encoder.encode([cases[at]["text"] for at in chosen])])
    return [*mix_shifts(before, now), text_shift(held_out, vectors)]


def table(shifts: Sequence[Shift], title: str) -> Table:
    """Return the shifts for a terminal."""
    found = Table("what", "verdict", "index", "moved most: before → now", title=title)
    for shift in shifts:
        moved = ", ".join(f"{name} {old:.0%} → {new:.0%}" for name, (old, new) in shift.moved.items())
        found.add_row(shift.what, shift.verdict, "" if shift.index is None else f"{shift.index:.2f}", moved)
    return found
