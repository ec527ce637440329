"""Figures against values counted by hand, and their intervals."""

import numpy as np
import pytest

from training.benchmark import measures
from training.benchmark.measures import auprc, auroc, f1, macro_f1, resampled, share

TRUTH = np.array([True, True, False, False])
GIVEN = np.array([True, False, False, False])
SCORES = np.array([0.9, 0.4, 0.6, 0.1], dtype=np.float32)


def test_f1_counts_hits_twice_over_all_that_are_or_were_given() -> None:
    assert f1(TRUTH, GIVEN).value == pytest.approx(2 / 3)


def test_macro_f1_is_the_mean_over_both_answers() -> None:
    assert macro_f1(TRUTH, GIVEN).value == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert auroc(TRUTH, SCORES).value == pytest.approx(3 / 4)


def test_auprc_is_the_mean_precision_where_a_positive_is_found() -> None:
    assert auprc(TRUTH, SCORES).value == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_a_share_is_of_all_rows() -> None:
    assert share(GIVEN).value == 0.25


def test_where_only_one_answer_is_true_an_order_has_no_figure() -> None:
    for none in (auroc(~TRUTH & TRUTH, SCORES), auprc(~TRUTH & TRUTH, SCORES)):
        assert np.isnan([none.value, none.low, none.high]).all()


def test_where_nothing_is_true_or_given_f1_is_nought() -> None:
    assert f1(~TRUTH & TRUTH, ~TRUTH & TRUTH).value == 0


def test_the_interval_holds_the_figure_and_narrows_with_more_rows() -> None:
    few, many = (share(np.arange(n) % 4 == 0) for n in (40, 4_000))

    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_the_interval_is_the_middle_of_figures_of_rows_drawn_again_with_repeats() -> None:
    drawn: list[np.ndarray] = []

    def figure(rows: np.ndarray) -> float:
        drawn.append(rows)
        return float(len(drawn)) if len(drawn) <= measures.RESAMPLES else 0.0

    found = resampled(figure, 10)

    *samples, whole = drawn
    assert len(samples) == measures.RESAMPLES
    assert whole.tolist() == list(range(10))
    assert any(len(set(rows.tolist())) < 10 for rows in samples)
    assert (found.value, found.low, found.high) == pytest.approx((0, 1 + 0.025 * 49, 1 + 0.975 * 49))


def test_the_same_rows_give_the_same_interval() -> None:
    assert auroc(TRUTH, SCORES) == auroc(TRUTH, SCORES)
