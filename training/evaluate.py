"""A model and labelled escalations in, a table of figures out: overall, by slice, beside three baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.table import Table
from scipy.stats import beta

from riskmodel.model import RiskModel
from riskmodel.records import LANGUAGES, RATINGS, Assessment, read_escalation
from training.labels import Labels
from training.metrics import Interval, category_f1, rating_figures
from training.progress import Report, silent
from training.units import is_contrast, is_post

FloatArray = NDArray[np.float32]
BATCH_TEXTS = 64
SEED = 2026  # of the bootstrap: the same resamples for every model, so that they can be compared
TITLES = {
    "kappa": "weighted kappa",
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "critical_recall": "recall of critical",
    "critical_missed": "critical rated low or medium",
    "calibration_error": "calibration error",
}


@dataclass(frozen=True)
class Predicted:
    """What a model said of n escalations: ``ranks`` (n,), ``chances`` (n, 4), ``categories`` (n, c) decided."""

    ranks: NDArray[np.int64]
    chances: FloatArray
    categories: NDArray[np.bool_]

    @property
    def confidence(self) -> FloatArray:
        """Return (n,) chances that the rating is right."""
        return self.chances[np.arange(len(self.ranks)), self.ranks]


@dataclass(frozen=True)
class Evaluation:
    """Figures of one model on one set: the rating's by slice, the number of rows of each, the categories'."""

    rating: dict[str, dict[str, Interval]]
    rows: dict[str, int]
    categories: dict[str, float]

    def flat(self, prefix: str) -> dict[str, float]:
        """Return plain figures, as MLflow keeps them."""
        found = {f"{prefix}.categories.{name}": value for name, value in self.categories.items()}
        for slice_name, figures in self.rating.items():
            found |= {f"{prefix}.{slice_name}.{name}": figure.value for name, figure in figures.items()}
        return found

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Take back what :meth:`as_record` returned."""
        rating = {
            part: {name: Interval(**_map(figure, None, float("nan"))) for name, figure in figures.items()}
            for part, figures in record["rating"].items()
        }
        return cls(rating, dict(record["rows"]), dict(record["categories"]))

    def as_record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        rating = {
            part: {name: _map(asdict(figure), float("nan"), None) for name, figure in figures.items()}
            for part, figures in self.rating.items()
        }
        return {"rows": self.rows, "rating": rating, "categories": self.categories}


def _map(figure: Mapping[str, float | None], old: float | None, new: float | None) -> dict[str, Any]:
    """Replace what cannot be told: NaN among numbers, null in JSON."""
    missing = {name for name, value in figure.items() if value is old or (old is not None and value != value)}
    return {name: new if name in missing else value for name, value in figure.items()}


def slices(frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Return the parts of a frame that are reported apart, as masks."""
    contrast, post = is_contrast(frame).to_numpy(dtype=bool), is_post(frame).to_numpy(dtype=bool)
    found = {"all": np.ones(len(frame), dtype=bool), "field": ~contrast & ~post, "contrast": contrast, "posts": post}
    found |= {language: (frame["language"] == language).to_numpy(dtype=bool) for language in LANGUAGES}
    return {name: mask for name, mask in found.items() if mask.any()}


def evaluate(predicted: Predicted, frame: pd.DataFrame, labels: Labels) -> Evaluation:
    """Return the figures of predictions on the rows of a frame."""
    groups = pd.factorize(frame["group"])[0].astype(np.int64)
    parts = slices(frame)
    rating = {
        name: rating_figures(labels.rating[mask], predicted.ranks[mask], predicted.confidence[mask], groups[mask], SEED)
        for name, mask in parts.items()
    }
    rows = {name: int(mask.sum()) for name, mask in parts.items()}
    return Evaluation(rating, rows, category_f1(labels.categories > 0, predicted.categories))


def predict(model: RiskModel, frame: pd.DataFrame, report: Report = silent) -> tuple[Predicted, list[Assessment]]:
    """Let a model assess every row of a frame, as the service would."""
    rows = frame[["text", "source", "market", "id"]].to_dict("records")
    escalations = [read_escalation(row) for row in rows]
    now, found = datetime.now(UTC), list[Assessment]()
    for start in range(0, len(escalations), BATCH_TEXTS):
        found += model.assess(escalations[start : start + BATCH_TEXTS], now)
        report(len(found), len(escalations), "")
    return as_predicted(found, model.policy.category_names), found


def accepted_line(assessments: Sequence[Assessment], labels: Labels) -> str:
    """Say how many ratings would stand without a person, and how many of these lie below the truth."""
    accepted = np.array([assessment.decision.route == "auto" for assessment in assessments])
    ranks = np.array([RATINGS.index(assessment.rating) for assessment in assessments])
    n, low, right = int(accepted.sum()), ranks < labels.rating, ranks == labels.rating
    if not n:
        return "Accepted without a person: none."
    k = int(low[accepted].sum())
    bound = float(beta.ppf(0.95, k + 1, n - k)) if k < n else 1.0
    return (
        f"Accepted without a person: {n} of {len(accepted)} ({n / len(accepted):.1%}); "
        f"right {right[accepted].mean():.1%}, "
        f"rated too low {k} ({k / n:.1%}, at most {bound:.1%} with 95% certainty)."
    )


def as_predicted(assessments: Sequence[Assessment], names: Sequence[str]) -> Predicted:
    """Return the arrays behind assessments."""
    decided = [{category.name for category in assessment.categories} for assessment in assessments]
    return Predicted(
        ranks=np.array([RATINGS.index(assessment.rating) for assessment in assessments], dtype=np.int64),
        chances=np.array([[a.probabilities[rating] for rating in RATINGS] for a in assessments], dtype=np.float32),
        categories=np.array([[name in row for name in names] for row in decided]),
    )


def tabulate_slices(evaluation: Evaluation, title: str) -> Table:
    """Return the figures of one model by slice, for a terminal."""
    table = Table(title=title)
    table.add_column("slice")
    table.add_column("n", justify="right")
    for name in TITLES.values():
        table.add_column(name, justify="right")
    for part, figures in evaluation.rating.items():
        table.add_row(part, str(evaluation.rows[part]), *(str(figures[name]) for name in TITLES))
    return table


def markdown(evaluations: Mapping[str, Evaluation], parts: Sequence[str]) -> str:
    """Return a Markdown table: one line for each model and slice, the figures with their intervals."""
    heads = ["model", "slice", "n", *TITLES.values(), "categories, micro-F1", "categories, macro-F1"]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for model, evaluation in evaluations.items():
        for part in (name for name in parts if name in evaluation.rating):
            figures = [str(evaluation.rating[part][name]) for name in TITLES]
            whole = part == "all"
            categories = [f"{evaluation.categories[name]:.3f}" if whole else "" for name in ("micro_f1", "macro_f1")]
            lines.append(f"| {' | '.join([model, part, str(evaluation.rows[part]), *figures, *categories])} |")
    return "\n".join(lines) + "\n"
