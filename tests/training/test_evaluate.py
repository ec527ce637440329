import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.artifact import FORMAT, Manifest
from riskmodel.records import LANGUAGES
from tests.tiny import SPEC
from training.evaluate import TITLES, Evaluation, Predicted, evaluate, markdown, slices, tabulate_slices
from training.labels import read_labels


def guessed(frame: pd.DataFrame, policy: Policy, right: float = 0.7) -> tuple[Predicted, Evaluation]:
    """Return predictions that are right so often, and their figures."""
    draw, labels = np.random.default_rng(0), read_labels(frame, policy)
    ranks = np.where(draw.random(len(frame)) < right, labels.rating, draw.integers(0, 4, len(frame)))
    chances = np.full((len(frame), 4), 0.1, dtype=np.float32)
    chances[np.arange(len(frame)), ranks] = 0.7
    predicted = Predicted(ranks, chances, labels.categories > 0)
    return predicted, evaluate(predicted, frame, labels)


@pytest.fixture(scope="module")
def frame(train_frame: pd.DataFrame) -> pd.DataFrame:
    return train_frame.iloc[::15]


@pytest.fixture(scope="module")
def evaluation(frame: pd.DataFrame, policy: Policy) -> Evaluation:
    return guessed(frame, policy)[1]


def test_every_slice_is_reported_with_its_rows(evaluation: Evaluation, frame: pd.DataFrame) -> None:
    rows = evaluation.rows

    assert list(rows) == ["all", "field", "contrast", "posts", *LANGUAGES]
    assert rows["all"] == len(frame) == sum(rows[name] for name in LANGUAGES)
    assert rows["all"] == rows["field"] + rows["contrast"] + rows["posts"]
    assert all(set(figures) == set(TITLES) for figures in evaluation.rating.values())


def test_figures_are_those_of_the_slice(frame: pd.DataFrame, policy: Policy, evaluation: Evaluation) -> None:
    predicted, _ = guessed(frame, policy)
    labels = read_labels(frame, policy)

    for name, mask in slices(frame).items():
        right = float((predicted.ranks == labels.rating)[mask].mean())
        assert evaluation.rating[name]["accuracy"].value == pytest.approx(right)


def test_categories_that_are_all_right_have_an_f1_of_one(evaluation: Evaluation) -> None:
    assert evaluation.categories == {"micro_f1": 1.0, "macro_f1": 1.0}


def test_confidence_is_the_chance_of_the_rating_given() -> None:
    chances = np.array([[0.6, 0.2, 0.1, 0.1], [0.4, 0.1, 0.2, 0.3]], dtype=np.float32)

    found = Predicted(np.array([0, 3]), chances, np.zeros((2, 15), dtype=bool)).confidence

    assert found.tolist() == pytest.approx([0.6, 0.3])


def test_an_evaluation_comes_back_from_its_record(evaluation: Evaluation) -> None:
    assert Evaluation.from_record(evaluation.as_record()) == evaluation


def test_an_evaluation_comes_back_from_json(evaluation: Evaluation) -> None:
    assert Evaluation.from_record(json.loads(json.dumps(evaluation.as_record(), allow_nan=False))) == evaluation


def a_manifest(evaluation: Evaluation) -> Manifest:
    return Manifest(
        format=FORMAT,
        name="riskmodel",
        version="1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        policy="1.0",
        data_digest="0" * 64,
        encoder=SPEC,
        libraries={},
        parameters={},
        trained_on=[],
        metrics={"riskmodel": evaluation.as_record()},
        files={},
    )


def test_an_evaluation_comes_back_from_a_manifest(evaluation: Evaluation) -> None:
    written = a_manifest(evaluation).model_dump_json()

    read = Manifest.model_validate(json.loads(written)).metrics["riskmodel"]

    assert Evaluation.from_record(read) == evaluation


def test_figures_that_are_not_known_come_back_from_a_manifest_too(frame: pd.DataFrame, policy: Policy) -> None:
    calm = frame[frame["rating"] != "critical"]
    _, evaluation = guessed(calm, policy)
    assert np.isnan(evaluation.rating["all"]["critical_recall"].value)

    written = a_manifest(evaluation).model_dump_json()
    read = Evaluation.from_record(Manifest.model_validate(json.loads(written)).metrics["riskmodel"])

    assert str(read.rating["all"]["critical_recall"]) == str(evaluation.rating["all"]["critical_recall"])
    assert read.rating["all"]["accuracy"] == evaluation.rating["all"]["accuracy"]


def test_flat_figures_carry_slice_and_name(evaluation: Evaluation) -> None:
    found = evaluation.flat("test")

    assert found["test.field.kappa"] == evaluation.rating["field"]["kappa"].value
    assert found["test.categories.micro_f1"] == 1.0
    assert len(found) == 7 * len(TITLES) + 2


def test_a_table_has_a_line_for_each_model_and_slice_and_as_many_cells_as_heads(evaluation: Evaluation) -> None:
    lines = markdown({"ours": evaluation, "theirs": evaluation}, ["all", "field"]).splitlines()

    assert len({line.count("|") for line in lines}) == 1
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| ours", "| ours", "| theirs", "| theirs"]
    assert str(evaluation.rating["all"]["kappa"]) in lines[2]
    assert "1.000 | 1.000" in lines[2]
    assert "1.000 | 1.000" not in lines[3]


def test_a_table_for_the_terminal_has_a_row_for_each_slice(evaluation: Evaluation) -> None:
    assert tabulate_slices(evaluation, "title").row_count == len(evaluation.rows)


def test_a_corpus_without_contrast_units_can_be_reported(frame: pd.DataFrame, policy: Policy) -> None:
    field = frame[slices(frame)["field"]]
    _, evaluation = guessed(field, policy)

    found = markdown({"ours": evaluation}, ["all", "field", "contrast", "posts", *LANGUAGES])

    assert "contrast" not in evaluation.rows
    assert str(evaluation.rating["field"]["kappa"]) in found
