"""Labelled escalations and parameters in, a complete version folder out.

What takes minutes (adapters, exported encoders, vectors) is kept in ``.cache`` under a key of all that it depends
on, so that a killed run goes on where it was; the version folder appears only when it is whole.
"""

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.artifact import (
    CARD,
    CHAMPION,
    ENCODER,
    FORMAT,
    EncoderSpec,
    Manifest,
    load_encoder,
    load_model,
    seal,
    sha256,
    utc_text,
    write_parts,
    write_probe,
)
from riskmodel.errors import SettingsError
from riskmodel.model import RiskModel
from riskmodel.policy import Policy
from training import adapter as lora
from training.base_encoder import resolve_base
from training.baselines import FROZEN, MAJORITY, TFIDF, predict_frozen, predict_majority, predict_tfidf
from training.card import OUT_OF_FOLD, write_card
from training.dataset import SPLITS, data_digest, read_splits
from training.evaluate import Evaluation, Predicted, evaluate, predict
from training.export import export_encoder
from training.heads import Linear
from training.labels import Labels, read_labels
from training.params import Params
from training.parts import Dense, fit_parts, frozen_dense
from training.progress import progress, say
from training.splits import Rows, make_folds
from training.vectors import encode_texts
from training.vocabulary import digest_of, read_vocabulary

MODELS, CACHE, ADAPTER = "models", ".cache", "adapter"
LIBRARIES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "peft",
    "scikit-learn",
    "onnxruntime",
    "tokenizers",
    "numpy",
)
PROBE_TEXTS = 12


@dataclass(frozen=True)
class Workspace:
    """Where a fit reads and writes: the corpus, the cache, the models."""

    root: Path

    @property
    def cache(self) -> Path:
        """Return the folder of everything that can be made again."""
        return self.root / CACHE

    def version(self, name: str) -> Path:
        """Return the folder of a version."""
        return self.root / MODELS / name


@dataclass(frozen=True)
class Fitted:
    """A new version: its folder, and its figures out of fold and, looked at last, on the test split."""

    folder: Path
    manifest: Manifest
    test: Predicted
    test_labels: Labels
    evaluations: dict[str, Evaluation]


def fit(workspace: Workspace, params: Params, policy: Policy, version: str) -> Fitted:
    """Train a version on the corpus, evaluate it and its baselines, and write its folder.

    Raises:
        SettingsError: if the version exists.
        DataError, EncoderError: from the corpus and the base encoder.
    """
    folder = workspace.version(version)
    if folder.exists():
        raise SettingsError(f"Version {version} exists already in {folder}: choose another with --version.")
    frames = read_splits(workspace.root, policy)
    train, test = frames["train"], frames["test"]
    labels, folds = read_labels(train, policy), make_folds(train, params.folds, params.seed)
    base = resolve_base(params.encoder.base, workspace.cache)
    spec = EncoderSpec(
        base=params.encoder.base,
        adapted=params.encoder.adapt,
        prompt=params.encoder.prompt,
        window_tokens=params.encoder.window_tokens,
        dimensions=_dimensions(base),
        float_layers=params.encoder.float_layers,
        vocabulary=digest_of(read_vocabulary()) if params.encoder.cut_vocabulary else "",
    )
    exported(workspace, base, None, spec)  # the frozen baseline's; first, so that a base is refused before hours
    adapters = adapters_for(workspace, base, train, labels, folds, params) if spec.adapted else []
    encoder = exported(workspace, base, adapters[-1] if adapters else None, spec)
    dense = _dense(workspace, base, encoder, adapters, train, labels, folds, spec, params)
    say("Fitting heads, blend and thresholds")
    parts, unseen = fit_parts(train, labels, dense, folds, params, policy)

    work = folder.with_name(f".{version}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_parts(work, parts)
    if adapters:
        _copy_adapter(adapters[-1], work / ADAPTER, spec.base)
    shutil.copytree(encoder, work / ENCODER)
    write_probe(work, load_encoder(encoder, spec), train["text"].iloc[:PROBE_TEXTS].tolist())
    manifest = Manifest(
        format=FORMAT,
        name=params.name,
        version=version,
        created_at=utc_text(datetime.now(UTC)),
        policy=policy.version,
        data_digest=data_digest([workspace.root / SPLITS["train"]]),
        encoder=spec,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        parameters=params.model_dump(),
        trained_on=[f"{SPLITS['train'].as_posix()}: {len(train)} escalations"],
        metrics={},
        files={},
    )
    out_of_fold = evaluate(Predicted(unseen.ranks, unseen.chances, unseen.categories), train, labels)
    seal(work, manifest)
    say("Looking at the test split, last")
    predicted, evaluations = _evaluate(
        workspace, load_model(work, policy, across_texts=True), base, spec, train, labels, test, policy, params
    )
    evaluations = {OUT_OF_FOLD: out_of_fold, **evaluations}
    manifest = manifest.model_copy(update={"metrics": {k: e.as_record() for k, e in evaluations.items()}})
    (work / CARD).write_text(write_card(manifest, evaluations), encoding="utf-8")
    manifest = seal(work, manifest)
    work.rename(folder)
    return Fitted(folder, manifest, predicted, read_labels(test, policy), evaluations)


def adapters_for(
    workspace: Workspace,
    base: Path,
    train: pd.DataFrame,
    labels: Labels,
    folds: Sequence[tuple[Rows, Rows]],
    params: Params,
) -> list[Path]:
    """Return an adapter for each fold and, last, for all rows; only those the cache lacks are trained."""
    everything = np.arange(len(train))
    jobs = [(f"fold {at} of {len(folds)}", rows) for at, (rows, _) in enumerate(folds, start=1)]
    return [
        _adapter(workspace, base, train.iloc[rows]["text"].tolist(), labels.take(rows), params, name)
        for name, rows in [*jobs, ("all rows", everything)]
    ]


def _adapter(workspace: Workspace, base: Path, texts: list[str], labels: Labels, params: Params, name: str) -> Path:
    recipe = [params.encoder.prompt, params.adapter.model_dump(), params.seed, sha256(base / "model.safetensors")]
    key = hashlib.sha256(json.dumps([recipe, texts]).encode())
    for values in asdict(labels).values():
        key.update(np.ascontiguousarray(values).tobytes())
    out = workspace.cache / "adapters" / key.hexdigest()[:32]
    if not out.is_dir():
        out.parent.mkdir(parents=True, exist_ok=True)
        with progress(f"Adapting the encoder, {name}") as report:
            lora.adapt(
                base,
                texts,
                labels,
                params.encoder.prompt,
                params.adapter,
                params.seed,
                out,
                lambda step, steps, loss: report(step, steps, f"loss {loss:.2f}"),
            )
    return out


def exported(workspace: Workspace, base: Path, adapter: Path | None, spec: EncoderSpec) -> Path:
    """Return the folder of the encoder that serves a base with an adapter, or the base alone; exported once."""
    parts = [sha256(base / "model.safetensors"), str(spec.float_layers), spec.vocabulary]
    if adapter is not None:
        parts.append(sha256(adapter / "adapter_model.safetensors"))
    out = workspace.cache / "encoders" / hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]
    if not out.is_dir():
        say("Exporting the encoder to ONNX, int8")
        listed = read_vocabulary(spec.vocabulary) if spec.vocabulary else None
        export_encoder(base, adapter, spec.float_layers, listed, out)
    return out


def _copy_adapter(source: Path, target: Path, base: str) -> None:
    """Copy what peft needs of an adapter, with the name of its base in place of the folder it lay in here."""
    target.mkdir()
    shutil.copy(source / "adapter_model.safetensors", target)
    config = json.loads((source / "adapter_config.json").read_text(encoding="utf-8"))
    config = {**config, "base_model_name_or_path": base, "target_modules": sorted(config["target_modules"])}
    (target / "adapter_config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def _dense(
    workspace: Workspace,
    base: Path,
    encoder: Path,
    adapters: Sequence[Path],
    train: pd.DataFrame,
    labels: Labels,
    folds: Sequence[tuple[Rows, Rows]],
    spec: EncoderSpec,
    params: Params,
) -> Dense:
    """Encode the training texts; heads are those an adapter was trained with, or logistic regression if none was."""
    texts = train["text"].tolist()
    with progress("Encoding the training texts") as report:
        vectors = encode_texts(encoder, spec, texts, workspace.cache, report)
    if not adapters:
        return frozen_dense(vectors, labels, folds, params.heads.dense_strength, params.seed)
    heads: Linear = lora.read_heads(adapters[-1])
    out_of_fold = np.empty((len(train), len(heads.bias)), dtype=np.float32)
    for at, ((_, held), adapter) in enumerate(zip(folds, adapters[:-1], strict=True), start=1):
        with progress(f"Encoding what fold {at} held out") as report:
            unseen = encode_texts(
                exported(workspace, base, adapter, spec), spec, [texts[row] for row in held], workspace.cache, report
            )
        out_of_fold[held] = lora.read_heads(adapter).logits(unseen)
    return Dense(vectors, heads, out_of_fold)


def _evaluate(
    workspace: Workspace,
    model: RiskModel,
    base: Path,
    spec: EncoderSpec,
    train: pd.DataFrame,
    labels: Labels,
    test: pd.DataFrame,
    policy: Policy,
    params: Params,
) -> tuple[Predicted, dict[str, Evaluation]]:
    test_labels, texts = read_labels(test, policy), test["text"].tolist()
    with progress("Rating the test split") as report:
        predicted, _ = predict(model, test, report)
    with progress("Encoding for the frozen baseline") as report:
        frozen = encode_texts(
            exported(workspace, base, None, spec), spec, [*train["text"], *texts], workspace.cache, report
        )
    baselines = {
        MAJORITY: predict_majority(labels, texts),
        TFIDF: predict_tfidf(train["text"].tolist(), labels, texts, params.seed),
        FROZEN: predict_frozen(frozen[: len(train)], labels, frozen[len(train) :], params.seed),
    }
    found = {"riskmodel": predicted, **baselines}
    return predicted, {name: evaluate(given, test, test_labels) for name, given in found.items()}


def next_version(workspace: Workspace) -> str:
    """Return today's date as a version, with a number behind it."""
    today = datetime.now(UTC).strftime("%Y.%m.%d")
    number = 1
    while workspace.version(name := f"{today}.{number}").exists():
        number += 1
    return name


def name_champion(workspace: Workspace, folder: Path) -> bool:
    """Make a version the one that serves if none is yet; return whether it became so."""
    pointer = workspace.root / MODELS / CHAMPION
    if pointer.exists():
        return False
    pointer.write_text(folder.name + "\n", encoding="utf-8")
    return True


def _dimensions(base: Path) -> int:
    modules = json.loads((base / "modules.json").read_text(encoding="utf-8"))
    config = base / modules[0]["path"] / "config.json"
    return int(json.loads(config.read_text(encoding="utf-8"))["hidden_size"])
