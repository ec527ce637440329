"""Dense logits and texts in, the trained parts of a model out: n-gram heads, scales, blend, thresholds, precedents."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from riskmodel.artifact import Parts
from riskmodel.model import PRECEDENTS_SHOWN
from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import RATINGS, ReviewReason
from riskmodel.redaction import redact
from riskmodel.reference import Said
from riskmodel.stages.decision import CONTENT, Signs, decide, decide_categories
from riskmodel.stages.form import FormHead
from riskmodel.stages.heads import Heads
from riskmodel.stages.lexical import LexicalVectorizer
from riskmodel.stages.precedents import Labelled, Precedents, excerpt
from riskmodel.stages.rating import blend_chances, choose_ranks, rate, table_chances
from training.calibrate import Believed, believe, decided_matrix, fit_blend, fit_scales, fit_thresholds
from training.doubt import look, signs
from training.heads import Linear, fit_heads, lexical_matrix
from training.labels import Labels
from training.params import Params
from training.splits import Rows
from training.units import is_post

FloatArray = NDArray[np.float32]
FORM_SCALE = 10.0  # a unit vector is too short for a head to be sure of anything


@dataclass(frozen=True)
class Dense:
    """What an encoder makes of n training texts.

    ``vectors``: (n, d), by the encoder that will serve; ``heads``: fitted on all n; ``out_of_fold``: (n, k) logits,
    each by an encoder and heads that never saw the row; ``familiarity``: (n,) to the rows that these were fitted on.
    """

    vectors: FloatArray
    heads: Linear
    out_of_fold: FloatArray
    familiarity: FloatArray
    content: NDArray[np.bool_]


@dataclass(frozen=True)
class OutOfFold:
    """Predictions on rows the predictor never saw.

    ``chances`` (n, 4), ``ranks`` (n,), ``categories`` (n, c), ``decisions`` (n): the reasons for a person to look, and
    ``said`` (n), as a later period is counted.
    """

    chances: FloatArray
    ranks: NDArray[np.int64]
    categories: NDArray[np.bool_]
    decisions: list[list[ReviewReason]]
    said: list[Said]


def frozen_dense(
    vectors: FloatArray,
    labels: Labels,
    posts: NDArray[np.bool_],
    folds: Sequence[tuple[Rows, Rows]],
    strength: float,
    seed: int,
) -> Dense:
    """Fit heads on the vectors of an encoder that was not trained on the labels."""
    heads = fit_heads(vectors, labels, strength, seed)
    out_of_fold = np.empty((len(labels), len(heads.bias)), dtype=np.float32)
    familiar, found = np.empty(len(labels), dtype=np.float32), np.empty(len(labels), dtype=bool)
    for fit, held in folds:
        out_of_fold[held] = fit_heads(vectors[fit], labels.take(fit), strength, seed).logits(vectors[held])
        familiar[held] = familiarity(vectors[held], vectors[fit])
        found[held] = fit_form(vectors[fit], posts[fit]).is_content(vectors[held])
    return Dense(vectors, heads, out_of_fold, familiar, found)


def fit_form(vectors: FloatArray, posts: NDArray[np.bool_]) -> FormHead:
    """Learn from unit vectors (n, d) which texts are content itself; where there is none, nothing is."""
    if not posts.any():
        return FormHead(np.zeros(vectors.shape[1], dtype=np.float32), -1.0)
    model = LogisticRegression(solver="newton-cg").fit(FORM_SCALE * vectors, posts)
    return FormHead((FORM_SCALE * model.coef_[0]).astype(np.float32), float(model.intercept_[0]))


def familiarity(unseen: FloatArray, seen: FloatArray) -> FloatArray:
    """Return the mean cosine (n,) of unit vectors (n, d) to the nearest of others (m, d)."""
    count = min(PRECEDENTS_SHOWN, len(seen))
    nearest = np.partition(unseen @ seen.T, -count, axis=1)[:, -count:]
    result: FloatArray = nearest.mean(axis=1)
    return result


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
    words = np.empty(len(texts), dtype=np.int64)
    for fit, held in folds:
        fold = LexicalVectorizer(params.heads.min_documents).fit(texts[row] for row in fit)
        seen, unseen = (lexical_matrix(fold, [texts[row] for row in rows]) for rows in (fit, held))
        words[held] = [fold.transform(texts[row]).known_words for row in held]
        lexical_logits[held] = fit_heads(seen, labels.take(fit), strength, seed).logits(unseen)
    vectorizer = LexicalVectorizer(params.heads.min_documents).fit(texts)
    lexical = fit_heads(lexical_matrix(vectorizer, texts), labels, strength, seed)

    scales = fit_scales(dense.out_of_fold, lexical_logits, labels)
    believed = believe(scales.dense * dense.out_of_fold + scales.lexical * lexical_logits, labels.may_lift)
    table = table_chances(believed.joint, policy.rating_ranks)
    reports = ~dense.content
    blend = fit_blend(
        table[reports],
        believed.direct[reports],
        labels.rating[reports],
        params.doubt.critical_recall,
        labels.weight[reports],
    )
    content_blend = (
        fit_blend(
            table[dense.content],
            believed.direct[dense.content],
            labels.rating[dense.content],
            params.doubt.critical_recall,
            labels.weight[dense.content],
        )
        if dense.content.any()
        else blend
    )
    chances, ranks = blend_chances(table, believed.direct, blend), np.empty(len(labels), dtype=np.int64)
    chances[dense.content] = blend_chances(table[dense.content], believed.direct[dense.content], content_blend)
    ranks[reports] = choose_ranks(chances[reports], blend)
    ranks[dense.content] = choose_ranks(chances[dense.content], content_blend)
    none_at = policy.category_names.index(NO_VIOLATION)
    found = signs(
        look(texts, words, dense.familiarity, dense.content),
        chances,
        ranks,
        table.argmax(axis=1) == believed.direct.argmax(axis=1),
        believed.categories.argmax(axis=1),
        policy,
    )
    groups = np.where(dense.content, CONTENT, frame["language"].to_numpy(dtype=str))
    thresholds = fit_thresholds(chances, ranks, found, believed, labels, groups, none_at, params.doubt)
    parts = Parts(
        lexical=vectorizer,
        heads=Heads(
            dense=dense.heads.weights * scales.dense,
            lexical=lexical.weights * scales.lexical,
            bias=dense.heads.bias * scales.dense + lexical.bias * scales.lexical,
        ),
        form=fit_form(dense.vectors, is_post(frame).to_numpy(dtype=bool)),
        blend=blend,
        content_blend=content_blend,
        thresholds=thresholds,
        precedents=Precedents.build(dense.vectors, _labelled(frame)),
    )
    decided = decided_matrix(believed.categories, thresholds.category, none_at)
    decisions = [decide(each, thresholds).reasons for each in found]
    said = _said(found, believed, chances, parts, policy)
    return parts, OutOfFold(chances, ranks, decided, decisions, said)


def _said(found: Sequence[Signs], believed: Believed, chances: FloatArray, parts: Parts, policy: Policy) -> list[Said]:
    """Return what an answer would say of n rows: its main category is the one decided, not always the likeliest."""
    names, said = policy.category_names, []
    for at, each in enumerate(found):
        blend = parts.content_blend if each.content else parts.blend
        severity = rate(chances[at], believed.joint[at], blend, policy).severity
        main = decide_categories(believed.categories[at], names, severity, parts.thresholds.category)[0]
        said.append(Said(each.language, names[main], RATINGS[each.rank], each.confidence))
    return said


def _labelled(frame: pd.DataFrame) -> list[Labelled]:
    """Return what a version shows of its rows: to every client, so personal data is masked, whatever the rows hold."""
    return [
        Labelled(id=name, rating=rating, excerpt=excerpt(redact(text)))
        for name, rating, text in zip(frame["id"], frame["rating"], frame["text"], strict=True)
    ]
