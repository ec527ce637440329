"""What became of each added row in, ``data/joined.jsonl`` out, and back: where it came from, its fate, its like."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from riskmodel.errors import DataError
from training.writing import write_lines

LEDGER = Path("data/joined.jsonl")
Fate = Literal["learnt", "near test", "twice"]


@dataclass(frozen=True)
class Joined:
    """Where an added row came from and what became of it.

    Attributes:
        id: of the row.
        origin: file below the root, and line.
        digest: of the line, so that a changed row is not taken for the one that was checked.
        came_from: the file that was given to ``data add``.
        by: who decided: an analyst's name from the export, or who was named with ``--by``; empty where nobody was.
        added: the day.
        fate: ``learnt``; ``near test``, left out since a test text is nearly the same; ``twice``, left out since
            another row says the same of the same text.
        like: id and cosine of rows that it resembles, the nearest first; they are kept in one fold.
    """

    id: str
    origin: str
    digest: str
    came_from: str
    by: str
    added: str
    fate: Fate
    like: dict[str, float]


def read_ledger(root: Path) -> dict[str, Joined]:
    """Return what was joined below ``root``, by the origin of each row; empty where nothing was.

    Raises:
        DataError: naming the line that cannot be used.
    """
    path, found = root / LEDGER, dict[str, Joined]()
    if not path.is_file():
        return found
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                one = Joined(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise DataError(f"{path}:{number} cannot be used: run `python -m training data add` again.") from error
            found[one.origin] = one
    return found


def write_ledger(root: Path, joined: Iterable[Joined]) -> None:
    """Write the ledger anew; it appears whole or not at all."""
    write_lines(root / LEDGER, (asdict(one) for one in joined))


def unjoined(origins: Mapping[str, str], ledger: Mapping[str, Joined]) -> list[str]:
    """Return the origins, given with the digests of their lines, that the ledger does not know or knows otherwise."""
    return [name for name, digest in origins.items() if name not in ledger or ledger[name].digest != digest]
