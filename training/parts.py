"""Dense logits and texts in, the trained parts of a model out: n-gram heads, scales, blend, thresholds, precedents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.artifact import Parts
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.stages.heads import Heads
from riskmodel.stages.lexical import LexicalVectorizer
from riskmodel.stages.precedents import Labelled, Precedents, excerpt
from riskmodel.stages.rating import blend_chances, choose_ranks, table_chances
from training.calibrate import believe, decided_matrix, fit_blend, fit_scales, fit_thresholds
from training.heads import Linear, fit_heads, lexical_matrix
from training.labels import Labels
from training.params import Params
from training.splits import Rows

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Dense:
    """What an encoder makes of n training texts.

    ``vectors``: (n, d), by the encoder that will serve; ``heads``: fitted on all n; ``out_of_fold``: (n, k) logits,
    each by an encoder and heads that never saw the row.
    """

    vectors: FloatArray
    heads: Linear
    out_of_fold: FloatArray


@dataclass(frozen=True)
class OutOfFold:
    """Predictions on rows the predictor never saw: ``chances`` (n, 4), ``ranks`` (n,), ``categories`` (n, c)."""

    chances: FloatArray
    ranks: NDArray[np.int64]
    categories: NDArray[np.bool_]


def frozen_dense(
    vectors: FloatArray, labels: Labels, folds: Sequence[tuple[Rows, Rows]], strength: float, seed: int
) -> Dense:
    """Fit heads on the vectors of an encoder that was not trained on the labels."""
    heads = fit_heads(vectors, labels, strength, seed)
    out_of_fold = np.empty((len(labels), len(heads.bias)), dtype=np.float32)
    for fit, held in folds:
        out_of_fold[held] = fit_heads(vectors[fit], labels.take(fit), strength, seed).logits(vectors[held])
    return Dense(vectors, heads, out_of_fold)


def fit_parts(
    frame: pd.DataFrame,
    labels: Labels,
    dense: Dense,
    folds: Sequence[tuple[Rows, Rows]],
    params: Params,
    policy: Policy,
) -> tuple[Parts, OutOfFold]:
    """Fit everything behind the encoder on n training rows; return it with its out-of-fold predictions."""
    texts = frame["text"].tolist()
    strength, seed = params.heads.lexical_strength, params.seed
    lexical_logits = np.empty_like(dense.out_of_fold)
    for fit, held in folds:
        fold = LexicalVectorizer(params.heads.min_documents).fit(texts[row] for row in fit)
        seen, unseen = (lexical_matrix(fold, [texts[row] for row in rows]) for rows in (fit, held))
        lexical_logits[held] = fit_heads(seen, labels.take(fit), strength, seed).logits(unseen)
    vectorizer = LexicalVectorizer(params.heads.min_documents).fit(texts)
    lexical = fit_heads(lexical_matrix(vectorizer, texts), labels, strength, seed)

    scales = fit_scales(dense.out_of_fold, lexical_logits, labels)
    believed = believe(scales.dense * dense.out_of_fold + scales.lexical * lexical_logits, labels.may_lift)
    table = table_chances(believed.joint, policy.rating_ranks)
    blend = fit_blend(table, believed.direct, labels.rating, params.doubt.critical_recall)
    chances = blend_chances(table, believed.direct, blend)
    ranks = choose_ranks(chances, blend)
    none_at = policy.category_names.index(NO_VIOLATION)
    thresholds = fit_thresholds(chances, ranks, believed, labels, none_at, params.doubt)
    parts = Parts(
        lexical=vectorizer,
        heads=Heads(
            dense=dense.heads.weights * scales.dense,
            lexical=lexical.weights * scales.lexical,
            bias=dense.heads.bias * scales.dense + lexical.bias * scales.lexical,
        ),
        blend=blend,
        thresholds=thresholds,
        precedents=Precedents.build(dense.vectors, _labelled(frame)),
    )
    decided = decided_matrix(believed.categories, thresholds.category, none_at)
    return parts, OutOfFold(chances, ranks, decided)


def _labelled(frame: pd.DataFrame) -> list[Labelled]:
    return [
        Labelled(id=name, rating=rating, excerpt=excerpt(text))
        for name, rating, text in zip(frame["id"], frame["rating"], frame["text"], strict=True)
    ]
