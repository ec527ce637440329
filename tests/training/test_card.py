from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.artifact import FORMAT, Manifest
from riskmodel.errors import SettingsError
from tests.tiny import SPEC
from training.card import END, OUT_OF_FOLD, START, figures, write_card, write_figures
from training.evaluate import Evaluation, Predicted, evaluate
from training.labels import read_labels

BEFORE, AFTER = "# riskmodel\n\nWhat it is. é 😀\n\n", "\n\n## Retraining\n\n| a | table |\n"


@pytest.fixture(scope="module")
def evaluations(train_frame: pd.DataFrame, policy: Policy) -> dict[str, Evaluation]:
    frame = train_frame.iloc[::20]
    draw, labels = np.random.default_rng(0), read_labels(frame, policy)
    found = {}
    for name, right in ((OUT_OF_FOLD, 0.6), ("riskmodel", 0.9), ("majority", 0.1), ("TF-IDF", 0.5)):
        ranks = np.where(draw.random(len(frame)) < right, labels.rating, draw.integers(0, 4, len(frame)))
        chances = np.full((len(frame), 4), 0.25, dtype=np.float32)
        found[name] = evaluate(Predicted(ranks, chances, labels.categories > 0), frame, labels)
    return found


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        format=FORMAT,
        name="riskmodel",
        version="2026.11.22.1",
        created_at="2026-11-22T12:00:00Z",
        policy="1.0",
        data_digest="abcdef" * 10 + "0123",
        encoder=SPEC,
        libraries={},
        parameters={},
        trained_on=["data/escalations/train.jsonl: 3056 escalations"],
        metrics={},
        files={},
    )


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(f"{BEFORE}{START}\nold figures\n{END}{AFTER}", encoding="utf-8")
    return path


def test_figures_are_put_between_the_marks_and_the_rest_stays(
    readme: Path, manifest: Manifest, evaluations: dict[str, Evaluation]
) -> None:
    write_figures(readme, manifest, evaluations)

    text = readme.read_text(encoding="utf-8")
    assert text.startswith(BEFORE + START)
    assert text.endswith(END + AFTER)
    assert "old figures" not in text
    assert "2026.11.22.1" in text
    assert str(evaluations["riskmodel"].rating["field"]["kappa"]) in text


def test_figures_written_twice_stand_there_once(
    readme: Path, manifest: Manifest, evaluations: dict[str, Evaluation]
) -> None:
    write_figures(readme, manifest, evaluations)
    once = readme.read_bytes()

    write_figures(readme, manifest, evaluations)

    assert readme.read_bytes() == once


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("# A file\n", id="no marks"),
        pytest.param(f"# A file\n{START}\nno end\n", id="no end"),
        pytest.param(f"# A file\n{END}\n", id="no start"),
        pytest.param(f"# A file\n{END}\n{START}\n", id="the wrong way round"),
    ],
)
def test_a_file_without_a_place_for_figures_is_refused_and_left_as_it_is(
    tmp_path: Path, manifest: Manifest, evaluations: dict[str, Evaluation], content: str
) -> None:
    path = tmp_path / "README.md"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError) as caught:
        write_figures(path, manifest, evaluations)

    assert str(path) in str(caught.value)
    assert START in str(caught.value)
    assert path.read_text(encoding="utf-8") == content


def test_figures_of_the_test_split_show_the_model_by_language_and_each_baseline(
    manifest: Manifest, evaluations: dict[str, Evaluation]
) -> None:
    lines = figures(manifest, evaluations).splitlines()

    started = [line for line in lines if line.startswith("| ") and not line.startswith(("| model", "| ---"))]
    assert [line.split(" | ")[:2] for line in started] == [
        *(["| riskmodel", part] for part in ("all", "field", "contrast", "en", "es", "pt")),
        *([f"| {name}", part] for name in ("majority", "TF-IDF") for part in ("all", "field", "contrast")),
    ]
    assert not any(OUT_OF_FOLD in line for line in lines)


def test_a_card_tells_what_the_version_is_what_it_was_trained_on_and_how_well_it_does(
    manifest: Manifest, evaluations: dict[str, Evaluation]
) -> None:
    card = write_card(manifest, evaluations)

    assert card.startswith("# riskmodel 2026.11.22.1\n")
    for told in ("policy 1.0", "tiny", "3056 escalations", "abcdef", "2026-11-22T12:00:00Z", "Not for:", "## Limits"):
        assert told in card
    test, out_of_fold = card.split("## Figures out of fold")
    assert str(evaluations["riskmodel"].rating["all"]["kappa"]) in test
    assert str(evaluations[OUT_OF_FOLD].rating["all"]["kappa"]) in out_of_fold


@pytest.mark.parametrize(("adapted", "words"), [(True, "adapted with LoRA"), (False, "as it is")])
def test_a_card_tells_whether_the_encoder_was_adapted(
    manifest: Manifest, evaluations: dict[str, Evaluation], adapted: bool, words: str
) -> None:
    changed = manifest.model_copy(update={"encoder": SPEC.model_copy(update={"adapted": adapted})})

    assert f"Encoder tiny, {words}, 48 dimensions" in write_card(changed, evaluations)
