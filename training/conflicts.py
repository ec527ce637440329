"""Rows of one text with different labels in, a file that a person settles out: who says what, and who is right."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from riskmodel.errors import DataError
from training.public.mapping import text_hash
from training.writing import write_lines

CONFLICTS = Path("data/conflicts.jsonl")


@dataclass(frozen=True)
class Saying:
    """What one row says of a text, and who."""

    id: str
    by: str
    origin: str
    source: str | None
    severity: str
    proximity: str
    rating: str
    categories: list[str]

    def agrees(self, other: "Saying") -> bool:
        """Return whether both say the same; a floor may lift a rating from one source and not from another."""
        answers = (self.severity, self.proximity, set(self.categories)) == (
            other.severity,
            other.proximity,
            set(other.categories),
        )
        return answers and (self.rating == other.rating or self.source != other.source)


@dataclass(frozen=True)
class Conflict:
    """Sayings of one text that do not agree; ``settled``: the id of the one that is right, None as long as open."""

    text: str
    says: list[Saying]
    settled: str | None = None

    def left_out(self, corpus: frozenset[str]) -> set[str]:
        """Return the ids that are not learnt from: who disagrees with the right one; while open, all but the corpus."""
        if self.settled is None:
            return {one.id for one in self.says} - corpus
        (right,) = (one for one in self.says if one.id == self.settled)
        return {one.id for one in self.says if not one.agrees(right)}


def find_conflicts(rows: pd.DataFrame, by: Mapping[str, str], settled: Mapping[str, str]) -> list[Conflict]:
    """Return the texts on which rows differ.

    Args:
        rows: the corpus, then what was added, with their origins.
        by: who decided, by origin.
        settled: by text, what was settled before.
    """
    found = []
    for _, same in rows.groupby(rows["text"].map(text_hash), sort=False):
        if len(same) == 1:
            continue
        says = [_saying({str(name): value for name, value in row.items()}, by) for row in same.to_dict("records")]
        if not all(one.agrees(says[0]) for one in says):
            text = str(same["text"].iloc[0])
            right = settled.get(text)
            found.append(Conflict(text, says, right if right in {one.id for one in says} else None))
    return found


def _saying(row: Mapping[str, object], by: Mapping[str, str]) -> Saying:
    origin, source, categories = str(row["origin"]), row["source"], row["categories"]
    assert isinstance(categories, list)
    return Saying(
        id=str(row["id"]),
        by=by.get(origin, ""),
        origin=origin,
        source=source if isinstance(source, str) else None,
        severity=str(row["severity"]),
        proximity=str(row["proximity"]),
        rating=str(row["rating"]),
        categories=categories,
    )


def read_conflicts(root: Path) -> list[Conflict]:
    """Read the conflicts below ``root``, as people have settled them; none where there is no file.

    Raises:
        DataError: naming the line that cannot be used, or that names an id which says nothing there.
    """
    path, found = root / CONFLICTS, list[Conflict]()
    if not path.is_file():
        return found
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                one = Conflict(row["text"], [Saying(**said) for said in row["says"]], row["settled"])
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}:{number} cannot be used: expected settled, text and says.") from error
            names = [said.id for said in one.says]
            if one.settled is not None and one.settled not in names:
                raise DataError(
                    f"{path}:{number} settled: found {one.settled!r}, expected null or one of {', '.join(names)}."
                )
            found.append(one)
    return found


def write_conflicts(root: Path, conflicts: Sequence[Conflict]) -> None:
    """Write the file anew, what is to be settled first; without conflicts there is none."""
    path = root / CONFLICTS
    if not conflicts:
        path.unlink(missing_ok=True)
        return
    first = sorted(conflicts, key=lambda one: one.settled is not None)
    records = [{"settled": one.settled, "text": one.text, "says": [asdict(said) for said in one.says]} for one in first]
    write_lines(path, records)
