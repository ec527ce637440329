import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES
from training.labels import Labels, read_labels

COLUMNS = ["source", "severity", "proximity", "rating", "categories"]


def labels_of(policy: Policy, *rows: tuple[str, str, str, str, list[str]]) -> Labels:
    return read_labels(pd.DataFrame(list(rows), columns=COLUMNS), policy)


def test_answers_and_ratings_become_ranks_from_the_least_to_the_most_urgent(policy: Policy) -> None:
    found = labels_of(
        policy,
        ("user_report", "minor", "contained", "low", ["none"]),
        ("user_report", "severe", "active", "critical", ["violence"]),
        ("user_report", "serious", "plausible", "medium", ["hate"]),
    )

    assert found.severity.tolist() == [0, 3, 2]
    assert found.proximity.tolist() == [0, 2, 1]
    assert found.rating.tolist() == [0, 3, 1]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("row", "floor"),
    [
        pytest.param(("government", "serious", "contained", "high"), 1.0, id="lifted"),
        pytest.param(("press", "minor", "contained", "medium"), 1.0, id="lifted by the press"),
        pytest.param(("government", "serious", "contained", "low"), 0.0, id="could be lifted and was not"),
        pytest.param(("legal", "severe", "active", "critical"), np.nan, id="cannot be told"),
        pytest.param(("law_enforcement", "moderate", "active", "medium"), np.nan, id="as high"),
        pytest.param(("user_report", "severe", "active", "critical"), 0.0, id="a source that is never lifted"),
        pytest.param(("partner", "minor", "contained", "low"), 0.0, id="a source that is never lifted, low"),
    ],
)
def test_the_floor_is_told_where_the_rating_shows_it(
    policy: Policy, row: tuple[str, str, str, str], floor: float
) -> None:
    found = labels_of(policy, (*row, ["violence"]))

    np.testing.assert_array_equal(found.floor, [floor])
    assert found.may_lift.tolist() == [row[0] in policy.floor.sources]


def test_categories_are_marked_and_the_main_one_is_the_first(policy: Policy) -> None:
    found = labels_of(
        policy,
        ("user_report", "severe", "active", "critical", ["violence", "hate"]),
        ("user_report", "severe", "active", "critical", ["hate", "violence"]),
        ("user_report", "minor", "contained", "low", ["none"]),
    )

    names = policy.category_names
    marked = [{names[at] for at in np.flatnonzero(row)} for row in found.categories]
    assert marked == [{"violence", "hate"}, {"violence", "hate"}, {"none"}]
    assert [names[at] for at in found.main_category] == ["violence", "hate", "none"]


def test_some_rows_are_taken_from_every_array(policy: Policy, sample_frame: pd.DataFrame) -> None:
    everything = read_labels(sample_frame, policy)
    rows = np.array([7, 3, 3, 250])

    found = everything.take(rows)

    assert len(found) == 4
    for name, values in vars(found).items():
        np.testing.assert_array_equal(values, getattr(everything, name)[rows])


def test_the_labels_of_the_corpus_read_back_as_its_words(policy: Policy, train_frame: pd.DataFrame) -> None:
    found = read_labels(train_frame, policy)

    assert [SEVERITIES[at] for at in found.severity] == train_frame["severity"].tolist()
    assert [PROXIMITIES[at] for at in found.proximity] == train_frame["proximity"].tolist()
    assert [RATINGS[at] for at in found.rating] == train_frame["rating"].tolist()
    lifted = found.floor == 1
    assert lifted.any()
    assert found.may_lift[lifted].all()
    assert not np.isnan(found.floor[~found.may_lift]).any()
