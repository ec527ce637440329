"""``python -m training data add verdicts|labels``: files of labelled rows in, ``data/`` with them joined out.

Files are copied below ``data/``, each row is compared with the corpus, the test split and every other added row, and
what became of it is written down: ``data/joined.jsonl``, and ``data/conflicts.jsonl`` where labels differ.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.artifact import CHAMPION, ENCODER, champion_folder, read_manifest
from riskmodel.errors import DataError
from riskmodel.policy import Policy
from training.added import FOLDERS, read_added
from training.conflicts import CONFLICTS, Conflict, find_conflicts, read_conflicts, write_conflicts
from training.contract import Kind
from training.dataset import data_digest, learnt_files, read_corpus
from training.joining import join
from training.ledger import Joined, read_ledger, write_ledger
from training.overlap import shared_values
from training.progress import progress
from training.rows import read_bytes, read_labelled
from training.vectors import encode_texts
from training.workspace import MODELS, Workspace

ORIGINS = "origins"  # the folder, beside exported verdicts, of who decided and when


@dataclass(frozen=True)
class Added:
    """What came of a run: the fate of every added row, what is disputed, and the digest of all that is learnt now.

    ``compared``: whether an encoder was there to find the same report in other words or another language.
    """

    joined: list[Joined]
    conflicts: list[Conflict]
    compared: bool
    digest: str

    def lines(self) -> Iterator[str]:
        """Tell it, what was left out row by row."""
        fates = Counter(one.fate for one in self.joined)
        grouped = sum(bool(one.like) for one in self.joined if one.fate == "learnt")
        yield f"{len(self.joined):,} rows were added in all; {fates['learnt']:,} can be learnt from."
        yield f"{grouped:,} resemble another row and share its fold."
        for one in self.joined:
            if one.fate == "near test":
                test, cosine = next(iter(one.like.items()), ("a situation of the test split", 1.0))
                yield f"Left out: {one.origin} ({one.id}) is too near to {test} of the test split, cosine {cosine:.2f}."
        if fates["twice"]:
            yield f"Left out: {fates['twice']:,} that say of a text what another row says."
        unsettled = sum(one.settled is None for one in self.conflicts)
        if unsettled:
            yield f"Left out until somebody settles them: {unsettled:,} texts with different labels, {CONFLICTS}."
        if not self.compared:
            yield "No version serves yet: the same report in other words or another language was not looked for."
        yield f"Digest: {self.digest}"


def add_files(
    workspace: Workspace, kind: Kind, files: Sequence[Path], policy: Policy, today: date, by: str = ""
) -> Added:
    """Copy files below ``data/`` and join all that was added, now and before.

    Args:
        workspace: the project.
        kind: ``verdicts`` as the review desk exports them, or ``labels`` in the corpus's format.
        files: of that kind; one that lies in its folder already is compared where it is.
        policy: that they must keep to.
        today: the day that is written down.
        by: who labelled, for files of labels.

    Raises:
        DataError: naming file and line of what cannot be used; then nothing was changed.
    """
    root, folder = workspace.root, FOLDERS[kind]
    for path in files:
        read_labelled(path, policy, kind)
        _refuse_other(root / folder / path.name, path)
    came_from = {(folder / path.name).as_posix(): path.name for path in files}
    frames = read_corpus(root, policy)
    for path in files:
        _copy(path, root / folder / path.name)
        if kind == "verdicts" and (path.parent / ORIGINS / path.name).is_file():
            _copy(path.parent / ORIGINS / path.name, root / folder / ORIGINS / path.name)
    added = read_added(root, policy)
    if added is None:
        write_ledger(root, [])
        write_conflicts(root, [])
        return Added([], [], False, data_digest(learnt_files(root)))
    _refuse_shared_ids(root, frames, added)
    known = read_ledger(root)
    named = {origin: by for origin in added["origin"] if by and origin.rpartition(":")[0] in came_from}
    names = {origin: one.by for origin, one in known.items()} | named | _analysts(root, added)
    vectors = _vectors(workspace, {**frames, "added": added})
    joined = join(frames["train"], frames["test"], added, vectors, names, came_from, known, today)
    settled = {one.text: one.settled for one in read_conflicts(root) if one.settled is not None}
    near_test = {one.origin for one in joined if one.fate == "near test"}
    said = pd.concat([frames["train"], added[~added["origin"].isin(near_test)]], ignore_index=True)
    conflicts = find_conflicts(said, names, settled)
    write_ledger(root, joined)
    write_conflicts(root, conflicts)
    return Added(joined, conflicts, vectors is not None, data_digest(learnt_files(root)))


def _refuse_other(target: Path, given: Path) -> None:
    """Refuse a file whose name stands for other rows already; one that only grew is the same file."""
    if target.exists() and not target.samefile(given) and not read_bytes(given).startswith(read_bytes(target)):
        raise DataError(f"{target} holds other rows than {given}: give the new file another name.")


def _copy(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_suffix(".part")
    work.write_bytes(read_bytes(source))
    work.replace(target)


def _refuse_shared_ids(root: Path, frames: Mapping[str, pd.DataFrame], added: pd.DataFrame) -> None:
    every = added[added["id"].duplicated()]
    if not every.empty:
        raise DataError(f"{root / every['origin'].iloc[0]} id: found the id of another added row, expected its own.")
    for frame in frames.values():
        for shared in shared_values(frame, added, "id"):
            here, twin = added["origin"][shared.test_line], frame["origin"][shared.train_line]
            raise DataError(f"{root / here} id: found the id of {root / twin}, expected its own.")


def _analysts(root: Path, added: pd.DataFrame) -> dict[str, str]:
    """Return who gave each verdict, by origin, where the export's own folder of origins tells."""
    found = dict[str, str]()
    for file, rows in added.groupby(added["origin"].str.rpartition(":")[0]):
        path = root / str(file)
        told = path.parent / ORIGINS / path.name
        if told.is_file():
            lines = [json.loads(line) for line in told.read_text(encoding="utf-8").split("\n") if line]
            by_id = {line["id"]: str(line.get("analyst") or "") for line in lines}
            found |= {origin: by_id.get(name, "") for name, origin in zip(rows["id"], rows["origin"], strict=True)}
    return found


def _vectors(workspace: Workspace, frames: Mapping[str, pd.DataFrame]) -> dict[str, NDArray[np.float32]] | None:
    """Encode each frame's texts with the encoder that serves; None where none does, or it was not rebuilt yet."""
    models = workspace.root / MODELS
    if not (models / CHAMPION).is_file() or not (champion_folder(models) / ENCODER).is_dir():
        return None
    folder = champion_folder(models)
    texts = [text for frame in frames.values() for text in frame["text"]]
    with progress(f"Comparing with the encoder of {folder.name}") as report:
        found = encode_texts(folder / ENCODER, read_manifest(folder).encoder, texts, workspace.cache, report)
    parts = np.split(found, np.cumsum([len(frame) for frame in frames.values()])[:-1])
    return {"corpus" if name == "train" else name: part for name, part in zip(frames, parts, strict=True)}
