"""Files of verdicts and labels below ``data/`` in, one frame of what they add to the corpus out."""

import hashlib
from pathlib import Path

import pandas as pd

from riskmodel.policy import Policy
from training.contract import FIELDS, WEIGHT, Kind
from training.rows import read_bytes, read_labelled

FOLDERS: dict[Kind, Path] = {"verdicts": Path("data/verdicts"), "labels": Path("data/labels")}
ORIGIN, DIGEST, KIND = "origin", "digest", "kind"  # columns: file and line, hash of the line, verdicts or labels
COLUMNS = (*FIELDS, WEIGHT, ORIGIN, DIGEST, KIND)


def added_label_files(root: Path) -> list[Path]:
    """Return the files of verdicts and labels below ``root``: verdicts first, the oldest day first."""
    return [path for folder in FOLDERS.values() for path in sorted((root / folder).glob("*.jsonl"))]


def read_added(root: Path, policy: Policy) -> pd.DataFrame | None:
    """Read and check what was added: every label, and of each escalation the newest verdict; None if there is none.

    Returns:
        Columns ``COLUMNS``. The weights of verdicts keep their proportions but are 1 on average: an audited escalation
        stands for many of the desk's, but the desk as a whole does not drown the corpus.

    Raises:
        DataError: as :func:`training.rows.read_labelled`.
    """
    frames = {kind: _read_folder(root, folder, policy, kind) for kind, folder in FOLDERS.items()}
    verdicts = _newest(frames["verdicts"])
    verdicts = verdicts.assign(weight=verdicts[WEIGHT] / verdicts[WEIGHT].mean())
    every = pd.concat([verdicts, frames["labels"]], ignore_index=True)
    return None if every.empty else every


def _read_folder(root: Path, folder: Path, policy: Policy, kind: Kind) -> pd.DataFrame:
    frames = []
    for path in sorted((root / folder).glob("*.jsonl")):
        frame = read_labelled(path, policy, kind)
        raw = read_bytes(path).split(b"\n")
        frame = frame if kind == "verdicts" else frame.assign(weight=1.0)
        origins = [f"{(folder / path.name).as_posix()}:{line}" for line in frame.index]
        digests = [hashlib.sha256(raw[line - 1]).hexdigest()[:32] for line in frame.index]
        frames.append(frame.assign(origin=origins, digest=digests, kind=kind))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def _newest(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return of each escalation the newest verdict, but for those that were taken back."""
    if verdicts.empty:
        return verdicts
    named = verdicts["id"].str.rsplit(".", n=1, expand=True).reindex(columns=[0, 1])
    order = pd.to_numeric(named[1], errors="coerce").fillna(0).sort_values(kind="stable").index
    newest = verdicts.loc[order].loc[~named.loc[order, 0].duplicated(keep="last")].sort_index()
    return newest[newest[WEIGHT] > 0].reset_index(drop=True)
