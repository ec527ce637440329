from pathlib import Path

import pytest

from riskmodel.errors import DataError, SettingsError
from riskmodel.scoring.blocks import LEAST_ROWS, MOST_ROWS, InputFile, cut, look_at, rows_of_block
from riskmodel.scoring.parquet_rows import open_parquet
from tests.riskmodel.scoring.made import rows, write_parquet


def test_a_folder_is_its_parquet_files_by_name_whatever_else_lies_in_it(tmp_path: Path) -> None:
    for name in ("day=2/b.parquet", "day=1/a.parquet", "_work/left.parquet", ".hidden.parquet"):
        write_parquet(tmp_path / name, rows(3))
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / "notes.csv").write_text("text\n")

    assert [(file.name, file.rows) for file in look_at(tmp_path)] == [("day=1/a.parquet", 3), ("day=2/b.parquet", 3)]


def test_blocks_hold_every_row_of_every_file_once_and_none_of_two_files() -> None:
    files = [InputFile(name=name, rows=count, bytes=1, changed=1) for name, count in (("a/x.parquet", 25), ("y", 10))]

    blocks = list(cut(files, 10))

    assert [(block.name, block.before, block.rows) for block in blocks] == [
        ("a/x-00000", 0, 10),
        ("a/x-00001", 10, 10),
        ("a/x-00002", 20, 5),
        ("y-00000", 0, 10),
    ]


def test_a_file_without_rows_has_one_block_so_that_its_output_is_not_missing() -> None:
    (block,) = cut([InputFile(name="x.parquet", rows=0, bytes=1, changed=1)], 10)

    assert (block.name, block.rows) == ("x-00000", 0)


@pytest.mark.parametrize(
    ("count", "workers", "expected"),
    [(10, 8, LEAST_ROWS), (160_000, 10, 1_000), (10**9, 1_000, MOST_ROWS)],
)
def test_the_size_of_a_block_leaves_work_for_all_until_the_end(count: int, workers: int, expected: int) -> None:
    assert rows_of_block([InputFile(name="x", rows=count, bytes=1, changed=1)], workers) == expected


@pytest.mark.parametrize(("before", "count"), [(0, 1_000), (0, 10), (95, 10), (100, 100), (137, 263), (700, 300)])
@pytest.mark.parametrize("group", [100, 1_000])
def test_a_part_of_a_file_is_read_with_the_numbers_of_its_rows(
    group: int, before: int, count: int, tmp_path: Path
) -> None:
    made = rows(1_000)
    path = write_parquet(tmp_path / "in.parquet", made, group)

    with open_parquet(path, before, count) as opened:
        found = list(opened.rows)

    assert [row.number for row in found] == list(range(before + 1, before + count + 1))
    assert [row.fields.get("text") for row in found] == [row["text"] for row in made[before : before + count]]
    assert (opened.total, opened.done()) == (count, count)


def test_what_cannot_be_read_in_blocks_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "in.csv").write_text("text\nsecret\n")
    (tmp_path / "bad.parquet").write_text("secret")
    write_parquet(tmp_path / "in.parquet", [{"Text": "secret"}])

    with pytest.raises(DataError, match="empty holds no"):
        look_at(tmp_path / "empty")
    with pytest.raises(SettingsError, match=r"in\.csv is no \.parquet file and no folder"):
        look_at(tmp_path / "in.csv")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        look_at(tmp_path / "bad.parquet")
    with pytest.raises(DataError, match="no column text: found Text"):
        look_at(tmp_path / "in.parquet")
    with pytest.raises(DataError, match="does not exist"):
        look_at(tmp_path / "nowhere")
