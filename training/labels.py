"""A frame of labelled escalations in, arrays that the heads learn from out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.policy import Policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES

Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """What n escalations were labelled.

    ``severity``, ``proximity``, ``rating``: (n,) ranks; ``may_lift``: (n,) whether the source is one of the floor's;
    ``floor``: (n,) 1 where the floor lifted the rating, 0 where it did not, NaN where the table's own rating is so
    high that it cannot be told; ``categories``: (n, c) 0 or 1; ``main_category``: (n,) position of the main one;
    ``weight``: (n,) how many escalations a row stands for, among its like; 1 for the corpus.
    """

    severity: Ranks
    proximity: Ranks
    rating: Ranks
    may_lift: NDArray[np.bool_]
    floor: NDArray[np.float32]
    categories: NDArray[np.float32]
    main_category: Ranks
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rating)

    def take(self, rows: NDArray[np.int64]) -> "Labels":
        """Return the labels of some rows."""
        return Labels(**{name: values[rows] for name, values in vars(self).items()})


def read_labels(frame: pd.DataFrame, policy: Policy) -> Labels:
    """Turn a validated frame of n rows into arrays."""
    severity = _ranks(frame["severity"], SEVERITIES)
    proximity = _ranks(frame["proximity"], PROXIMITIES)
    rating = _ranks(frame["rating"], RATINGS)
    may_lift = frame["source"].isin(policy.floor.sources).to_numpy()
    plain, lifted = policy.rating_ranks[severity, proximity].T
    floor = np.where(rating > plain, 1.0, np.where(may_lift & (plain >= lifted), np.nan, 0.0))
    names = policy.category_names
    categories = np.array([[name in row for name in names] for row in frame["categories"]], dtype=np.float32)
    main = np.array([names.index(row[0]) for row in frame["categories"]], dtype=np.int64)
    weight = frame["weight"].to_numpy(np.float32) if "weight" in frame else np.ones(len(frame), dtype=np.float32)
    return Labels(severity, proximity, rating, may_lift, floor.astype(np.float32), categories, main, weight)


def _ranks(column: "pd.Series[str]", order: tuple[str, ...]) -> Ranks:
    return np.array([order.index(value) for value in column], dtype=np.int64)
