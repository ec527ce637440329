"""Public sets of a few rows, as files in the folder of downloaded sets."""

import gzip
import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]
NO_VOTES = dict.fromkeys(("homophobia", "obscene", "insult", "racism", "misogyny", "xenophobia"), 0)


def write_set(folder: Path, file: str, *rows: Row) -> Path:
    """Write rows as the source gives them; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    return path


def edos_row(text: str = "a comment", category: str = "none", split: str = "train") -> Row:
    label = "not sexist" if category == "none" else "sexist"
    return {"text": text, "label": label, "category": category, "split": split}


def told_row(text: str = "um comentário", **votes: int) -> Row:
    return {"text": text, "labels": NO_VOTES | votes}


def olid_row(*labels: str, text: str = "um comentário", target_type: str = "", split: str = "train") -> Row:
    label = "OFF" if labels else "NOT"
    return {"text": text, "label": label, "labels": list(labels), "target_type": target_type, "split": split}


def convabuse_row(label: float, *labels: str, text: str = "hello bot", split: str = "train") -> Row:
    return {"text": text, "label": label, "labels": list(labels), "split": split}
