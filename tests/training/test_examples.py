"""What the adapter learns from: labelled escalations and public content side by side, the unknown as such."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from training.examples import UNKNOWN, Examples, content, join, labelled
from training.labels import Labels, read_labels
from training.public.reading import Content

TEXTS = ["the shop will burn tonight", "two shoes that differ"]
EVIDENCE = [["burn tonight", "shop"], []]


@pytest.fixture
def labels(policy: Policy) -> Labels:
    rows = [
        ("user_report", "severe", "active", "critical", ["violence"]),
        ("user_report", "minor", "contained", "low", ["none"]),
    ]
    return read_labels(pd.DataFrame(rows, columns=["source", "severity", "proximity", "rating", "categories"]), policy)


@pytest.fixture
def own(labels: Labels) -> Examples:
    return labelled(TEXTS, labels, EVIDENCE)


@pytest.fixture
def public(policy: Policy) -> Examples:
    categories = np.full((3, len(policy.category_names)), np.nan, dtype=np.float32)
    categories[:, policy.category_names.index("hate")] = [1.0, 0.1, np.nan]
    tasks = np.array([[1, np.nan], [0, np.nan], [np.nan, 0.5]], dtype=np.float32)
    return content(Content(["one", "two", "três"], categories, tasks, {"edos": 2, "told_br": 1}))


def test_an_escalation_keeps_its_labels_and_has_no_questions_of_public_sets(own: Examples, labels: Labels) -> None:
    assert own.texts == TEXTS
    assert len(own) == 2
    for name in ("severity", "proximity", "rating", "floor", "categories"):
        np.testing.assert_array_equal(getattr(own, name), getattr(labels, name))
    assert own.tasks.shape == (2, 0)


def test_marked_pieces_become_stretches_of_the_text_and_none_marked_is_unknown(own: Examples) -> None:
    marked, unmarked = own.evidence

    assert marked is not None
    assert [TEXTS[0][start:end] for start, end in marked] == EVIDENCE[0]
    assert unmarked is None


def test_a_piece_that_is_not_in_the_text_marks_nothing(labels: Labels) -> None:
    found = labelled(TEXTS, labels, [["burn", "elsewhere"], ["elsewhere"]])

    assert found.evidence == [[(14, 18)], None]


def test_public_content_tells_categories_and_questions_and_no_rating(public: Examples, policy: Policy) -> None:
    for ranks in (public.severity, public.proximity, public.rating):
        assert ranks.tolist() == [UNKNOWN] * 3
    assert np.isnan(public.floor).all()
    assert public.evidence == [None] * 3
    hate = public.categories[:, policy.category_names.index("hate")]
    np.testing.assert_array_equal(hate, np.array([1, 0.1, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(public.tasks[:, 1], np.array([np.nan, np.nan, 0.5], dtype=np.float32))


def test_joined_examples_keep_their_order_and_what_only_the_others_are_asked_is_unknown(
    own: Examples, public: Examples
) -> None:
    found = join(own, public)

    assert found.texts == [*TEXTS, "one", "two", "três"]
    assert found.rating.tolist() == [3, 0, UNKNOWN, UNKNOWN, UNKNOWN]
    assert found.evidence == [*own.evidence, None, None, None]
    assert np.isnan(found.tasks[:2]).all()
    np.testing.assert_array_equal(found.tasks[2:], public.tasks)


def test_the_questions_of_both_sides_stand_side_by_side(public: Examples) -> None:
    found = join(public, public)

    assert found.tasks.shape == (6, 4)
    np.testing.assert_array_equal(found.tasks[:3, :2], public.tasks)
    np.testing.assert_array_equal(found.tasks[3:, 2:], public.tasks)
    assert np.isnan(found.tasks[:3, 2:]).all()
    assert np.isnan(found.tasks[3:, :2]).all()


def test_joined_with_nothing_all_stays(own: Examples, policy: Policy) -> None:
    width = len(policy.category_names)
    nothing = Content([], np.empty((0, width), dtype=np.float32), np.empty((0, 0), dtype=np.float32), {})

    found = join(own, content(nothing))

    assert found.texts == own.texts
    assert found.tasks.shape == (2, 0)
    np.testing.assert_array_equal(found.categories, own.categories)


def test_some_rows_are_taken_from_everything_in_the_order_asked_for(own: Examples, public: Examples) -> None:
    everything = join(own, public)
    rows = np.array([4, 0, 0])

    found = everything.take(rows)

    assert len(found) == 3
    for field in fields(Examples):
        values, whole = getattr(found, field.name), getattr(everything, field.name)
        if isinstance(whole, list):
            assert values == [whole[row] for row in rows]
        else:
            np.testing.assert_array_equal(values, whole[rows])
