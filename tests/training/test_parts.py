from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.artifact import Parts
from training.labels import Labels, read_labels
from training.params import Params, read_params
from training.parts import Dense, OutOfFold, fit_parts, frozen_dense
from training.splits import Rows, make_folds

ROWS, DIMENSIONS = 150, 12
Folds = list[tuple[Rows, Rows]]


@pytest.fixture(scope="module")
def frame(train_frame: pd.DataFrame) -> pd.DataFrame:
    return train_frame.iloc[: ROWS * 20 : 20]


@pytest.fixture(scope="module")
def labels(frame: pd.DataFrame, policy: Policy) -> Labels:
    return read_labels(frame, policy)


@pytest.fixture(scope="module")
def folds(frame: pd.DataFrame) -> Folds:
    return make_folds(frame, 2, seed=0)


@pytest.fixture(scope="module")
def params() -> Params:
    return read_params()


@pytest.fixture(scope="module")
def dense(labels: Labels, folds: Folds) -> Dense:
    """Return what an encoder would give that knows a little of the rating."""
    vectors = np.random.default_rng(0).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    vectors[np.arange(ROWS), labels.rating] += 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return frozen_dense(vectors, labels, folds, strength=1.0, seed=0)


def fitted(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds, params: Params, policy: Policy
) -> tuple[Parts, OutOfFold]:
    return fit_parts(frame, labels, dense, folds, params, policy)


@pytest.fixture(scope="module")
def parts(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds, params: Params, policy: Policy
) -> tuple[Parts, OutOfFold]:
    return fitted(frame, labels, dense, folds, params, policy)


def test_the_same_rows_and_seed_give_identical_parts(
    parts: tuple[Parts, OutOfFold],
    frame: pd.DataFrame,
    labels: Labels,
    dense: Dense,
    folds: Folds,
    params: Params,
    policy: Policy,
) -> None:
    (one, unseen), (again, unseen_again) = parts, fitted(frame, labels, dense, folds, params, policy)

    for name, values in vars(unseen).items():
        np.testing.assert_array_equal(values, getattr(unseen_again, name))
    for array in ("dense", "lexical", "bias"):
        np.testing.assert_array_equal(getattr(one.heads, array), getattr(again.heads, array))
    assert one.lexical.vocabulary_ == again.lexical.vocabulary_
    np.testing.assert_array_equal(one.lexical.idf_, again.lexical.idf_)
    assert asdict(one.blend) == asdict(again.blend)
    assert asdict(one.thresholds) == asdict(again.thresholds)
    np.testing.assert_array_equal(one.precedents.codes, again.precedents.codes)


def test_parts_fit_together(parts: tuple[Parts, OutOfFold], policy: Policy) -> None:
    found, unseen = parts

    width = 12 + len(policy.categories)
    assert found.heads.dense.shape == (DIMENSIONS, width)
    assert found.heads.lexical.shape == (len(found.lexical.vocabulary_), width)
    assert found.heads.bias.shape == (width,)
    assert unseen.chances.shape == (ROWS, 4)
    assert unseen.ranks.shape == (ROWS,)
    assert unseen.categories.shape == (ROWS, len(policy.categories))
    assert np.isfinite(found.heads.lexical).all()


def test_predictions_out_of_fold_know_something_and_not_everything(
    parts: tuple[Parts, OutOfFold], labels: Labels
) -> None:
    right = float((parts[1].ranks == labels.rating).mean())

    assert 0.35 < right < 1


def test_every_row_decides_at_least_one_category_and_no_violation_stands_alone(
    parts: tuple[Parts, OutOfFold], policy: Policy
) -> None:
    decided = parts[1].categories
    none = decided[:, policy.category_names.index("none")]

    assert decided.any(axis=1).all()
    assert (decided[none].sum(axis=1) == 1).all()


def test_every_row_becomes_a_precedent(parts: tuple[Parts, OutOfFold], frame: pd.DataFrame, dense: Dense) -> None:
    precedents = parts[0].precedents

    (nearest,) = precedents.nearest(dense.vectors[11], 1)

    assert [labelled.id for labelled in precedents.labelled] == frame["id"].tolist()
    assert nearest.id == frame["id"].iloc[11]


def test_levels_are_in_their_ranges(parts: tuple[Parts, OutOfFold]) -> None:
    blend, thresholds = parts[0].blend, parts[0].thresholds

    assert 0 <= blend.table_weight <= 1
    assert blend.temperature > 0
    assert 0.25 <= blend.critical_chance <= 0.5
    assert 0 < thresholds.conformal_mass <= 1
    assert 0.25 <= thresholds.accept_safety <= 2
    assert 0.05 <= thresholds.category <= 0.95


def test_a_row_that_was_held_out_does_not_teach_its_own_prediction(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds
) -> None:
    _, held = folds[0]
    others = labels.rating.copy()
    others[held] = (others[held] + 1) % 4
    changed = Labels(**{**vars(labels), "rating": others})

    again = frozen_dense(dense.vectors, changed, folds, strength=1.0, seed=0)

    np.testing.assert_array_equal(again.out_of_fold[held], dense.out_of_fold[held])
    assert not np.array_equal(again.out_of_fold[folds[1][1]], dense.out_of_fold[folds[1][1]])
