"""The part of the labelled reports that is for choosing in; weights and levels out, as the joiner reads them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.joining.pairs import Counts, count
from benchmarks.joining.reports import Report, corpus, labelled
from benchmarks.joining.stream import joined_by_id, streaming
from riskmodel import RiskModel
from riskmodel.casework.incidents.signals import SOFT
from riskmodel.casework.incidents.weighing import FILE, Levels, Weights, bits, differ

STRENGTH = 10.0  # C of the regression
LONE_TEXTS = 470  # of the training split; as many as the test split has situations
JOINS = np.arange(-2.0, 2.01, 0.5)  # levels that are tried
HARDLY = 0.005  # F1
SUPPORTED, SLACKS = (0.0, 0.5), (2.0, 4.0)
ALIKE_QUANTILE = 0.9999  # of the cosines of unrelated texts, above which texts count as alike

FloatArray = NDArray[np.float64]


def choose(model: RiskModel, say: Callable[[str], None]) -> Levels:
    """Return the weights of a logistic regression on pairs, and the levels at which joining is best."""
    reports, lone = labelled(model, "choose"), corpus(model, "train", LONE_TEXTS)
    features, same = pairs(reports, lone)
    near, unseen = fit(features, same, with_vectors=True), fit(features, same, with_vectors=False)
    say(f"{len(same):,} pairs, {int(same.sum())} of one event; near {near}; unseen {unseen}")
    unrelated = np.stack([one.placed for one in lone])
    cosines = (unrelated @ unrelated.T)[np.triu_indices(len(unrelated), 1)]
    alike = round(float(np.quantile(cosines, ALIKE_QUANTILE)), 2)
    levels = Levels(near, unseen, alike, SUPPORTED[0], SLACKS[0])
    with streaming(model, [*reports, *lone]) as stream:

        def measured(tried: Levels, *, vectors: bool) -> Counts:
            return count([*reports, *lone], joined_by_id(stream.join(tried, vectors=vectors)))

        tries = [
            replace(levels, near=replace(near, join=float(join)), supported=supported, slack=slack)
            for supported in SUPPORTED
            for slack in (SLACKS if supported else SLACKS[:1])
            for join in JOINS
        ]
        levels = _best(tries, lambda tried: measured(tried, vectors=True), say)
        tries = [replace(levels, unseen=replace(unseen, join=float(join))) for join in JOINS]
        return _best(tries, lambda tried: measured(tried, vectors=False), say)


def pairs(reports: Sequence[Report], lone: Sequence[Report]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return (n, 5) features of pairs of reports and of each with a lone one, and whether they are of one event."""
    everyone = [*reports, *lone]
    events = defaultdict[str, set[str]](set)
    for report in everyone:
        for signal in report.signals:
            events[signal.value].add(report.event)
    holders = {value: len(some) for value, some in events.items()}
    both = [*combinations(reports, 2), *((one, other) for one in reports for other in lone)]
    features = [_features(one, other, holders, len(everyone)) for one, other in both]
    return np.array(features), np.array([one.event == other.event for one, other in both])


def fit(features: FloatArray, same: NDArray[np.bool_], *, with_vectors: bool) -> Weights:
    """Return the weights of a logistic regression. What cannot speak for one event has no such weight."""
    names = ["cosine", "firm", "soft", "firm_apart", "soft_apart"]
    used = [name for name in names if with_vectors or name != "cosine"]
    while True:
        columns = [names.index(name) for name in used]
        model = LogisticRegression(C=STRENGTH, max_iter=5_000).fit(features[:, columns], same)
        found = dict(zip(used, model.coef_[0], strict=True))
        wrong = [name for name in used if (found[name] > 0) == name.endswith("apart")]
        if not wrong:
            weights = {name: round(float(found.get(name, 0.0)), 3) for name in names}
            return Weights(constant=round(float(model.intercept_[0]), 3), **weights, join=0.0)
        used = [name for name in used if name not in wrong]


def _features(one: Report, other: Report, holders: dict[str, int], reports: int) -> list[float]:
    kinds = {signal.value: signal.kind for signal in other.signals}
    firm = soft = 0.0
    for signal in one.signals:
        kind = kinds.get(signal.value)
        if kind is not None:
            weight = bits(holders[signal.value], reports)
            soft, firm = (soft + weight, firm) if signal.kind in SOFT and kind in SOFT else (soft, firm + weight)
    apart = [float(differ(one.signals, other.signals, soft=sort)) for sort in (False, True)]
    return [float(one.placed @ other.placed), firm, soft, *apart]


def _best(tries: Sequence[Levels], measure: Callable[[Levels], Counts], say: Callable[[str], None]) -> Levels:
    """Return the levels that join least among those whose F1 is hardly below the best: a wrong join costs more."""
    found = []
    for tried in tries:
        counts = measure(tried)
        say(
            f"near {tried.near.join:+.1f} unseen {tried.unseen.join:+.1f} supported {tried.supported} "
            f"slack {tried.slack}: precision {counts.precision:.3f} recall {counts.recall:.3f} F1 {counts.f1:.3f}"
        )
        found.append((counts.f1, tried))
    best = max(f1 for f1, _ in found)
    good = [tried for f1, tried in found if f1 >= best - HARDLY]
    return max(good, key=lambda one: (one.near.join + one.unseen.join, one.supported, -one.slack))


def write(levels: Levels, path: Path = FILE) -> None:
    """Write levels where the joiner reads them."""
    lines = ["# Written by `python -m benchmarks incidents choose`: what speaks for one event, in log-odds."]
    for name in ("near", "unseen"):
        lines += ["", f"[{name}]", *(f"{key} = {value}" for key, value in asdict(getattr(levels, name)).items())]
    lines += ["", "[joining]", *(f"{name} = {getattr(levels, name)}" for name in ("alike", "supported", "slack"))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
