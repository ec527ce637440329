"""A head on a version's features answers a set's own question."""

import numpy as np
import pytest
import scipy.sparse as sparse
from sklearn.metrics import f1_score

from tests.training.benchmark.made import SAFE, reading
from training.benchmark.heads import answer
from training.benchmark.reading import Reading


def with_vectors(vectors: np.ndarray) -> Reading:
    return reading([SAFE] * len(vectors), vectors=vectors.tolist())


def with_grams(grams: np.ndarray) -> Reading:
    empty = reading([SAFE] * len(grams))
    return Reading(**{**vars(empty), "grams": sparse.csr_matrix(grams.astype(np.float32))})


def corners(truth: np.ndarray, seed: int) -> np.ndarray:
    """Return (n, 2) points near the corner of their answer."""
    places = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return places[truth] + np.random.default_rng(seed).normal(0, 0.1, (len(truth), 2))


@pytest.mark.parametrize("answers", [2, 3, 4])
def test_answers_that_the_vectors_tell_apart_are_found(answers: int) -> None:
    train, test = np.arange(60) % answers, np.arange(20)[::-1] % answers

    found = answer(with_vectors(corners(train, 0)), train, with_vectors(corners(test, 1)))

    assert found.tolist() == test.tolist()


def test_answers_that_only_the_words_tell_apart_are_found() -> None:
    train, test = np.arange(60) % 2, np.array([1, 0, 0, 1])

    found = answer(with_grams(np.eye(2)[train]), train, with_grams(np.eye(2)[test]))

    assert found.tolist() == test.tolist()


def test_a_rare_answer_is_given_from_the_level_of_best_macro_f1_not_from_a_half() -> None:
    draw = np.random.default_rng(0)
    truth = (np.arange(600) % 12 == 0).astype(np.int64)
    points = draw.normal(0, 0.6, (600, 1)) + truth[:, None]

    found = answer(with_vectors(points[:300]), truth[:300], with_vectors(points[300:]))

    never = np.zeros(300, dtype=np.int64)
    assert 0 < found.sum() < 100
    assert f1_score(truth[300:], found, average="macro") > f1_score(truth[300:], never, average="macro") + 0.1


def test_the_same_rows_get_the_same_answers_again() -> None:
    train, unseen = np.arange(60) % 2, with_vectors(np.random.default_rng(2).normal(0.5, 0.5, (40, 2)))

    first, second = (answer(with_vectors(corners(train, 0)), train, unseen) for _ in range(2))

    assert first.tolist() == second.tolist()
