"""Records in, a file of JSON lines out that appears whole or not at all."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, as it can be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_suffix(".part")
    work.write_text("".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records), encoding="utf-8")
    work.replace(path)
