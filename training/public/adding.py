"""A folder of downloaded public sets in, ``data/public/<name>.jsonl`` out: mapped training rows, none tested on.

Left out are rows of the set's own test part, and rows whose text also stands in the test part of any set in the folder.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.errors import DataError
from training.public.mapping import PUBLIC_SETS, PublicSet, text_hash

ADDED = Path("data/public")
SUFFIX = ".jsonl.gz"


@dataclass(frozen=True)
class Added:
    """What came of a set: its file, rows kept, and those left out.

    ``own_test``: in its own test part, or with the text of one there; ``tested_elsewhere``: in another set's;
    ``doubled``: with the text of a row that is kept.
    """

    path: Path
    kept: int
    own_test: int
    tested_elsewhere: int
    doubled: int


def read_public(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a gzipped file of JSON lines.

    Raises:
        DataError: naming the file and line that cannot be read.
    """
    line = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as rows:
            for raw in rows:
                line += 1
                yield json.loads(raw)
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there: expected one gzipped file of JSON lines for each public set.") from error
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be read after line {line:,}: expected gzipped JSON lines in UTF-8.") from error


def add(name: str, folder: Path, root: Path) -> Added:
    """Map one set from a folder of public sets and write it below ``root``; a file of an earlier run is replaced.

    Raises:
        DataError: if the set is unknown or a file cannot be read.
    """
    if name not in PUBLIC_SETS:
        raise DataError(f"There is no public set {name!r}: expected one of {', '.join(PUBLIC_SETS)}.")
    chosen, out = PUBLIC_SETS[name], root / ADDED / f"{name}.jsonl"
    rows = list(read_public(folder / chosen.file))
    own = {text_hash(chosen.text(row)) for row in rows if chosen.side(row) == "test"}
    tested = tested_texts(folder, beside=name)
    seen: set[int] = set()
    counts = {"own": 0, "elsewhere": 0, "doubled": 0}
    lines = []
    for row in rows:
        text = chosen.text(row)
        key = text_hash(text)
        if key in own:
            counts["own"] += 1
        elif key in tested:
            counts["elsewhere"] += 1
        elif key in seen:
            counts["doubled"] += 1
        else:
            seen.add(key)
            lines.append(json.dumps(_line(chosen, row, text), ensure_ascii=False))
    out.parent.mkdir(parents=True, exist_ok=True)
    work = out.with_suffix(".part")
    work.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    work.replace(out)
    return Added(out, len(lines), counts["own"], counts["elsewhere"], counts["doubled"])


def tested_texts(folder: Path, beside: str = "") -> set[int]:
    """Return the hashes of all texts that a set in the folder is tested on, but for the set ``beside``."""
    by_file = {chosen.file: (name, chosen) for name, chosen in PUBLIC_SETS.items()}
    found: set[int] = set()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        name, chosen = by_file.get(path.name, ("", None))
        if chosen is None:
            found |= {text_hash(row["text"]) for row in read_public(path) if row.get("split", "test") == "test"}
        elif name != beside:
            found |= {text_hash(chosen.text(row)) for row in read_public(path) if chosen.side(row) == "test"}
    return found


def _line(chosen: PublicSet, row: dict[str, Any], text: str) -> dict[str, Any]:
    mapped = chosen.read(row)
    return {"text": text, "language": chosen.language, "categories": mapped.categories, "tasks": mapped.tasks}
