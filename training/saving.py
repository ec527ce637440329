"""The corpus in, how many labels suggestions save against drawing at random out, as a picture.

Labels are hidden and bought in rounds; after each, heads on the frozen encoder are fitted on what was bought and read
on a fold that is never for sale. Both ways start from the same rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.policy import Policy
from riskmodel.stages.rating import table_chances
from training.calibrate import believe
from training.heads import fit_heads
from training.labels import Labels
from training.metrics import confusion, quadratic_weighted_kappa
from training.parts import familiarity
from training.progress import Report, silent
from training.splits import Rows
from training.suggest import Signals, choose, weigh

FloatArray = NDArray[np.float32]
PICTURE = Path("docs/pictures/saving.png")
FIRST, ROUND, ROUNDS = 200, 200, 8
SEEDS = 5
STRENGTH = 5.0
SUGGESTED, RANDOM = "suggested", "at random"


@dataclass(frozen=True)
class Saving:
    """Kappa on rows not for sale: ``curve`` has columns way, labels, seed, kappa.

    ``labels``: how many each way needs to reach what buying at random has at the end (``reached``).
    """

    curve: pd.DataFrame
    reached: float
    labels: dict[str, float]


def simulate(
    vectors: FloatArray, labels: Labels, fold: tuple[Rows, Rows], policy: Policy, report: Report = silent
) -> Saving:
    """Buy labels both ways and follow the weighted kappa of the rating.

    Args:
        vectors: (n, d) unit vectors of an encoder that has not seen the labels.
        labels: of the n rows.
        fold: rows for sale, and rows to read.
        policy: whose table gives the rating.
        report: called as the work goes on.
    """
    rows, step = [], 0
    for seed in range(SEEDS):
        draw = np.random.default_rng(seed)
        start = draw.permutation(fold[0])[:FIRST]
        for way, pick in ((RANDOM, _random), (SUGGESTED, _suggested)):
            bought = start
            for _ in range(ROUNDS + 1):
                read = _reader(vectors, labels, bought, policy)
                table, direct = read(fold[1])
                given = ((table + direct) / 2).argmax(axis=1)
                kappa = quadratic_weighted_kappa(confusion(labels.rating[fold[1]], given))
                rows.append({"way": way, "labels": len(bought), "seed": seed, "kappa": kappa})
                left = np.setdiff1d(fold[0], bought)
                signals = weigh(vectors[left], *read(left), familiarity(vectors[left], vectors[bought]))
                bought = np.concatenate([bought, left[pick(signals, draw)]])
                step += 1
                report(step, SEEDS * 2 * (ROUNDS + 1), "")
    curve = pd.DataFrame(rows)
    means = curve.groupby(["way", "labels"])["kappa"].mean()
    reached = float(means[RANDOM].iloc[-1])
    return Saving(curve, reached, {way: _labels_for(means[way], reached) for way in (RANDOM, SUGGESTED)})


def draw(saving: Saving, path: Path) -> None:
    """Draw both curves, each with the range of its seeds."""
    base = alt.Chart(saving.curve).encode(
        x=alt.X("labels:Q", title="labels bought"), color=alt.Color("way:N", title="")
    )
    kappa = alt.Y("kappa:Q", title="weighted kappa, held-out fold", scale=alt.Scale(zero=False))
    band = base.mark_errorband(extent="ci").encode(y=kappa)
    line = base.mark_line(point=True).encode(y="mean(kappa):Q")
    title = f"{saving.labels[SUGGESTED]:,.0f} suggested labels reach what {saving.labels[RANDOM]:,.0f} at random reach"
    (band + line).properties(width=480, height=280, title=title).save(path, scale_factor=2)


def _reader(
    vectors: FloatArray, labels: Labels, bought: Rows, policy: Policy
) -> Callable[[Rows], tuple[FloatArray, FloatArray]]:
    """Return a function from rows to the chances (n, 4) by the table and by the direct head."""
    heads = fit_heads(vectors[bought], labels.take(bought), STRENGTH, seed=0)

    def read(rows: Rows) -> tuple[FloatArray, FloatArray]:
        believed = believe(heads.logits(vectors[rows]), labels.may_lift[rows])
        return table_chances(believed.joint, policy.rating_ranks), believed.direct

    return read


def _suggested(signals: Signals, draw: np.random.Generator) -> Rows:
    return np.array(choose(signals.worth, signals.vectors, ROUND))


def _random(signals: Signals, draw: np.random.Generator) -> Rows:
    return draw.choice(len(signals.worth), ROUND, replace=False)


def _labels_for(means: "pd.Series[float]", kappa: float) -> float:
    """Return how many labels first reach a kappa, between rounds by a straight line; infinity where none does."""
    counts, values = means.index.to_numpy(dtype=float), np.maximum.accumulate(means.to_numpy())
    return float(np.interp(kappa, values, counts)) if values[-1] >= kappa else float("inf")
