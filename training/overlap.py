"""Two frames of texts in, the pairs that give each other away out: the same id or group, or nearly the same words."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

# Measured on the corpus: no test text reaches more than 0.42 to any train text, while each test text of which
# a tenth of the words were replaced keeps 0.62 or more to itself.
NEAR_DUPLICATE_COSINE = 0.6
# Of 20 reports translated by hand into another of our languages, the encoder of 2026.11.24.3 puts 19 at 0.76 or more
# to the original; of the corpus's texts 2% have another situation in another language that near, told alike.
SAME_REPORT_COSINE = 0.75
ROWS_AT_ONCE = 1_000  # whose cosines to all others are in memory


@dataclass(frozen=True)
class Overlap:
    """A test record that a train record gives away: the field they share, both lines, their cosine."""

    field: str
    train_line: int
    test_line: int
    cosine: float = 1.0


def near_duplicates(train: pd.DataFrame, test: pd.DataFrame, threshold: float = NEAR_DUPLICATE_COSINE) -> list[Overlap]:
    """Return the pairs of texts that share so many 4-character pieces of words: TF-IDF cosine >= threshold."""
    if train.empty or test.empty:
        return []
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4)).fit_transform([*train["text"], *test["text"]])
    known, asked = vectors[: len(train)].T.tocsr(), vectors[len(train) :]
    found = []
    for start in range(0, len(test), ROWS_AT_ONCE):
        cosines = (asked[start : start + ROWS_AT_ONCE] @ known).tocoo()
        near = cosines.data >= threshold
        found += [
            Overlap("text", int(train.index[column]), int(test.index[start + row]), float(cosine))
            for row, column, cosine in zip(cosines.row[near], cosines.col[near], cosines.data[near], strict=True)
        ]
    return found


def near_vectors(
    train: NDArray[np.float32], test: NDArray[np.float32], threshold: float = SAME_REPORT_COSINE
) -> list[Overlap]:
    """Return the pairs of unit vectors (n, d) and (m, d), counted from 0, whose cosine reaches the threshold."""
    found = []
    for start in range(0, len(test), ROWS_AT_ONCE):
        cosines = test[start : start + ROWS_AT_ONCE] @ train.T
        found += [
            Overlap("vector", int(column), int(start + row), float(cosines[row, column]))
            for row, column in np.argwhere(cosines >= threshold)
        ]
    return found


def shared_values(train: pd.DataFrame, test: pd.DataFrame, field: str) -> list[Overlap]:
    """Return the test records whose ``field`` also stands in train, each with the first train record of it."""
    first = train[field].drop_duplicates()
    train_lines = dict(zip(first, first.index, strict=True))
    both = [
        (train_lines[value], line) for value, line in zip(test[field], test.index, strict=True) if value in train_lines
    ]
    return [Overlap(field, int(train_line), int(test_line)) for train_line, test_line in both]
