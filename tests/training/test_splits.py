import numpy as np
import pandas as pd
import pytest

from training.splits import make_folds


@pytest.mark.parametrize("count", [2, 3, 5])
def test_each_row_is_held_out_once_and_never_fitted_where_it_is_held_out(train_frame: pd.DataFrame, count: int) -> None:
    folds = make_folds(train_frame, count, seed=7)

    assert len(folds) == count
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(len(train_frame)))
    for fit, held in folds:
        assert sorted([*fit.tolist(), *held.tolist()]) == list(range(len(train_frame)))


def test_the_tellings_of_one_situation_stay_on_one_side(train_frame: pd.DataFrame) -> None:
    groups = train_frame["group"].to_numpy()
    assert len(set(groups)) < len(groups)

    for fit, held in make_folds(train_frame, 3, seed=7):
        assert not set(groups[fit]) & set(groups[held])


def test_languages_and_ratings_are_spread_evenly(train_frame: pd.DataFrame) -> None:
    strata = train_frame["language"] + " " + train_frame["rating"]
    whole = strata.value_counts(normalize=True)

    for _, held in make_folds(train_frame, 3, seed=7):
        here = strata.iloc[held].value_counts(normalize=True)
        assert (here.reindex(whole.index, fill_value=0) - whole).abs().max() < 0.03


def test_the_same_seed_gives_the_same_folds_and_another_seed_others(sample_frame: pd.DataFrame) -> None:
    one, again, other = (make_folds(sample_frame, 3, seed=seed) for seed in (7, 7, 8))

    assert all(
        a.tolist() == b.tolist()
        for first, second in zip(one, again, strict=True)
        for a, b in zip(first, second, strict=True)
    )
    assert any(first[1].tolist() != second[1].tolist() for first, second in zip(one, other, strict=True))


def test_folds_are_positions_whatever_the_index_of_the_frame(sample_frame: pd.DataFrame) -> None:
    shifted = sample_frame.set_index(sample_frame.index + 10_000)

    assert [held.tolist() for _, held in make_folds(shifted, 2, seed=0)] == [
        held.tolist() for _, held in make_folds(sample_frame, 2, seed=0)
    ]
