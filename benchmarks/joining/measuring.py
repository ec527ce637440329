"""The part of the labelled reports that is for measuring in; how well they are joined, beside simpler ways, out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.joining.choosing import LONE_TEXTS
from benchmarks.joining.pairs import by_event, closure, count, interval, total
from benchmarks.joining.reports import LONE, Report, corpus, labelled
from benchmarks.joining.stream import joined_by_id, streaming
from riskmodel import RiskModel

FloatArray = NDArray[np.float64]
LEVELS = np.round(np.arange(0.1, 0.991, 0.01), 2)  # that are tried for a baseline


@dataclass(frozen=True)
class Side:
    """Reports of one part with those that have nothing to do with them."""

    reports: Sequence[Report]

    @property
    def texts(self) -> list[str]:
        """Return the texts."""
        return [one.text for one in self.reports]


def measure(model: RiskModel, say: Callable[[str], None]) -> dict[str, Any]:
    """Return precision, recall and F1 of the pairs that are joined, with 95% intervals, of ours and of simpler ways.

    A baseline joins two texts whose similarity reaches a level, and what is joined with the same; its level is the one
    with the best F1 on the part for choosing.
    """
    choose = Side([*labelled(model, "choose"), *corpus(model, "train", LONE_TEXTS)])
    side = Side([*labelled(model, "measure"), *corpus(model, "test")])
    alone = sum(one.event.startswith(LONE) for one in side.reports)
    found: dict[str, Any] = {"reports": len(side.reports) - alone, "others": alone, "ways": {}}
    for name, similarity in _BASELINES.items():
        level = _best_level(choose, similarity(choose))
        found["ways"][name] = {"level": float(level)} | _figures(side, _joined(side, similarity(side), level))
        say(f"{name}: {found['ways'][name]}")
    with streaming(model, side.reports) as stream:
        for name, vectors in (("ours, vectors not comparable", False), ("ours", True)):
            found["ways"][name] = _figures(side, joined_by_id(stream.join(vectors=vectors)))
            say(f"{name}: {found['ways'][name]}")
        found["languages"] = _by_languages(side, joined_by_id(stream.join()))
    return found


def _figures(side: Side, together: Mapping[str, int]) -> dict[str, Any]:
    counts = by_event(side.reports, together)
    sums, bounds = total(counts.values()), interval(counts)
    return {name: [round(getattr(sums, name), 3), *(round(at, 3) for at in bounds[name])] for name in bounds}


def _by_languages(side: Side, together: Mapping[str, int]) -> dict[str, list[int]]:
    """Return of the pairs of one event how many are joined, and how many there are: of one language, and of two."""
    found = {"one language": [0, 0], "two languages": [0, 0]}
    for at, one in enumerate(side.reports):
        for other in side.reports[at + 1 :]:
            if one.event == other.event:
                row = found["one language" if one.language == other.language else "two languages"]
                row[0] += one.id in together and together[one.id] == together.get(other.id)
                row[1] += 1
    return found


def _joined(side: Side, similarities: FloatArray, level: float) -> dict[str, int]:
    rows, columns = np.nonzero(np.triu(similarities >= level, 1))
    groups = closure(len(side.reports), list(zip(rows.tolist(), columns.tolist(), strict=True)))
    return {one.id: group for one, group in zip(side.reports, groups, strict=True)}


def _best_level(side: Side, similarities: FloatArray) -> float:
    scored = [(count(side.reports, _joined(side, similarities, level)).f1, float(level)) for level in LEVELS]
    return max(scored)[1]


def _equality(side: Side) -> FloatArray:
    plain = np.array([" ".join(text.casefold().split()) for text in side.texts])
    return (plain[:, None] == plain[None]).astype(np.float64)


def _tfidf(side: Side) -> FloatArray:
    vectors = TfidfVectorizer(sublinear_tf=True, strip_accents="unicode").fit_transform(side.texts)
    similarities: FloatArray = (vectors @ vectors.T).toarray()
    return similarities


def _embedding(side: Side) -> FloatArray:
    vectors = np.stack([one.vector for one in side.reports])
    return (vectors @ vectors.T).astype(np.float64)


def _whitened(side: Side) -> FloatArray:
    placed = np.stack([one.placed for one in side.reports])
    return (placed @ placed.T).astype(np.float64)


_BASELINES: dict[str, Callable[[Side], FloatArray]] = {
    "equal texts": _equality,
    "TF-IDF cosine": _tfidf,
    "embedding alone": _embedding,
    "embedding alone, whitened": _whitened,
}
