"""Predictions in, pictures out: confusion matrix and reliability diagram."""

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.records import RATINGS
from training.metrics import BINS, Matrix

SCALE = 2  # pixels a point


def draw_confusion(matrix: Matrix, title: str, path: Path) -> None:
    """Draw a (4, 4) confusion matrix, rows the truth; colour is the share of the true rating."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    cells = pd.DataFrame(
        [
            {"true": true, "given": given, "count": int(matrix[r, c]), "share": float(shares[r, c])}
            for r, true in enumerate(RATINGS)
            for c, given in enumerate(RATINGS)
        ]
    )
    base = alt.Chart(cells).encode(
        x=alt.X("given:N", sort=list(RATINGS), title="rating given", axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("true:N", sort=list(reversed(RATINGS)), title="true rating"),
    )
    fill = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), title="share of the true rating")
    )
    numbers = base.mark_text(fontSize=15).encode(
        text="count:Q", color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#222"))
    )
    _save((fill + numbers).properties(width=320, height=320, title=title), path)


def draw_reliability(confidence: NDArray[np.float32], right: NDArray[np.bool_], title: str, path: Path) -> None:
    """Draw accuracy against confidence (n,) in ten bins; the size of a point is the number of escalations in it."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    points = pd.DataFrame({"confidence": confidence, "right": right.astype(float), "bin": bins})
    points = points.groupby("bin").agg(
        confidence=("confidence", "mean"), accuracy=("right", "mean"), escalations=("right", "size")
    )
    share = alt.Scale(domain=[0, 1])
    diagonal = alt.Chart(pd.DataFrame({"x": [0, 1], "y": [0, 1]})).mark_line(strokeDash=[5, 4], color="#888")
    marks = alt.Chart(points).mark_circle(color="#1f5fa8", opacity=1)
    line = alt.Chart(points).mark_line(color="#1f5fa8")
    where = {
        "x": alt.X("confidence:Q", scale=share, title="confidence (mean of the bin)"),
        "y": alt.Y("accuracy:Q", scale=share, title="share of ratings that are right"),
    }
    size = alt.Size("escalations:Q", scale=alt.Scale(range=[40, 500]), title="escalations")
    chart = diagonal.encode(x="x:Q", y="y:Q") + line.encode(**where) + marks.encode(**where, size=size)
    _save(chart.properties(width=380, height=320, title=title), path)


def _save(chart: alt.LayerChart, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.configure_title(anchor="start", fontSize=15).configure_axis(labelFontSize=12, titleFontSize=12).save(
        str(path), scale_factor=SCALE
    )
