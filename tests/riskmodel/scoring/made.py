"""Folders of Parquet files, and what a run made of them."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = (
    "He wrote that he will be at the school gate at eight",
    "Vende pastillas sin receta en Montería",
    "Golpe por telefone em nome do banco, vítimas hoje",
    "Spam comments about shoes",
)


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Return rows of which every seventh is refused, and every fifth carries no id."""
    return [
        {
            "id": None if at % 5 == 4 else f"case-{at}",
            "text": " " if at % 7 == 6 else f"{TEXTS[at % len(TEXTS)]}, {at}",
            "source": "press" if at % 3 == 0 else None,
            "market": "BR" if at % 2 else "MX",
        }
        for at in range(start, start + count)
    ]


def write_parquet(path: Path, made: list[dict[str, Any]], group: int = 100) -> Path:
    """Write rows into a Parquet file, so many to a group of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(made), path, row_group_size=group)
    return path


def part_names(folder: Path) -> list[str]:
    """Return the finished parts of an output by their names, in order."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    return sorted(name for name in names if not name.startswith("_"))


def read_parts(folder: Path, start: str = "") -> pa.Table:
    """Return all rows of those parts of an output whose names begin in a way."""
    return pa.concat_tables([pq.read_table(folder / name) for name in part_names(folder) if name.startswith(start)])


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
