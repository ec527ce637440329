"""Texts and a version in, what it says of each out: vectors, chances of ratings and categories, ratings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from riskmodel.artifact import ENCODER, EncoderSpec
from riskmodel.model import RiskModel
from riskmodel.policy import NO_VIOLATION
from riskmodel.stages.rating import blend_chances, choose_ranks, table_chances
from training.calibrate import believe
from training.heads import lexical_matrix
from training.progress import Report, silent
from training.vectors import encode_texts

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What a version says of n texts, without a source: no floor is left out.

    ``vectors`` (n, d), ``grams`` (n, v), ``chances`` (n, 4), ``ranks`` (n,), ``categories`` (n, c) chances, ``names``
    (c,).
    """

    vectors: FloatArray
    grams: sparse.csr_matrix
    chances: FloatArray
    ranks: NDArray[np.int64]
    categories: FloatArray
    names: tuple[str, ...]
    threshold: float

    @property
    def harm(self) -> FloatArray:
        """Return (n,) chances that any rule is broken."""
        found: FloatArray = 1 - self.categories[:, self.names.index(NO_VIOLATION)]
        return found

    @property
    def finds_harm(self) -> NDArray[np.bool_]:
        """Return (n,) whether a category other than none is the likeliest."""
        found: NDArray[np.bool_] = self.categories.argmax(axis=1) != self.names.index(NO_VIOLATION)
        return found

    def chance(self, category: str) -> FloatArray:
        """Return (n,) chances of one category."""
        found: FloatArray = self.categories[:, self.names.index(category)]
        return found

    def finds(self, category: str) -> NDArray[np.bool_]:
        """Return (n,) whether a category is decided: the likeliest, or likely enough beside another harm."""
        at = self.names.index(category)
        main = self.categories.argmax(axis=1)
        beside = (self.categories[:, at] >= self.threshold) & self.finds_harm
        found: NDArray[np.bool_] = (main == at) | beside
        return found

    def take(self, rows: NDArray[np.int64]) -> "Reading":
        """Return what is said of some texts."""
        return Reading(
            self.vectors[rows],
            self.grams[rows],
            self.chances[rows],
            self.ranks[rows],
            self.categories[rows],
            self.names,
            self.threshold,
        )


def read(
    model: RiskModel, folder: Path, spec: EncoderSpec, texts: Sequence[str], cache: Path, report: Report = silent
) -> Reading:
    """Let a version read n texts; vectors that are in the cache are not made again."""
    vectors = encode_texts(folder / ENCODER, spec, texts, cache, report)
    grams = lexical_matrix(model.lexical, texts)
    logits = np.asarray(vectors @ model.heads.dense + grams @ model.heads.lexical + model.heads.bias, dtype=np.float32)
    believed = believe(logits, np.ones(len(texts), dtype=bool))
    table, content = table_chances(believed.joint, model.policy.rating_ranks), model.form.is_content(vectors)
    chances = blend_chances(table, believed.direct, model.blend)
    chances[content] = blend_chances(table[content], believed.direct[content], model.content_blend)
    ranks = np.where(content, choose_ranks(chances, model.content_blend), choose_ranks(chances, model.blend))
    return Reading(
        vectors,
        grams,
        chances,
        ranks,
        believed.categories,
        model.policy.category_names,
        model.thresholds.category,
    )
