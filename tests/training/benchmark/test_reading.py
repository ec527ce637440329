"""What a version says of texts: as the service would, and what follows from the chances."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel import Escalation, RiskModel
from riskmodel.artifact import read_manifest
from riskmodel.records import RATINGS
from tests.training.benchmark.made import SAFE, reading
from training.benchmark.reading import read

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_texts_are_read_as_the_service_rates_them(
    tiny_model: Path, model: RiskModel, sample_frame: pd.DataFrame, tmp_path: Path
) -> None:
    texts = sample_frame["text"].iloc[:25].tolist()

    found = read(model, tiny_model, read_manifest(tiny_model).encoder, texts, tmp_path)

    for at, rated in enumerate(model.assess([Escalation(text=text) for text in texts], NOW)):
        assert RATINGS[found.ranks[at]] == rated.rating
        assert found.chances[at].tolist() == pytest.approx(list(rated.probabilities.values()), abs=1e-3)
        chances = [rated.category_probabilities[name] for name in found.names]
        assert found.categories[at].tolist() == pytest.approx(chances, abs=1e-3)


def test_harm_is_whatever_is_not_none() -> None:
    found = reading([{"none": 0.9}, {"none": 0.2, "hate": 0.7}])

    np.testing.assert_allclose(found.harm, [0.1, 0.8], atol=1e-6)
    assert found.finds_harm.tolist() == [False, True]


def test_a_category_is_found_where_it_is_the_likeliest_or_likely_enough_beside_another_harm() -> None:
    found = reading(
        [
            {"hate": 0.3, "none": 0.2},
            {"hate": 0.5, "violence": 0.9},
            {"hate": 0.3, "violence": 0.9},
            {"hate": 0.5, "none": 0.9},
        ]
    )

    assert found.finds("hate").tolist() == [True, True, False, False]
    np.testing.assert_allclose(found.chance("hate"), [0.3, 0.5, 0.3, 0.5], atol=1e-6)


def test_some_texts_are_taken_with_all_that_is_said_of_them() -> None:
    found = reading([SAFE, {"hate": 0.8}, {"violence": 0.8}], ranks=[0, 1, 3], vectors=[[1.0], [2.0], [3.0]])

    taken = found.take(np.array([2, 1]))

    assert taken.ranks.tolist() == [3, 1]
    assert taken.vectors.tolist() == [[3], [2]]
    assert taken.finds("violence").tolist() == [True, False]
    assert taken.grams.shape == (2, 1)
    assert taken.threshold == found.threshold
