import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.errors import SettingsError
from riskmodel.records import RATINGS
from training.__main__ import main
from training.data_report import count_categories, count_ratings, draw
from training.dataset import SPLITS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def frames() -> dict[str, pd.DataFrame]:
    train = pd.DataFrame(
        {
            "language": ["en", "en", "pt"],
            "rating": ["critical", "critical", "low"],
            "categories": [["violence", "hate"], ["hate"], ["none"]],
        }
    )
    test = pd.DataFrame({"language": ["es"], "rating": ["low"], "categories": [["none"]]})
    return {"train": train, "test": test}


def test_ratings_are_counted_from_low_to_critical_with_the_zeros(frames: dict[str, pd.DataFrame]) -> None:
    counts = count_ratings(frames)

    assert list(counts["name"].unique()) == list(RATINGS)
    assert len(counts) == 4 * 3 * 2
    found = counts[counts["count"] > 0].set_index(["name", "language", "split"])["count"].to_dict()
    assert found == {("low", "es", "test"): 1, ("low", "pt", "train"): 1, ("critical", "en", "train"): 2}


def test_an_escalation_counts_in_each_of_its_categories_and_none_comes_last(frames: dict[str, pd.DataFrame]) -> None:
    counts = count_categories(frames)

    assert counts.groupby("name", sort=False)["count"].sum().to_dict() == {"hate": 2, "violence": 1, "none": 2}
    assert list(counts["name"].unique()) == ["hate", "violence", "none"]


def test_the_picture_is_a_png_in_a_folder_made_for_it(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    path = tmp_path / "new" / "data.png"

    draw(frames, path)

    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_refused_by_name(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"data\.gif"):
        draw(frames, tmp_path / "data.gif")
    with pytest.raises(SettingsError, match=r"file/data\.png"):
        draw(frames, tmp_path / "file" / "data.png")


def test_the_command_prints_the_counts_and_draws_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "data.png"

    with pytest.raises(SystemExit) as ended:
        main(["data", "--root", str(ROOT), "--picture", str(picture)])

    assert ended.value.code == 0
    assert "6,418" in capsys.readouterr().out
    assert picture.exists()


def test_the_command_names_a_broken_line_on_stderr_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = tmp_path / SPLITS["train"]
    train.parent.mkdir(parents=True)
    train.write_text("{}\n", encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        main(["data", "--root", str(tmp_path)])

    told = capsys.readouterr()
    assert ended.value.code == 1
    assert f"{train}:1 id: found no such field" in told.err
    assert told.out == ""


def test_the_command_ends_without_a_traceback_and_loads_no_library_that_only_fitting_needs(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from training.__main__ import main\n"
        "try: main(['data', '--root', sys.argv[1]])\n"
        "finally: print(sorted({'torch', 'mlflow', 'transformers'} & set(sys.modules)))\n"
    )

    command = [sys.executable, "-c", code, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert run.stderr.startswith("Error: ") and "Traceback" not in run.stderr
    assert run.stdout.strip() == "[]"
