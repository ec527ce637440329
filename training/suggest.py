"""Unlabelled texts and a version in, those that would teach it most out.

A text is worth a label where the version doubts (the entropy of its rating, and how far table and direct rating are
apart), where it is unlike what was labelled, and where it is unlike the others that are chosen: greedy, so that ten
tellings of one event do not take ten places (after Ash et al. 2020, BADGE, and Sener and Savarese 2018, core-sets, in
the plainest form).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskmodel.errors import DataError
from riskmodel.model import PRECEDENTS_SHOWN, RiskModel
from riskmodel.stages.rating import table_chances
from training.calibrate import believe
from training.progress import Report, silent

FloatArray = NDArray[np.float32]
BATCH = 64


@dataclass(frozen=True)
class Suggestion:
    """A text to label: its id, why, and how much (each between 0 and 1, among the texts given)."""

    id: str
    text: str
    worth: float
    doubt: float
    disagreement: float
    unfamiliarity: float


@dataclass(frozen=True)
class Signals:
    """What a version thinks of n texts.

    ``vectors`` (n, d); ``doubt``, ``disagreement``, ``unfamiliarity`` (n,), each from 0 to 1.
    """

    vectors: FloatArray
    doubt: FloatArray
    disagreement: FloatArray
    unfamiliarity: FloatArray

    @property
    def worth(self) -> FloatArray:
        """Return (n,) the mean of the three."""
        found: FloatArray = (self.doubt + self.disagreement + self.unfamiliarity) / np.float32(3)
        return found


def read_texts(path: Path) -> list[tuple[str, str]]:
    """Read ids and texts from JSON lines: an export of the casebook, or any rows with ``id`` and ``text``.

    Raises:
        DataError: naming the file and line that cannot be used.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: expected JSON lines in UTF-8 with id and text.") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            found.append((str(row["id"]), str(row["text"])))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}:{number} cannot be used: expected a JSON object with id and text.") from error
    if not found:
        raise DataError(f"{path} holds no line: there is nothing to choose from.")
    return found


def suggest(
    model: RiskModel, texts: Sequence[tuple[str, str]], count: int, report: Report = silent
) -> list[Suggestion]:
    """Return the ``count`` texts, given as (id, text), that are worth a label most, the best first."""
    found = signals(model, [text for _, text in texts], report)
    return [
        Suggestion(
            *texts[at],
            worth=float(found.worth[at]),
            doubt=float(found.doubt[at]),
            disagreement=float(found.disagreement[at]),
            unfamiliarity=float(found.unfamiliarity[at]),
        )
        for at in choose(found.worth, found.vectors, count)
    ]


def signals(model: RiskModel, texts: Sequence[str], report: Report = silent) -> Signals:
    """Let a version read n texts."""
    vectors, logits, familiar = [], [], []
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        for text, encoding in zip(batch, model.encoder.encode(batch), strict=True):
            grams = model.lexical.transform(text)
            vectors.append(encoding.vector)
            logits.append(model.heads.logits(encoding.vector, grams.features, grams.values))
            nearest = model.precedents.nearest(encoding.vector, PRECEDENTS_SHOWN)
            familiar.append(np.mean([found.similarity for found in nearest]) if nearest else 0.0)
        report(len(vectors), len(texts), "")
    believed = believe(np.stack(logits), np.ones(len(texts), dtype=bool))
    table = table_chances(believed.joint, model.policy.rating_ranks)
    return weigh(np.stack(vectors), table, believed.direct, np.array(familiar, dtype=np.float32))


def weigh(vectors: FloatArray, table: FloatArray, direct: FloatArray, familiar: FloatArray) -> Signals:
    """Turn chances (n, 4) by table and direct head, and familiarity (n,), into signals."""
    mixed = (table + direct) / 2
    return Signals(
        vectors,
        _unit(_entropy(mixed)),
        _unit(_entropy(mixed) - (_entropy(table) + _entropy(direct)) / 2),  # Jensen-Shannon divergence
        _unit(-familiar),
    )


def choose(worth: FloatArray, vectors: FloatArray, count: int) -> list[int]:
    """Return positions, the best first: each time the worthiest once what is near to the chosen counts for less.

    Args:
        worth: (n,) from 0 to 1.
        vectors: (n, d) unit vectors.
        count: how many.
    """
    chosen: list[int] = []
    nearest = np.zeros(len(worth), dtype=np.float32)
    while len(chosen) < min(count, len(worth)):
        left = worth * (1 - nearest)
        left[chosen] = -1
        best = int(np.argmax(left))
        chosen.append(best)
        nearest = np.maximum(nearest, np.clip(vectors @ vectors[best], 0, 1))
    return chosen


def write(found: Sequence[Suggestion], path: Path) -> None:
    """Write suggestions as JSON lines."""
    lines = [json.dumps(asdict(one), ensure_ascii=False) for one in found]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _entropy(chances: NDArray[np.floating]) -> NDArray[np.floating]:
    found: NDArray[np.floating] = -(chances * np.log(np.clip(chances, 1e-9, 1))).sum(axis=1)
    return found


def _unit(values: NDArray[np.floating]) -> FloatArray:
    """Return ranks between 0 and 1, so that the three signals weigh alike whatever their scale."""
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    found: FloatArray = ranks / np.float32(max(1, len(values) - 1))
    return found
