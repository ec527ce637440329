"""A model folder in; what every peer serves out: its encoder in sentence-transformers, and heads of scikit-learn.

Made once and kept in a folder: ``encoder/`` as sentence-transformers saves it (base and adapter merged, fp32) and
``heads.joblib``, a logistic regression each for severity, proximity and rating, fit on vectors of the training split.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import torch
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

HEADS = ("severity", "proximity", "rating")
THREADS = "BENCHMARK_TORCH_THREADS"
AT_ONCE = "BENCHMARK_AT_ONCE"  # read by the FastAPI route alone
BATCH = "BENCHMARK_BATCH"
FOLDER = "BENCHMARK_OBJECTS"
DOCUMENTED_BATCH = 32  # of SentenceTransformer.encode, where nobody says otherwise


@dataclass(frozen=True)
class Objects:
    """Encoder and heads; less than the service does: no language, categories, explanation, calibration or storage."""

    encoder: SentenceTransformer
    heads: dict[str, LogisticRegression]
    batch: int = DOCUMENTED_BATCH

    def predict(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return rating, severity and proximity of each text, and the probabilities of all ratings."""
        vectors = self.encoder.encode(
            list(texts), batch_size=self.batch, normalize_embeddings=True, show_progress_bar=False
        )
        answers: list[dict[str, object]] = [{} for _ in texts]
        for name, head in self.heads.items():
            classes, chances = head.classes_.tolist(), head.predict_proba(vectors)
            for answer, row in zip(answers, chances, strict=True):
                answer[name] = classes[int(row.argmax())]
                if name == "rating":
                    answer["probabilities"] = dict(zip(classes, row.tolist(), strict=True))
        return answers


def load(folder: Path | None = None) -> Objects:
    """Load what ``make`` kept, with the threads and the batch that the environment says."""
    folder = folder or Path(os.environ[FOLDER])
    torch.set_num_threads(int(os.environ[THREADS]))
    encoder = SentenceTransformer(str(folder / "encoder"), device="cpu", local_files_only=True)
    objects = Objects(encoder, joblib.load(folder / "heads.joblib"), int(os.environ[BATCH]))
    objects.predict(["warm-up"])
    return objects


def make(folder: Path, encoder: SentenceTransformer, texts: list[str], labels: dict[str, list[str]]) -> None:
    """Fit the heads on n texts and write both; ``labels`` has n of each head."""
    work = folder.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=True)
    heads = {name: LogisticRegression(C=10.0, max_iter=1000).fit(vectors, labels[name]) for name in HEADS}
    encoder.save(str(work / "encoder"))
    joblib.dump(heads, work / "heads.joblib")
    work.rename(folder)
