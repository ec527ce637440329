"""Held-out rows in, the signs that the decision looks at out; decisions in, their outcomes out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from riskmodel.policy import Policy
from riskmodel.records import RATINGS
from riskmodel.stages.decision import CRITICAL, Signs, not_too_low
from riskmodel.stages.language import LanguageDetector

FloatArray = NDArray[np.float32]
Ranks = NDArray[np.int64]
CERTAINTY = 0.95


@dataclass(frozen=True)
class Unseen:
    """What n texts look like to a model that was not trained on them.

    ``languages`` as detected, ``mixed`` (n,), ``words`` (n,) that are known, ``familiarity`` (n,) mean cosine to the
    nearest.
    """

    languages: list[str]
    mixed: NDArray[np.bool_]
    words: NDArray[np.int64]
    familiarity: FloatArray
    content: NDArray[np.bool_]


def look(texts: Sequence[str], words: NDArray[np.int64], familiarity: FloatArray, content: NDArray[np.bool_]) -> Unseen:
    """Detect the languages of n texts."""
    detector = LanguageDetector()
    mixed = np.array([detector.is_mixed(text) for text in texts], dtype=bool)
    return Unseen([detector.detect(text) for text in texts], mixed, words, familiarity, content)


def signs(
    unseen: Unseen,
    chances: FloatArray,
    ranks: Ranks,
    agreed: NDArray[np.bool_],
    main: NDArray[np.int64],
    policy: Policy,
) -> list[Signs]:
    """Return the signs of n rows from blended chances (n, 4), ranks (n,) and main categories (n,)."""
    safety, names = not_too_low(chances, ranks), policy.category_names
    return [
        Signs(
            language=unseen.languages[at],
            mixed=bool(unseen.mixed[at]),
            words=int(unseen.words[at]),
            rank=int(rank),
            confidence=float(chances[at, rank]),
            safety=float(safety[at]),
            critical=float(chances[at, CRITICAL]),
            agreed=bool(agreed[at]),
            familiarity=float(unseen.familiarity[at]),
            for_person=policy.needs_person(names[main[at]], RATINGS[rank]),
            content=bool(unseen.content[at]),
        )
        for at, rank in enumerate(ranks)
    ]


@dataclass(frozen=True)
class Record:
    """How n decisions turned out: the share whose rating was wrong, and of these the share that was too low."""

    n: int
    wrong: float
    too_low: float

    @classmethod
    def of(cls, ranks: Ranks, truth: Ranks) -> Self:
        """Count."""
        n = len(ranks)
        return cls(n, float((ranks != truth).mean()) if n else 0.0, float((ranks < truth).mean()) if n else 0.0)


@dataclass(frozen=True)
class DoubtFigures:
    """What the decision was worth on n rows: of all, of those accepted, and of each reason where it spoke.

    ``bound``: the share of the accepted rated too low is below it with 95% certainty (Clopper and Pearson 1934).
    """

    all: Record
    accepted: Record
    bound: float
    reasons: dict[str, Record]

    def as_record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Take back what :meth:`as_record` returned."""
        reasons = {name: Record(**found) for name, found in record["reasons"].items()}
        return cls(Record(**record["all"]), Record(**record["accepted"]), record["bound"], reasons)


def doubt_figures(reasons: Sequence[Sequence[str]], ranks: Ranks, truth: Ranks) -> DoubtFigures:
    """Return how n decisions turned out: ``reasons`` of each for a person to look, none where it was accepted."""
    accepted = np.array([not found for found in reasons], dtype=bool)
    n, low = int(accepted.sum()), int((ranks < truth)[accepted].sum())
    spoken = {name: np.array([name in found for found in reasons]) for found in reasons for name in found}
    return DoubtFigures(
        Record.of(ranks, truth),
        Record.of(ranks[accepted], truth[accepted]),
        float(beta.ppf(CERTAINTY, low + 1, n - low)) if low < n else 1.0,
        {name: Record.of(ranks[mask], truth[mask]) for name, mask in sorted(spoken.items())},
    )


def markdown(figures: dict[str, DoubtFigures]) -> str:
    """Return a Markdown table: how often the rating was wrong, and too low, where each reason spoke."""
    heads = [f"{part}: n | wrong | too low" for part in figures]
    lines = [f"| | {' | '.join(heads)} |", f"|{' --- |' * (1 + 3 * len(figures))}"]
    rows: list[tuple[str, list[Record | None]]] = [
        ("every escalation", [found.all for found in figures.values()]),
        ("**accepted**", [found.accepted for found in figures.values()]),
    ]
    names = sorted({name for found in figures.values() for name in found.reasons})
    rows += [(name, [found.reasons.get(name) for found in figures.values()]) for name in names]
    for name, records in rows:
        cells = [f"{r.n:,} | {r.wrong:.1%} | {r.too_low:.1%}" if r else "0 | | " for r in records]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
