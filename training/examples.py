"""Labelled escalations and public content in, what the adapter learns from out: labels may be unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.labels import Labels
from training.public.reading import Content

FloatArray = NDArray[np.float32]
Ranks = NDArray[np.int64]
Spans = list[tuple[int, int]]
UNKNOWN = -100  # torch's cross-entropy passes over it


@dataclass(frozen=True)
class Examples:
    """n texts and what is known of each.

    ``severity``, ``proximity``, ``rating``: (n,) ranks, ``UNKNOWN`` where not told; ``floor`` (n,), ``categories``
    (n, c) and ``tasks`` (n, m): chances, NaN where not told; ``evidence``: stretches of each text that decide, None
    where not marked; ``weight`` (n,): how much each counts in the loss.
    """

    texts: list[str]
    severity: Ranks
    proximity: Ranks
    rating: Ranks
    floor: FloatArray
    categories: FloatArray
    tasks: FloatArray
    evidence: list[Spans | None]
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: NDArray[np.int64]) -> "Examples":
        """Return some of the examples."""
        chosen: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            chosen[field.name] = [values[row] for row in rows] if isinstance(values, list) else values[rows]
        return Examples(**chosen)


def labelled(texts: Sequence[str], labels: Labels, evidence: Sequence[Sequence[str]]) -> Examples:
    """Return the examples that labelled escalations make; ``evidence``: the pieces marked in each."""
    return Examples(
        list(texts),
        labels.severity,
        labels.proximity,
        labels.rating,
        labels.floor,
        labels.categories,
        np.empty((len(labels), 0), dtype=np.float32),
        [_spans(text, pieces) for text, pieces in zip(texts, evidence, strict=True)],
        labels.weight,
    )


def content(found: Content) -> Examples:
    """Return the examples that public content makes: categories where told, no rating."""
    unknown = np.full(len(found), UNKNOWN, dtype=np.int64)
    floor = np.full(len(found), np.nan, dtype=np.float32)
    none: list[Spans | None] = [None] * len(found)
    return Examples(
        found.texts, unknown, unknown, unknown, floor, found.categories, found.tasks, none, np.ones_like(floor)
    )


def join(one: Examples, other: Examples) -> Examples:
    """Return all examples of both; the tasks of either are unknown in the other."""
    width = one.tasks.shape[1]
    wider = np.full((len(one), width + other.tasks.shape[1]), np.nan, dtype=np.float32)
    wider[:, :width] = one.tasks
    more = np.full((len(other), wider.shape[1]), np.nan, dtype=np.float32)
    more[:, width:] = other.tasks
    one, other = replace(one, tasks=wider), replace(other, tasks=more)
    joined: dict[str, Any] = {}
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        joined[field.name] = [*left, *right] if isinstance(left, list) else np.concatenate([left, right])
    return Examples(**joined)


def _spans(text: str, pieces: Sequence[str]) -> Spans | None:
    found = [(at, at + len(piece)) for piece in pieces if (at := text.find(piece)) >= 0]
    return found or None
