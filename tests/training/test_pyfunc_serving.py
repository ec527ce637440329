"""The logged model as MLflow uses it: `models serve`, `evaluate` and `spark_udf` rate as RiskModel does."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pandas as pd
import pytest

from riskmodel import Policy, RiskModel, read_escalation
from riskmodel.artifact import read_manifest
from riskmodel.errors import SettingsError
from riskmodel.records import RATINGS, Assessment

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # mlflow warns of itself

NOW = datetime(2026, 1, 1, tzinfo=UTC)
START_SECONDS = 60
RECORDS: list[dict[str, Any]] = [
    {"text": "Alguien amenaza con quemar la tienda mañana a las 8", "source": "press", "market": "MX", "id": "one"},
    {"text": "Spam comments about shoes", "source": None, "market": None, "id": "two"},
    {"text": "Golpe do pix em nome do banco, vítimas hoje", "source": "partner", "market": "BR", "id": "three"},
]


@pytest.fixture(scope="module")
def logged(tiny_model: Path, policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the tiny version in a registry, logged as ``python -m training fit`` logs one."""
    import mlflow

    from training.evaluate import Predicted
    from training.fit import Fitted
    from training.labels import Labels
    from training.params import read_params
    from training.tracking import track
    from training.workspace import Workspace

    root = tmp_path_factory.mktemp("a registry")
    ranks = np.array([0, 1, 2, 3])
    test = Predicted(ranks, np.eye(4, dtype=np.float32), np.zeros((4, len(policy.categories)), dtype=bool))
    nothing = np.zeros(4, dtype=np.float32)
    labels = Labels(
        ranks, ranks % 3, ranks, nothing > 0, nothing, test.categories.astype(np.float32), ranks, np.ones_like(nothing)
    )
    fitted = Fitted(tiny_model, read_manifest(tiny_model), test, labels, {})
    alias = track(Workspace(root), fitted, read_params())
    yield f"models:/riskmodel@{alias}"
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where MLflow's server logs."""
    return tmp_path_factory.mktemp("served") / "log"


@pytest.fixture(scope="module")
def address(logged: str, log: Path) -> Iterator[str]:
    """Serve the registered model on a free port."""
    import mlflow

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", logged, "--env-manager", "local"]
    variables = {
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # where it looks for uvicorn
    }
    # Its server is a child of its own, so all of its group is ended.
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | variables,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/ping", process, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait_until_it_answers(ping: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(ping).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def expected(model: RiskModel) -> list[Assessment]:
    return model.assess([read_escalation(record) for record in RECORDS], NOW)


def split(records: list[dict[str, Any]]) -> dict[str, Any]:
    columns = list(records[0])
    return {"columns": columns, "data": [[record[name] for name in columns] for record in records]}


@pytest.mark.parametrize("shape", ["dataframe_split", "dataframe_records"])
def test_it_answers_the_ratings_of_the_model(shape: str, address: str, expected: list[Assessment]) -> None:
    body = split(RECORDS) if shape == "dataframe_split" else RECORDS

    response = httpx2.post(address, json={shape: body}, timeout=30)

    assert response.status_code == 200, response.text
    found = response.json()["predictions"]
    for name in ("id", "rating", "confidence"):
        assert [row[name] for row in found] == [getattr(assessment, name) for assessment in expected]
    assert [row["severity"] for row in found] == [assessment.severity.value for assessment in expected]
    assert [row["proximity"] for row in found] == [assessment.proximity.value for assessment in expected]
    assert [row["category"] for row in found] == [assessment.categories[0].name for assessment in expected]
    assert [row["route"] for row in found] == [assessment.decision.route for assessment in expected]


def test_the_whole_assessment_is_in_the_answer(address: str, expected: list[Assessment]) -> None:
    (row,) = httpx2.post(address, json={"dataframe_records": RECORDS[:1]}, timeout=30).json()["predictions"]

    assessment = Assessment.model_validate_json(row["assessment"])
    assert assessment.explanation == expected[0].explanation
    assert assessment.category_probabilities == expected[0].category_probabilities


def test_a_text_alone_suffices(address: str, expected: list[Assessment]) -> None:
    body = {"dataframe_records": [{"text": RECORDS[1]["text"]}]}

    (row,) = httpx2.post(address, json=body, timeout=30).json()["predictions"]

    assert row["rating"] == expected[1].rating


@pytest.mark.parametrize(
    "row",
    [{"text": "  "}, {"text": "Marisol lost a parcel", "source": "Marisol"}, {"text": "Marisol", "market": "ZZ"}],
)
def test_a_row_that_cannot_be_rated_is_an_error_without_any_text(row: dict[str, str], address: str, log: Path) -> None:
    others = [{"text": "Marisol is not named", **dict.fromkeys(row.keys() - {"text"})}]

    response = httpx2.post(address, json={"dataframe_records": [*others, row]}, timeout=30)

    assert response.status_code == 400
    assert "expected" in response.json()["message"]
    assert "Marisol" not in response.text + log.read_text()


def test_no_rows_have_no_ratings(address: str) -> None:
    response = httpx2.post(address, json={"dataframe_split": {"columns": ["text"], "data": []}}, timeout=30)

    assert (response.status_code, response.json()) == (200, {"predictions": []})


def test_mlflow_evaluates_it_as_a_classifier(logged: str, model: RiskModel, tmp_path: Path) -> None:
    import mlflow

    ratings = [assessment.rating for assessment in model.assess([read_escalation(row) for row in RECORDS], NOW)]
    truth = [*ratings[:2], next(rating for rating in RATINGS if rating != ratings[2])]  # two of three are right
    frame = pd.DataFrame(RECORDS).assign(label=truth)

    with mlflow.start_run():
        found = mlflow.models.evaluate(
            logged, frame, targets="label", model_type="classifier", model_config={"output": "rating"}
        )

    assert found.metrics["accuracy_score"] == pytest.approx(2 / 3)
    assert {"confusion_matrix", "per_class_metrics"} <= found.artifacts.keys()


def test_rows_that_cannot_be_rated_may_be_empty_instead_of_an_end(logged: str, expected: list[Assessment]) -> None:
    import mlflow

    from training.pyfunc import BATCH_ROWS

    loaded = mlflow.pyfunc.load_model(logged, model_config={"refused": "empty"})
    rows = [RECORDS[0], {**RECORDS[1], "text": " "}, *[RECORDS[2]] * BATCH_ROWS]

    found = loaded.predict(pd.DataFrame(rows))

    assert found["rating"].tolist() == [expected[0].rating, "", *[expected[2].rating] * BATCH_ROWS]
    assert pd.isna(found.loc[1, "confidence"])


def test_a_configuration_of_another_value_is_refused_when_it_is_loaded(logged: str) -> None:
    import mlflow

    with pytest.raises(SettingsError, match="model_config output: found 'everything', expected all, id, rating"):
        mlflow.pyfunc.load_model(logged, model_config={"output": "everything"})


def test_spark_rates_a_table_with_it(logged: str, model: RiskModel, tmp_path: Path) -> None:
    """In a process of its own: Spark's libraries lie beside the environment (``make .venv/spark``)."""
    import mlflow

    spark = Path(sys.prefix) / "spark"
    if shutil.which("java") is None or not spark.is_dir():
        pytest.skip("no Java, or no Spark in .venv/spark (make .venv/spark)")
    rows = [{**RECORDS[at % 3], "id": f"case-{at}"} for at in range(200)]
    rows[7]["text"] = " "
    pd.DataFrame(rows).to_parquet(tmp_path / "in.parquet")
    variables = {
        "PYTHONPATH": os.pathsep.join([str(spark), os.environ.get("PYTHONPATH", "")]),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    script = Path(__file__).with_name("spark_job.py")

    done = subprocess.run(
        [sys.executable, script, logged, tmp_path / "in.parquet", tmp_path / "out.parquet"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    found = pd.read_parquet(tmp_path / "out.parquet").set_index("id")
    expected = model.assess([read_escalation(row) for row in rows if row["text"].strip()], NOW)
    assert len(found) == len(rows)
    assert found.loc["case-7", "rating"] == "" and pd.isna(found.loc["case-7", "confidence"])
    for assessment in expected:
        assert found.loc[assessment.id, ["rating", "confidence"]].tolist() == [assessment.rating, assessment.confidence]
