from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy
from riskmodel.artifact import FORMAT, Manifest
from riskmodel.errors import SettingsError
from tests.tiny import SPEC
from training.card import END, EVALUATE, OUT_OF_FOLD, START, figures, put, write_card, write_figures
from training.doubt import DoubtFigures, doubt_figures
from training.evaluate import Evaluation, Predicted, evaluate
from training.labels import read_labels

MARK = START.format(EVALUATE)
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
        policy="1.1",
        data_digest="abcdef" * 10 + "0123",
        encoder=SPEC,
        libraries={},
        parameters={},
        trained_on=["data/escalations/train.jsonl: 3056 escalations"],
        metrics={},
        files={},
    )


@pytest.fixture(scope="module")
def doubt() -> dict[str, DoubtFigures]:
    truth = np.array([0, 1, 2, 3])
    return {
        "out of fold": doubt_figures([[], [], ["near critical"], ["near critical"]], np.array([0, 1, 2, 2]), truth),
        "test split": doubt_figures([["unfamiliar text"], [], [], []], np.array([1, 1, 2, 3]), truth),
    }


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(f"{BEFORE}{MARK}\nold figures\n{END}{AFTER}", encoding="utf-8")
    return path


def test_figures_are_put_between_the_marks_and_the_rest_stays(
    readme: Path, manifest: Manifest, evaluations: dict[str, Evaluation]
) -> None:
    write_figures(readme, manifest, evaluations)

    text = readme.read_text(encoding="utf-8")
    assert text.startswith(BEFORE + MARK)
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
        pytest.param(f"# A file\n{MARK}\nno end\n", id="no end"),
        pytest.param(f"# A file\n{END}\n", id="no start"),
        pytest.param(f"# A file\n{END}\n{MARK}\n", id="the wrong way round"),
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
    assert MARK in str(caught.value)
    assert path.read_text(encoding="utf-8") == content


def test_figures_of_another_command_are_put_between_its_own_marks(readme: Path) -> None:
    others = f"{START.format('explain')}\nold\n{END}\n"
    readme.write_text(others + readme.read_text(encoding="utf-8"), encoding="utf-8")
    rest = readme.read_text(encoding="utf-8").removeprefix(others)

    put(readme, "explain", "new\n")

    assert readme.read_text(encoding="utf-8") == f"{START.format('explain')}\nnew\n{END}\n{rest}"


def test_figures_of_a_command_that_a_page_does_not_name_are_refused(readme: Path) -> None:
    with pytest.raises(SettingsError, match="python -m training explain"):
        put(readme, "explain", "new\n")


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
    manifest: Manifest, evaluations: dict[str, Evaluation], doubt: dict[str, DoubtFigures]
) -> None:
    card = write_card(manifest, evaluations, doubt)

    assert card.startswith("# riskmodel 2026.11.22.1\n")
    for told in ("policy 1.1", "tiny", "3056 escalations", "abcdef", "2026-11-22T12:00:00Z", "Not for:", "## Limits"):
        assert told in card
    test, rest = card.split("## Figures out of fold")
    out_of_fold, _ = rest.split("## Doubt")
    assert str(evaluations["riskmodel"].rating["all"]["kappa"]) in test
    assert str(evaluations[OUT_OF_FOLD].rating["all"]["kappa"]) in out_of_fold


@pytest.mark.parametrize(("adapted", "words"), [(True, "adapted with LoRA"), (False, "as it is")])
def test_a_card_tells_whether_the_encoder_was_adapted(
    manifest: Manifest, evaluations: dict[str, Evaluation], doubt: dict[str, DoubtFigures], adapted: bool, words: str
) -> None:
    changed = manifest.model_copy(update={"encoder": SPEC.model_copy(update={"adapted": adapted})})

    assert f"Encoder tiny, {words}, 48 dimensions" in write_card(changed, evaluations, doubt)


def test_a_card_tells_how_often_the_rating_was_wrong_where_each_reason_spoke(
    manifest: Manifest, evaluations: dict[str, Evaluation], doubt: dict[str, DoubtFigures]
) -> None:
    _, told = write_card(manifest, evaluations, doubt).split("## Doubt")

    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines() if line.startswith("|")]
    assert rows[2:] == [
        ["every escalation", "4", "25.0%", "25.0%", "4", "25.0%", "0.0%"],
        ["**accepted**", "2", "0.0%", "0.0%", "3", "0.0%", "0.0%"],
        ["near critical", "2", "50.0%", "50.0%", "0", "", ""],
        ["unfamiliar text", "0", "", "", "1", "100.0%", "0.0%"],
    ]
