from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.artifact import Parts
from riskmodel.model import PRECEDENTS_SHOWN
from riskmodel.records import LANGUAGES
from riskmodel.stages import precedents
from riskmodel.stages.decision import CONTENT, CRITICAL, LEAST_CONFIDENCE, not_too_low
from riskmodel.stages.precedents import Labelled, Precedents
from training.labels import Labels, read_labels
from training.params import Params, read_params
from training.parts import Dense, OutOfFold, familiarity, fit_form, fit_parts, frozen_dense
from training.splits import Rows, make_folds

ROWS, DIMENSIONS = 150, 12
NO_POSTS = np.zeros(ROWS, dtype=bool)
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
    return frozen_dense(vectors, labels, NO_POSTS, folds, strength=1.0, seed=0)


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

    for array in ("chances", "ranks", "categories"):
        np.testing.assert_array_equal(getattr(unseen, array), getattr(unseen_again, array))
    assert unseen.decisions == unseen_again.decisions
    assert unseen.said == unseen_again.said
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
    assert len(unseen.decisions) == len(unseen.said) == ROWS
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


def test_what_is_shown_of_a_row_holds_no_personal_data(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds, params: Params, policy: Policy
) -> None:
    told = frame.assign(text="Ring +55 11 98765-4321: " + frame["text"])

    labelled = fitted(told, labels, dense, folds, params, policy)[0].precedents.labelled

    assert all(one.excerpt.startswith("Ring [phone]: ") for one in labelled)


def test_levels_are_in_their_ranges(parts: tuple[Parts, OutOfFold]) -> None:
    blend, thresholds = parts[0].blend, parts[0].thresholds

    assert 0 <= blend.table_weight <= 1
    assert blend.temperature > 0
    assert 0.25 <= blend.critical_chance <= 0.5
    assert thresholds.conformal_mass.keys() == set(LANGUAGES)
    assert all(0 < mass <= 1 for mass in thresholds.conformal_mass.values())
    assert 0 <= thresholds.border <= 1
    assert -1 <= thresholds.familiarity <= 1
    assert 0.25 <= thresholds.accept_safety <= 2
    assert 0.05 <= thresholds.category <= 0.95


def test_a_row_that_was_held_out_does_not_teach_its_own_prediction(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds
) -> None:
    _, held = folds[0]
    others = labels.rating.copy()
    others[held] = (others[held] + 1) % 4
    changed = Labels(**{**vars(labels), "rating": others})

    again = frozen_dense(dense.vectors, changed, NO_POSTS, folds, strength=1.0, seed=0)

    np.testing.assert_array_equal(again.out_of_fold[held], dense.out_of_fold[held])
    assert not np.array_equal(again.out_of_fold[folds[1][1]], dense.out_of_fold[folds[1][1]])


def test_decisions_out_of_fold_are_those_that_the_levels_give(parts: tuple[Parts, OutOfFold], dense: Dense) -> None:
    found, unseen = parts
    confidence = unseen.chances[np.arange(ROWS), unseen.ranks]
    safety = not_too_low(unseen.chances, unseen.ranks)
    near = (unseen.ranks < CRITICAL) & (unseen.chances[:, CRITICAL] >= found.thresholds.border)

    for reason, expected in (
        ("uncertain rating", confidence < LEAST_CONFIDENCE),
        ("may be rated too low", safety < found.thresholds.accept_safety),
        ("near critical", near),
        ("unfamiliar text", dense.familiarity < found.thresholds.familiarity),
    ):
        assert [reason in reasons for reasons in unseen.decisions] == expected.tolist(), reason


def test_content_is_told_from_reports_by_its_vectors_and_held_out_rows_are_told_too(
    labels: Labels, folds: Folds
) -> None:
    posts = np.arange(ROWS) % 3 == 0
    vectors = np.random.default_rng(1).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    vectors[posts, 0] += 5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    found = frozen_dense(vectors, labels, posts, folds, strength=1.0, seed=0).content

    assert (fit_form(vectors, posts).is_content(vectors) == posts).mean() > 0.95
    assert (found == posts).mean() > 0.95


def test_where_there_is_no_content_nothing_is(dense: Dense) -> None:
    assert not fit_form(dense.vectors, NO_POSTS).is_content(dense.vectors).any()
    assert not dense.content.any()


def test_content_is_calibrated_apart_and_always_for_a_person(
    frame: pd.DataFrame, labels: Labels, dense: Dense, folds: Folds, params: Params, policy: Policy
) -> None:
    content = np.arange(ROWS) % 3 == 0
    sure = dense.out_of_fold * np.where(content, 4, 1)[:, None]  # of content the model is far too sure

    found, unseen = fitted(frame, labels, replace(dense, out_of_fold=sure, content=content), folds, params, policy)

    assert found.content_blend != found.blend
    assert found.thresholds.conformal_mass.keys() == {*LANGUAGES, CONTENT}
    assert ["content without a report" in reasons for reasons in unseen.decisions] == content.tolist()


def test_familiarity_is_the_mean_cosine_to_the_nearest_that_were_learnt_from(dense: Dense) -> None:
    unseen, seen = dense.vectors[:40], dense.vectors[40:]

    found = familiarity(unseen, seen)

    for row, mean in zip(unseen, found, strict=True):
        assert mean == pytest.approx(np.sort(seen @ row)[-PRECEDENTS_SHOWN:].mean(), abs=1e-6)


@pytest.mark.parametrize("count", range(1, PRECEDENTS_SHOWN + 1))
def test_familiarity_of_few_is_the_mean_over_all_of_them(dense: Dense, count: int) -> None:
    seen = dense.vectors[:count]

    found = familiarity(dense.vectors[50:60], seen)

    np.testing.assert_allclose(found, (dense.vectors[50:60] @ seen.T).mean(axis=1), atol=1e-6)


def test_familiarity_is_learnt_as_it_is_served(dense: Dense) -> None:
    unseen, seen = dense.vectors[:20], dense.vectors[20:]
    index = Precedents.build(seen, [Labelled(str(at), "low", "") for at in range(len(seen))])

    served = [precedents.familiarity(index.nearest(row, PRECEDENTS_SHOWN)) for row in unseen]

    np.testing.assert_allclose(familiarity(unseen, seen), served, atol=0.01)


def test_a_row_is_as_familiar_as_the_rows_of_the_other_folds_are_near(dense: Dense, folds: Folds) -> None:
    for fit, held in folds:
        np.testing.assert_array_equal(dense.familiarity[held], familiarity(dense.vectors[held], dense.vectors[fit]))
    assert dense.familiarity.max() < 0.999  # itself it never meets
