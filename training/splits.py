"""A frame in, folds out: groups stay whole, languages and ratings are spread evenly."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

Rows = NDArray[np.int64]


def make_folds(frame: pd.DataFrame, count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return (training rows, held-out rows) of each fold, as positions in the frame."""
    strata = frame["language"] + " " + frame["rating"]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return [(fit, held) for fit, held in splitter.split(frame, strata, frame["group"])]
