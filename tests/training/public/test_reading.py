"""Public sets that were added, read back as texts with masked labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riskmodel.errors import DataError
from tests.training.public.made import edos_row, told_row, write_set
from training.public.adding import add
from training.public.mapping import PUBLIC_SETS
from training.public.reading import added_files, read_content

NAMES = ("violence", "hate", "none")


def write_added(root: Path, name: str, *rows: dict[str, Any]) -> Path:
    path = root / "data" / "public" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def row(text: str, categories: dict[str, float], tasks: dict[str, float]) -> dict[str, Any]:
    return {"text": text, "language": "en", "categories": categories, "tasks": tasks}


def test_without_the_folder_there_is_nothing(tmp_path: Path) -> None:
    found = read_content(tmp_path, NAMES)

    assert len(found) == 0
    assert found.categories.shape == (0, 3)
    assert found.tasks.shape == (0, 0)
    assert found.counts == {}
    assert added_files(tmp_path) == []


def test_what_a_row_does_not_say_is_masked_and_what_it_says_keeps_its_chance(tmp_path: Path) -> None:
    write_added(tmp_path, "edos", row("one", {"hate": 0.1}, {}), row("two", {"none": 0.0, "violence": 1.0}, {}))

    found = read_content(tmp_path, NAMES)

    nan = np.nan
    np.testing.assert_array_equal(found.categories, np.array([[nan, 0.1, nan], [1, nan, 0]], dtype=np.float32))
    assert found.tasks.shape == (2, 0)


def test_the_questions_of_one_set_are_masked_in_the_rows_of_another(tmp_path: Path) -> None:
    write_added(tmp_path, "told_br", row("dois", {}, {"told.insult": 1 / 3}))
    write_added(tmp_path, "edos", row("one", {}, {"edos.threats": 1.0}), row("two", {}, {"edos.sexist": 0.0}))

    found = read_content(tmp_path, NAMES)

    nan = np.nan
    assert found.texts == ["one", "two", "dois"]
    assert found.counts == {"edos": 2, "told_br": 1}
    expected = np.array([[nan, 1, nan], [0, nan, nan], [nan, nan, 1 / 3]], dtype=np.float32)
    np.testing.assert_array_equal(found.tasks, expected)


def test_what_was_added_is_read_back(tmp_path: Path) -> None:
    separated = "two\u2028lines\x85in one text"
    write_set(tmp_path / "from", PUBLIC_SETS["edos"].file, edos_row(separated, "2. derogation"))
    add("edos", tmp_path / "from", tmp_path)

    found = read_content(tmp_path, NAMES)

    assert found.texts == [separated]
    np.testing.assert_array_equal(found.categories, np.array([[np.nan, 1, 0]], dtype=np.float32))


def test_a_set_of_which_nothing_was_kept_adds_nothing(tmp_path: Path) -> None:
    write_set(tmp_path / "from", PUBLIC_SETS["edos"].file, edos_row("one", split="test"))
    write_set(tmp_path / "from", PUBLIC_SETS["told_br"].file, *(told_row(f"texto {n}") for n in range(20)))
    add("edos", tmp_path / "from", tmp_path)
    kept = add("told_br", tmp_path / "from", tmp_path).kept

    assert read_content(tmp_path, NAMES).counts == {"edos": 0, "told_br": kept}


@pytest.mark.parametrize(
    "broken",
    ['{"text": "cut', '{"text": "one", "tasks": {}}', '{"text": "one", "categories": 1, "tasks": {}}', "[]", ""],
    ids=["cut short", "no categories", "a number as categories", "no object", "an empty line"],
)
def test_a_line_that_cannot_be_used_is_named_with_what_to_do(tmp_path: Path, broken: str) -> None:
    path = write_added(tmp_path, "edos", row("one", {}, {}))
    path.write_text(path.read_text() + broken + "\n")

    with pytest.raises(DataError, match=r"edos\.jsonl:2 cannot be read: add the set again"):
        read_content(tmp_path, NAMES)
