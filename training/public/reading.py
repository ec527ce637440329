"""Files below ``data/public/`` in, texts with masked labels out."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskmodel.errors import DataError
from training.public.adding import ADDED

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Content:
    """Public texts that were added: n ``texts``, (n, c) ``categories`` and (n, m) ``tasks``, NaN where nothing is said.

    ``counts``: how many came of each set.
    """

    texts: list[str]
    categories: FloatArray
    tasks: FloatArray
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.texts)


def added_files(root: Path) -> list[Path]:
    """Return the files of public sets below ``root``; none where nothing was added."""
    return sorted((root / ADDED).glob("*.jsonl"))


def read_content(root: Path, names: tuple[str, ...]) -> Content:
    """Read every public set that was added below ``root``.

    Args:
        root: the folder that holds ``data/``.
        names: of the c categories, in their order.

    Raises:
        DataError: naming the file and line that cannot be used.
    """
    rows = list[tuple[str, dict[str, float], dict[str, float]]]()
    counts = dict[str, int]()
    for path in added_files(root):
        before = len(rows)
        with path.open(encoding="utf-8") as lines:  # not splitlines: a text may hold U+2028, which ends no line here
            for line, raw in enumerate(lines, start=1):
                try:
                    row = json.loads(raw)
                    rows.append((str(row["text"]), dict(row["categories"]), dict(row["tasks"])))
                except (ValueError, KeyError, TypeError) as error:
                    raise DataError(
                        f"{path}:{line} cannot be read: add the set again (python -m training data add)."
                    ) from error
        counts[path.stem] = len(rows) - before
    tasks = sorted({task for _, _, told in rows for task in told})
    return Content(
        [text for text, _, _ in rows],
        _matrix([told for _, told, _ in rows], names),
        _matrix([told for _, _, told in rows], tuple(tasks)),
        counts,
    )


def _matrix(told: list[dict[str, float]], names: tuple[str, ...]) -> FloatArray:
    found = np.array([[row.get(name, np.nan) for name in names] for row in told], dtype=np.float32)
    return found.reshape(len(told), len(names))
