"""Training rows in, three simple models' predictions on other rows out: what any figure must be read against."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union

from training.evaluate import Predicted
from training.labels import Labels

FloatArray = NDArray[np.float32]
MAJORITY, TFIDF, FROZEN = "majority", "TF-IDF + logistic regression", "frozen encoder + logistic regression"
# Inverse regularisation, the best of 1, 5 and 20 out of fold on the training split (frozen encoder: a kappa of 0.680 at
# 5, 0.669 at 20).
STRENGTHS = {TFIDF: 5.0, FROZEN: 5.0}


def predict_majority(labels: Labels, texts: Sequence[str]) -> Predicted:
    """Give every text the most frequent rating and the most frequent category."""
    return _predict(
        lambda: DummyClassifier(strategy="prior"), np.zeros((len(labels), 1)), labels, np.zeros((len(texts), 1))
    )


def predict_tfidf(train_texts: Sequence[str], labels: Labels, texts: Sequence[str], seed: int) -> Predicted:
    """Fit logistic regression on TF-IDF of words and of characters in words."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, strip_accents="unicode")
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, strip_accents="unicode"
    )
    features = make_pipeline(make_union(words, characters))
    X = features.fit_transform(train_texts)
    return _predict(lambda: _logistic(STRENGTHS[TFIDF], seed), X, labels, features.transform(texts))


def predict_frozen(train_vectors: FloatArray, labels: Labels, vectors: FloatArray, seed: int) -> Predicted:
    """Fit logistic regression on the vectors of the base encoder as it is."""
    return _predict(lambda: _logistic(STRENGTHS[FROZEN], seed), train_vectors, labels, vectors)


def _logistic(strength: float, seed: int) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=1000, random_state=seed)


def _predict(make: Callable[[], Any], X: Any, labels: Labels, unseen: Any) -> Predicted:
    rating = make().fit(X, labels.rating)
    chances = rating.predict_proba(unseen).astype(np.float32)
    categories = OneVsRestClassifier(make()).fit(X, labels.categories.astype(np.int64)).predict_proba(unseen)
    decided = categories >= 0.5
    decided[np.arange(len(decided)), categories.argmax(axis=1)] = True
    return Predicted(chances.argmax(axis=1), chances, decided)
