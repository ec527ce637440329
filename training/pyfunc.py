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

from riskmodel import load_model, load_policy, read_escalation
from riskmodel.records import Assessment

INPUTS = ("text", "source", "market", "id", "received_at")


class RiskModelFunction(PythonModel):
    """Rates each row of a frame with the column ``text`` and, where known, the other ``INPUTS``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the version's folder, verified."""
        self._model = load_model(Path(context.artifacts["model"]), load_policy())

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return one row a row: rating, confidence, factors, main category, route, and the assessment as JSON.

        Raises:
            EscalationError: naming the field, if a row cannot be rated.
        """
        frame = pd.DataFrame(model_input)
        known = frame[[name for name in INPUTS if name in frame.columns]].astype(object)
        rows = known.where(known.notna(), None).to_dict("records")
        assessments = self._model.assess([read_escalation(row) for row in rows], datetime.now(UTC))
        return pd.DataFrame([_flat(assessment) for assessment in assessments], index=frame.index)


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
