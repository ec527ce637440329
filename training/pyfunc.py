"""The registered model as MLflow loads it: a frame of escalations in, a frame of ratings out.

MLflow runs this file as the model's code ("models from code"), so nothing is pickled. The version's folder is the
artifact ``model``; every hash of its manifest is checked at loading.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from riskmodel import Escalation, load_model, load_policy, read_escalation
from riskmodel.errors import EscalationError, SettingsError
from riskmodel.records import Assessment

INPUTS = ("text", "source", "market", "id", "received_at")
OUTPUTS = ("id", "rating", "confidence", "severity", "proximity", "category", "route", "assessment")
# What `model_config` of load_model, evaluate and spark_udf may set. ``output``: ``all``, or the one of OUTPUTS that is
# wanted, for callers that take no table. ``refused``: whether a row that cannot be rated is an ``error`` or ``empty``.
CONFIG = {"output": "all", "refused": "error"}
CHOICES = {"output": ("all", *OUTPUTS), "refused": ("error", "empty")}
# Not None, which Spark would make the text "nan".
EMPTY: dict[str, object] = {name: float("nan") if name == "confidence" else "" for name in OUTPUTS}
BATCH_ROWS = 64  # the states of a batch's tokens, 1.5 KB each, are in memory together; Spark sends 10,000 rows


class RiskModelFunction(PythonModel):
    """Rates each row of a frame with the column ``text`` and, where known, the other ``INPUTS``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the version's folder, verified.

        Raises:
            SettingsError: if the configuration has another value than ``CHOICES``.
        """
        config = CONFIG | dict(context.model_config or {})
        for name, value in config.items():
            if value not in CHOICES.get(name, ()):
                allowed = ", ".join(CHOICES.get(name, ())) or f"none of that name but {', '.join(CHOICES)}"
                raise SettingsError(f"model_config {name}: found {value!r}, expected {allowed}.")
        self._output, self._refused = config["output"], config["refused"]
        self._model = load_model(Path(context.artifacts["model"]), load_policy())

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame | pd.Series:
        """Return one row a row: rating, confidence, factors, main category, route, and the assessment as JSON.

        Raises:
            EscalationError: naming the field, if a row cannot be rated and ``refused`` is ``error``.
        """
        frame = pd.DataFrame(model_input)
        known = frame[[name for name in INPUTS if name in frame.columns]].astype(object)
        rows = known.where(known.notna(), None).to_dict("records")
        now, found = datetime.now(UTC), list[dict[str, object]]()
        for start in range(0, len(rows), BATCH_ROWS):
            found += self._rate([self._read(row) for row in rows[start : start + BATCH_ROWS]], now)
        answer = pd.DataFrame(found, index=frame.index, columns=list(OUTPUTS) if found else None)
        return answer if self._output == "all" or not found else answer[self._output]

    def _read(self, row: dict[Any, Any]) -> Escalation | None:
        try:
            return read_escalation(row)
        except EscalationError:
            if self._refused == "error":
                raise
            return None

    def _rate(self, escalations: list[Escalation | None], now: datetime) -> list[dict[str, object]]:
        assessments = iter(self._model.assess([one for one in escalations if one is not None], now))
        return [EMPTY if one is None else _flat(next(assessments)) for one in escalations]


def _flat(assessment: Assessment) -> dict[str, object]:
    return {
        "id": assessment.id,
        "rating": assessment.rating,
        "confidence": assessment.confidence,
        "severity": assessment.severity.value,
        "proximity": assessment.proximity.value,
        "category": assessment.categories[0].name,
        "route": assessment.decision.route,
        "assessment": assessment.model_dump_json(),
    }


set_model(RiskModelFunction())
