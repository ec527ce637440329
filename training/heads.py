"""Features and labels in, linear heads out, fitted by scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from riskmodel.stages.heads import columns
from riskmodel.stages.lexical import LexicalVectorizer
from training.labels import Labels

FloatArray = NDArray[np.float32]
SOLVER_TOLERANCE = 1e-3  # newton-cg: a third of the time of lbfgs at the same likelihood out of fold
Features = FloatArray | sparse.csr_matrix


@dataclass(frozen=True)
class Linear:
    """One linear read-out for all heads: ``weights`` (features, k), ``bias`` (k,); see ``stages.heads.columns``."""

    weights: FloatArray
    bias: FloatArray

    def logits(self, X: Features) -> FloatArray:
        """Return (n, k) logits of (n, features)."""
        result: FloatArray = np.asarray(X @ self.weights + self.bias, dtype=np.float32)
        return result


def lexical_matrix(vectorizer: LexicalVectorizer, texts: Sequence[str]) -> sparse.csr_matrix:
    """Return the (n, v) n-gram features of texts, as scikit-learn wants them."""
    vectors = [vectorizer.transform(text) for text in texts]
    values = np.concatenate([vector.values for vector in vectors])
    features = np.concatenate([vector.features for vector in vectors])
    starts = np.cumsum([0, *(len(vector.features) for vector in vectors)])
    return sparse.csr_matrix((values, features, starts), shape=(len(texts), len(vectorizer.idf_)))


def fit_heads(X: Features, labels: Labels, strength: float, seed: int) -> Linear:
    """Fit every head by logistic regression.

    Args:
        X: (n, features), dense or sparse.
        labels: of the n rows, with weights; a NaN in ``floor`` leaves that row out of the floor's head.
        strength: inverse of the regularisation (``C``).
        seed: for the solver.
    """
    width = columns(0)["floor"].stop + labels.categories.shape[1]
    weights = np.zeros((X.shape[1], width), dtype=np.float32)
    bias = np.zeros(width, dtype=np.float32)
    at = columns(width)

    def solve(rows: Any, y: NDArray[Any], where: slice) -> None:
        model = LogisticRegression(C=strength, solver="newton-cg", tol=SOLVER_TOLERANCE, random_state=seed).fit(
            X[rows], y, sample_weight=labels.weight[rows]
        )
        if where.stop - where.start > 1:
            known = np.arange(where.start, where.stop)[model.classes_]
            weights[:, known], bias[known] = model.coef_.T, model.intercept_
        else:
            weights[:, where.start], bias[where.start] = model.coef_[0], model.intercept_[0]

    everything = np.arange(len(labels))
    solve(everything, labels.severity, at["severity"])
    solve(everything, labels.proximity, at["proximity"])
    solve(everything, labels.rating, at["rating"])
    told = np.flatnonzero(~np.isnan(labels.floor))
    solve(told, labels.floor[told] > 0, at["floor"])
    for offset, column in enumerate(labels.categories.T):
        where = at["categories"].start + offset
        solve(everything, column > 0, slice(where, where + 1))
    return Linear(weights, bias)
