"""Vectors of recent reports in, those near a new one out: one matrix, gone through in blocks.

A report's vector is compared with those of the same model version only; of others nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.casework.incidents.spaces import Floats

MOST = 200_000  # reports in memory, of 768 bytes each: the newest
BLOCK = 8_192  # rows that are compared at once
NEAR = 0.2  # cosines below tell nothing: unrelated texts reach them
MOST_NEAR = 50  # that are weighed for one report


@dataclass(frozen=True, eq=False)
class Near:
    """What lies near a report: (k,) numbers with their cosines, the nearest first; and all that is alike, with moments.

    ``alike_at``: seconds since 1970.
    """

    numbers: NDArray[np.int64]
    cosines: Floats
    alike: NDArray[np.int64]
    alike_at: NDArray[np.float64]


class Window:
    """Recent reports of one model version, in order of their numbers; not for several threads at once."""

    def __init__(self, dimensions: int, most: int = MOST) -> None:
        self._most = most
        self._numbers = np.zeros(0, dtype=np.int64)
        self._moments = np.zeros(0, dtype=np.float64)
        self._vectors = np.zeros((0, dimensions), dtype=np.float16)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, numbers: Sequence[int], moments: Sequence[float], vectors: Floats) -> None:
        """Add reports with their moments and (n, d) vectors at unit length; the oldest go where there is no room."""
        new = len(numbers)
        if self._count + new > len(self._numbers):
            self._make_room(new)
        at = slice(self._count, self._count + new)
        self._numbers[at], self._moments[at], self._vectors[at] = numbers, moments, vectors
        self._count += new

    def drop_before(self, number: int) -> None:
        """Drop the reports before a number."""
        first = int(np.searchsorted(self._numbers[: self._count], number))
        if first:
            self._keep(slice(first, self._count), len(self._numbers))

    def cosines(self, vector: Floats, numbers: Sequence[int]) -> dict[int, float]:
        """Return the cosines of a (d,) vector to the reports of these numbers that are here."""
        return {number: float(other @ vector) for number, other in self.vectors(numbers).items()}

    def vectors(self, numbers: Sequence[int]) -> dict[int, Floats]:
        """Return the vectors of the reports of these numbers that are here."""
        at = np.searchsorted(self._numbers[: self._count], numbers)
        return {
            number: self._vectors[place].astype(np.float32)
            for number, place in zip(numbers, at.tolist(), strict=True)
            if place < self._count and self._numbers[place] == number
        }

    def since(self, begin: float, end: float) -> int:
        """Return how many reports lie from one moment up to another."""
        moments = self._moments[: self._count]
        return int(np.count_nonzero((moments >= begin) & (moments < end)))

    def near(self, vectors: Floats, alike: float) -> list[Near]:
        """Return what lies near each of (n, d) vectors; ``alike`` is the least cosine of what is the same in kind."""
        found: list[list[tuple[NDArray[np.int64], NDArray[np.float64], Floats]]] = [[] for _ in vectors]
        for start in range(0, self._count, BLOCK):
            block = slice(start, min(start + BLOCK, self._count))
            cosines = vectors @ self._vectors[block].astype(np.float32).T
            rows, columns = np.nonzero(cosines >= NEAR)
            for row in np.unique(rows):
                mine = columns[rows == row]
                found[row].append((self._numbers[block][mine], self._moments[block][mine], cosines[row, mine]))
        return [_nearest(one, alike) for one in found]

    def _make_room(self, new: int) -> None:
        kept = max(0, min(self._count, self._most - new))
        self._keep(slice(self._count - kept, self._count), min(max(2 * (kept + new), 1_024), max(self._most, new)))

    def _keep(self, part: slice, size: int) -> None:
        """Keep a part of the rows, in arrays of a size."""
        count = part.stop - part.start
        for name in ("_numbers", "_moments", "_vectors"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
            new[:count] = old[part]
            setattr(self, name, new)
        self._count = count


def _nearest(found: list[tuple[NDArray[np.int64], NDArray[np.float64], Floats]], alike: float) -> Near:
    if not found:
        return _NOTHING
    numbers, moments, cosines = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(-cosines, kind="stable")[:MOST_NEAR]
    same = cosines >= alike
    return Near(numbers[order], cosines[order], numbers[same], moments[same])


_NOTHING = Near(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(0, np.float64))
