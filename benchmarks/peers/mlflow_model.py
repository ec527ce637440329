"""A frame of texts in, a frame of ratings out: the same objects as MLflow serves them ("models from code")."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from benchmarks.peers.objects import load


class Function(PythonModel):
    """Rates each row of a frame with the column ``text``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load encoder and heads."""
        self._objects = load(Path(context.artifacts["objects"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, object]]:
        """Return one answer a row."""
        return self._objects.predict(model_input["text"].tolist())


set_model(Function())
