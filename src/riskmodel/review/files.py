"""Exported verdicts in; files by day that are appended to out, and, in a folder of their own, who decided and when."""

import json
from collections.abc import Iterable
from pathlib import Path

from riskmodel.errors import CasebookError
from riskmodel.review.export import Exported, jsonl

ORIGINS = "origins"  # the folder of who and when, beside the files


def known_ids(target: Path) -> set[str]:
    """Return the ids of the verdicts that stand in the files of a folder, or in a file, already.

    Raises:
        CasebookError: if a file there is not one of ours.
    """
    files = sorted(target.glob("*.jsonl")) if target.is_dir() else [target] if target.exists() else []
    known = set()
    for path in files:
        try:
            with path.open(encoding="utf-8") as file:
                known |= {str(json.loads(line)["id"]) for line in file}
        except (OSError, ValueError, KeyError, TypeError):
            raise CasebookError(f"{path} cannot be read: expected lines that an export wrote. Put it right.") from None
    return known


def write(target: Path, found: Iterable[Exported]) -> int:
    """Append verdicts to the file of their day in a folder, or to one file, and return how many.

    The row comes last: one whose origin was written before a crash is written again, with its origin.

    Raises:
        CasebookError: if a file cannot be written.
    """
    count = 0
    for one in found:
        path = target if target.suffix == ".jsonl" else target / f"{one.day.isoformat()}.jsonl"
        try:
            _append(path.parent / ORIGINS / path.name, jsonl(one.origin))
            _append(path, jsonl(one.row))
        except OSError as error:
            raise CasebookError(f"{path} cannot be written: {error.strerror}.") from None
        count += 1
    return count


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line)
