from pathlib import Path

import pytest

from riskmodel.errors import SettingsError
from training.params import SHIPPED_PARAMS, read_params


def edited(folder: Path, old: str, new: str) -> Path:
    text = SHIPPED_PARAMS.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand in the shipped parameters exactly once"
    path = folder / "changed.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read_params(path)
    return str(caught.value)


def test_the_shipped_parameters_can_be_used() -> None:
    found = read_params()

    assert found.name == "riskmodel"
    assert found.encoder.base == "multilingual-e5-small"
    assert found.adapter.tokens <= 512


def test_a_changed_parameter_is_taken(tmp_path: Path) -> None:
    assert read_params(edited(tmp_path, "seed = 7", "seed = 8")).seed == 8


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param("seed = 7", "seed = -1", "seed", id="a negative seed"),
        pytest.param("seed = 7", "seed = 7.5", "seed", id="a fraction as seed"),
        pytest.param("seed = 7", "", "seed", id="no seed"),
        pytest.param("folds = 3", "folds = 1", "folds", id="one fold"),
        pytest.param('name = "riskmodel"', 'name = "Risk Model"', "name", id="a name with a space"),
        pytest.param('base = "multilingual-e5-small"', 'base = ""', "encoder.base", id="no base"),
        pytest.param("window_tokens = 256", "window_tokens = 31", "encoder.window_tokens", id="a small window"),
        pytest.param("window_tokens = 256", "window_tokens = 513", "encoder.window_tokens", id="a large window"),
        pytest.param("adapt = true", 'adapt = "yes"', "encoder.adapt", id="text for a boolean"),
        pytest.param("adapt = true", "adapt = 1", "encoder.adapt", id="a number for a boolean"),
        pytest.param("rank = 16", "rank = 0", "adapter.rank", id="no rank"),
        pytest.param("alpha = 32", "alpha = 0.5", "adapter.alpha", id="a fraction as alpha"),
        pytest.param("epochs = 3", "epochs = 0", "adapter.epochs", id="no epoch"),
        pytest.param("batch = 16", "batch = -16", "adapter.batch", id="a negative batch"),
        pytest.param("\ntokens = 192", "\ntokens = 1000", "adapter.tokens", id="too many tokens"),
        pytest.param("\nlearning_rate = 3e-4", "\nlearning_rate = 0.0", "adapter.learning_rate", id="no learning"),
        pytest.param("\nlearning_rate = 3e-4", "\nlearning_rate = nan", "adapter.learning_rate", id="not a number"),
        pytest.param("\nlearning_rate = 3e-4", "\nlearning_rate = inf", "adapter.learning_rate", id="no end"),
        pytest.param("category_weight = 4.0", "category_weight = -4.0", "adapter.category_weight", id="weight"),
        pytest.param("content_share = 0.7", "content_share = -0.7", "adapter.content_share", id="a negative share"),
        pytest.param("task_weight = 2.0", "task_weight = 0.0", "adapter.task_weight", id="questions of no weight"),
        pytest.param("changed_share = 0.2", "changed_share = 1.0", "adapter.changed_share", id="every text changed"),
        pytest.param("evidence_weight = 0.5", "evidence_weight = -1", "adapter.evidence_weight", id="less than none"),
        pytest.param("float_layers = [4]", "float_layers = [-1]", "encoder.float_layers.0", id="a layer below 0"),
        pytest.param("dense_strength = 1.0", "dense_strength = 0", "heads.dense_strength", id="no strength"),
        pytest.param("lexical_strength = 5.0", 'lexical_strength = "5"', "heads.lexical_strength", id="text"),
        pytest.param("min_documents = 5", "min_documents = 0", "heads.min_documents", id="no document"),
        pytest.param("coverage = 0.9", "coverage = 1.0", "doubt.coverage", id="a whole as share"),
        pytest.param("under_rating = 0.02", "under_rating = 0.0", "doubt.under_rating", id="nothing as share"),
        pytest.param("certainty = 0.95", "certainty = 95", "doubt.certainty", id="a percentage"),
        pytest.param("critical_recall = 0.9", "critical_recal = 0.9", "doubt.critical_recal", id="a slip of the pen"),
        pytest.param("critical_reviewed = 0.95", "critical_reviewed = 95", "doubt.critical_reviewed", id="percents"),
        pytest.param("unfamiliar = 0.02", "unfamiliar = 0.0", "doubt.unfamiliar", id="nothing as unfamiliar"),
        pytest.param("[doubt]", "[doubts]", "doubts", id="an unknown table"),
        pytest.param("seed = 7", "seed = 7\ncolour = 1", "colour", id="an unknown parameter"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named_with_its_file(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = edited(tmp_path, old, new)

    message = refusal(path)

    assert str(path) in message
    assert f"{place}: " in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("content_share = 0.7", "content_share = 0", id="no public content"),
        pytest.param("changed_share = 0.2", "changed_share = 0", id="no text changed"),
        pytest.param("evidence_weight = 0.5", "evidence_weight = 0", id="no evidence learnt"),
        pytest.param("float_layers = [4]", "float_layers = []", id="every layer quantised"),
    ],
)
def test_a_part_of_the_recipe_can_be_left_out(tmp_path: Path, old: str, new: str) -> None:
    assert read_params(edited(tmp_path, old, new)) != read_params()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    path = edited(tmp_path, "seed = 7", "seed = -7")
    path.write_text(path.read_text().replace("rank = 16", "rank = -16"))

    message = refusal(path)

    assert "seed: " in message
    assert "adapter.rank: " in message


@pytest.mark.parametrize("content", [b"seed = ", b"\xff", b"seed = 1\nseed = 2"], ids=["broken off", "bytes", "twice"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "params.toml"
    path.write_bytes(content)

    assert str(path) in refusal(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere.toml") in refusal(tmp_path / "nowhere.toml")
