"""The files of a project in, checked splits out: the corpus, and what people added to it since.

Frames have the columns of the contract, a weight, and the origin of each row: its file and line.
"""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

import pandas as pd

from riskmodel.errors import DataError, FieldProblem
from riskmodel.policy import Policy
from training.added import FOLDERS, added_label_files, read_added
from training.conflicts import CONFLICTS, read_conflicts
from training.contract import FIELDS, WEIGHT
from training.joining import fold_groups
from training.ledger import LEDGER, read_ledger, unjoined
from training.overlap import NEAR_DUPLICATE_COSINE, near_duplicates, shared_values
from training.rows import raise_if_any, read_bytes, read_labelled

SPLITS = {"train": Path("data/escalations/train.jsonl"), "test": Path("data/escalations/test.jsonl")}


def read_splits(root: Path, policy: Policy) -> dict[str, pd.DataFrame]:
    """Read and check every split below ``root``, and that no split gives another away; what was added goes to train.

    Returns:
        Frames with weight and origin. The lines of train go on through what was added.

    Raises:
        DataError: as :func:`training.rows.read_labelled` and :func:`check_splits`; or if a row was added or changed
            without being joined (``python -m training data add``).
    """
    frames = read_corpus(root, policy)
    added = read_added(root, policy)
    if added is not None:
        frames["train"] = _learnable(root, frames, added)
    return frames


def read_corpus(root: Path, policy: Policy) -> dict[str, pd.DataFrame]:
    """Read the splits as they were written, without anything added.

    Raises:
        DataError: as :func:`training.rows.read_labelled` and :func:`check_splits`.
    """
    frames = {name: read_labelled(root / path, policy) for name, path in SPLITS.items()}
    check_splits(frames, root=root)
    return {
        name: frame.assign(weight=1.0, origin=[f"{SPLITS[name].as_posix()}:{line}" for line in frame.index])
        for name, frame in frames.items()
    }


def learnt_files(root: Path) -> list[Path]:
    """Return every file that decides which labels are learnt: the training split, what was added, what became of it."""
    records = [root / path for path in (LEDGER, CONFLICTS) if (root / path).is_file()]
    return [root / SPLITS["train"], *added_label_files(root), *records]


def _learnable(root: Path, frames: Mapping[str, pd.DataFrame], added: pd.DataFrame) -> pd.DataFrame:
    ledger = read_ledger(root)
    unknown = unjoined(dict(zip(added["origin"], added["digest"], strict=True)), ledger)
    if unknown:
        file = unknown[0].rpartition(":")[0]
        kind = next(name for name, folder in FOLDERS.items() if Path(file).parent == folder)
        raise DataError(
            f"{root / unknown[0]} was added or changed without being compared with the test split "
            f"({len(unknown):,} such rows): run `python -m training data add {kind} {file}`."
        )
    corpus = frames["train"]
    disputed = set[str]().union(*(one.left_out(frozenset(corpus["id"])) for one in read_conflicts(root)))
    learnt = added[[ledger[origin].fate == "learnt" for origin in added["origin"]]]
    # The test split may have grown since they were joined.
    known = {overlap.train_line for overlap in near_duplicates(learnt, frames["test"])}
    every = pd.concat([corpus, learnt.drop(index=list(known))], ignore_index=True)[[*FIELDS, WEIGHT, "origin"]]
    every = every[~every["id"].isin(disputed)]
    like = {ledger[origin].id: ledger[origin].like for origin in learnt["origin"]}
    every = every.assign(group=fold_groups(every, like))
    return every.set_index(pd.RangeIndex(1, len(every) + 1, name="line"))


def check_splits(
    frames: Mapping[str, pd.DataFrame], threshold: float = NEAR_DUPLICATE_COSINE, root: Path = Path()
) -> None:
    """Check that no id, group or near-duplicate text stands in two splits; ``frames`` is keyed as ``SPLITS``.

    Raises:
        DataError: naming both files, both lines and the field of each overlap.
    """
    problems = []
    for (one, train), (other, test) in combinations(frames.items(), 2):
        shared = [*shared_values(train, test, "id"), *shared_values(train, test, "group")]
        for overlap in [*shared, *near_duplicates(train, test, threshold)]:
            where, twin = (
                f"{root / SPLITS[other]}:{overlap.test_line}",
                f"{root / SPLITS[one]}:{overlap.train_line}",
            )
            found, expected = f"the {overlap.field} of {twin}", f"each {overlap.field} in one split only"
            if overlap.field == "text":
                found = f"a near-duplicate of {twin} (cosine {overlap.cosine:.2f})"
                expected = f"a cosine below {threshold:g} to any text of another split"
            problems.append(f"{where} {FieldProblem(overlap.field, found, expected)}")
    raise_if_any(problems)


def data_digest(paths: Iterable[Path]) -> str:
    """Return the SHA-256 (hexadecimal) of the files' bytes, whatever the order in which they are named.

    Raises:
        DataError: naming a file that cannot be read.
    """
    digests = sorted(hashlib.sha256(read_bytes(path)).hexdigest() for path in paths)
    return hashlib.sha256("".join(digests).encode()).hexdigest()
