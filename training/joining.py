"""The corpus and added rows in, what becomes of each out: learnt, left out since it gives a test away, or said twice.

What resembles a row (nearly the same words; or, by the encoder that serves, the same report in other words or in
another language) is kept in one fold with it, so that no figure out of fold is of a text that was learnt.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from training.ledger import Fate, Joined
from training.overlap import Overlap, near_duplicates, near_vectors, shared_values
from training.public.mapping import text_hash

FloatArray = NDArray[np.float32]
MOST_LIKE = 10  # of what a row resembles, that are written down


def join(
    corpus: pd.DataFrame,
    test: pd.DataFrame,
    added: pd.DataFrame,
    vectors: Mapping[str, FloatArray] | None,
    by: Mapping[str, str],
    came_from: Mapping[str, str],
    before: Mapping[str, Joined],
    today: date,
) -> list[Joined]:
    """Return what becomes of each added row.

    Args:
        corpus: the training split.
        test: the test split.
        added: with origin and digest.
        vectors: of each frame's texts by one encoder, (n, d) unit vectors keyed ``corpus``, ``test``, ``added``; None
            where no encoder serves yet: then only nearly the same words are found.
        by: who decided, by origin, where it is known.
        came_from: by file below the root, the file that was given for it now.
        before: what was joined earlier, by origin: its day, and what is not told anew, stay.
        today: the day of what is new.
    """
    rows = added.set_index(pd.RangeIndex(len(added)))
    learnable = pd.concat([corpus, rows], ignore_index=True)
    tested = test.reset_index(drop=True)
    gives_away = [*near_duplicates(tested, rows), *shared_values(tested, rows, "group")]
    alike = near_duplicates(learnable, rows)
    if vectors is not None:
        gives_away += near_vectors(vectors["test"], vectors["added"])
        alike += near_vectors(np.concatenate([vectors["corpus"], vectors["added"]]), vectors["added"])
    itself = range(len(corpus), len(learnable))
    near_test = _likes(gives_away, tested["id"].tolist())
    likes = _likes([one for one in alike if one.train_line != itself[one.test_line]], learnable["id"].tolist())
    twice = _twice(learnable, len(corpus))
    joined = []
    for at, (name, origin, digest) in enumerate(zip(rows["id"], rows["origin"], rows["digest"], strict=True)):
        fate: Fate = "near test" if at in near_test else "twice" if at in twice else "learnt"
        known, file = before.get(origin), origin.rpartition(":")[0]
        joined.append(
            Joined(
                id=name,
                origin=origin,
                digest=digest,
                came_from=came_from.get(file, known.came_from if known else file),
                by=by.get(origin, known.by if known else ""),
                added=known.added if known and known.digest == digest else today.isoformat(),
                fate=fate,
                like=near_test.get(at, likes.get(at, {})),
            )
        )
    return joined


def fold_groups(rows: pd.DataFrame, like: Mapping[str, Mapping[str, float]]) -> "pd.Series[str]":
    """Return the group of each row, one for all that resemble one another, whatever their own groups are.

    Args:
        rows: with id and group.
        like: by id, the ids that it resembles.
    """
    at = {name: position for position, name in enumerate(rows["id"])}
    links = [(at[one], at[other]) for one, others in like.items() if one in at for other in others if other in at]
    groups, names = pd.factorize(rows["group"])
    first = rows["group"].drop_duplicates().to_numpy()
    ends = groups[np.array(links, dtype=np.int64).reshape(-1, 2)]
    graph = sparse.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
    _, component = connected_components(graph, directed=False)
    _, leader = np.unique(component, return_index=True)  # the first group of each, which is the corpus's where any is
    found: pd.Series[str] = pd.Series(first[leader[component[groups]]], index=rows.index, dtype="str")
    return found


def _twice(learnable: pd.DataFrame, corpus_rows: int) -> set[int]:
    """Return the added rows, counted from 0, whose text and labels an earlier row has too."""
    said = [
        (
            text_hash(row["text"]),
            str(row["source"]),
            row["severity"],
            row["proximity"],
            row["rating"],
            *row["categories"],
        )
        for row in learnable.to_dict("records")
    ]
    seen, found = set[tuple[object, ...]](), set[int]()
    for at, one in enumerate(said):
        if at >= corpus_rows and one in seen:
            found.add(at - corpus_rows)
        seen.add(one)
    return found


def _likes(alike: list[Overlap], names: list[str]) -> dict[int, dict[str, float]]:
    """Return, by added row, the ids of the rows that it resembles with the cosine, the nearest first."""
    found: dict[int, dict[str, float]] = {}
    for one in sorted(alike, key=lambda one: -one.cosine):
        of_row = found.setdefault(one.test_line, {})
        if len(of_row) < MOST_LIKE:
            of_row.setdefault(names[one.train_line], round(one.cosine, 3))
    return found
