"""ONNX Runtime int8 against sentence-transformers, the same adapted encoder: texts a second, latency, loss of kappa."""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from peft import PeftModel
from sentence_transformers import SentenceTransformer

from riskmodel import Policy, RiskModel, load_model
from riskmodel.artifact import read_manifest
from riskmodel.stages.rating import blend_chances, choose_ranks, table_chances
from training.adapter import load_base
from training.base_encoder import resolve_base
from training.calibrate import believe
from training.fit import ADAPTER
from training.labels import read_labels
from training.metrics import confusion, quadratic_weighted_kappa

ROUNDS = 5
SINGLE_TEXTS = 100


def measure_encoder(folder: Path, test: pd.DataFrame, policy: Policy, cache: Path) -> dict[str, float]:
    """Return texts/s and median latency of both encoders, their ratios, and kappa with the vectors of each."""
    model, texts = load_model(folder, policy), test["text"].tolist()
    many = load_model(folder, policy, across_texts=True).encoder
    torch_model = adapted_sentence_transformer(folder, cache)

    def with_onnx(batch: Sequence[str]) -> object:
        return model.encoder.encode(batch)

    def with_onnx_across_texts(batch: Sequence[str]) -> object:
        return many.encode(batch)

    def with_torch(batch: Sequence[str]) -> object:
        return torch_model.encode(list(batch), batch_size=32, normalize_embeddings=True)

    onnx_rates: list[float] = []
    torch_rates: list[float] = []
    onnx_single: list[float] = []
    torch_single: list[float] = []
    for encode in (with_onnx, with_onnx_across_texts, with_torch):
        encode(texts[:64])
    for _ in range(ROUNDS):
        onnx_rates.append(len(texts) / _seconds(with_onnx_across_texts, texts))
        torch_rates.append(len(texts) / _seconds(with_torch, texts))
        onnx_single += [_seconds(with_onnx, [text]) for text in texts[:SINGLE_TEXTS]]
        torch_single += [_seconds(with_torch, [text]) for text in texts[:SINGLE_TEXTS]]
    int8 = np.stack([encoding.vector for encoding in model.encoder.encode(texts)])
    float32 = torch_model.encode(texts, normalize_embeddings=True)
    kappas = {name: _kappa(model, vectors, test, policy) for name, vectors in (("int8", int8), ("fp32", float32))}
    return {
        "onnx_texts_per_second": round(statistics.median(onnx_rates), 1),
        "sentence_transformers_texts_per_second": round(statistics.median(torch_rates), 1),
        "throughput_ratio": round(statistics.median(a / b for a, b in zip(onnx_rates, torch_rates, strict=True)), 2),
        "onnx_p50_ms": round(statistics.median(onnx_single) * 1e3, 2),
        "sentence_transformers_p50_ms": round(statistics.median(torch_single) * 1e3, 2),
        "latency_ratio": round(statistics.median(torch_single) / statistics.median(onnx_single), 2),
        "kappa_int8": round(kappas["int8"], 4),
        "kappa_fp32": round(kappas["fp32"], 4),
        "kappa_loss": round(kappas["fp32"] - kappas["int8"], 4),
        "mean_cosine": round(float((int8 * float32).sum(axis=1).mean()), 4),
    }


def adapted_sentence_transformer(folder: Path, cache: Path) -> SentenceTransformer:
    """Return a version's encoder as sentence-transformers would serve it, in fp32."""
    spec = read_manifest(folder).encoder
    model = load_base(resolve_base(spec.base, cache))
    if spec.adapted:
        merged = PeftModel.from_pretrained(model[0].auto_model, str(folder / ADAPTER)).merge_and_unload()
        model[0].model = merged
    return model


def _kappa(model: RiskModel, vectors: np.ndarray, test: pd.DataFrame, policy: Policy) -> float:
    labels = read_labels(test, policy)
    lexical = [model.lexical.transform(text) for text in test["text"]]
    logits = np.stack([model.heads.logits(v, x.features, x.values) for v, x in zip(vectors, lexical, strict=True)])
    believed = believe(logits, labels.may_lift)
    chances = blend_chances(table_chances(believed.joint, policy.rating_ranks), believed.direct, model.blend)
    return quadratic_weighted_kappa(confusion(labels.rating, choose_ranks(chances, model.blend)))


def _seconds(encode: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    encode(texts)
    return time.perf_counter() - started
