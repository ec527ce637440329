"""Labelled escalations and parameters in, a complete version folder out.

What takes minutes (adapters, exported encoders, vectors) is kept in ``.cache`` under a key of all that it depends
on, so that a killed run goes on where it was; the version folder appears only when it is whole.
"""

import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
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
    utc_text,
    write_parts,
    write_probe,
)
from riskmodel.errors import SettingsError
from riskmodel.model import RiskModel
from riskmodel.policy import Policy
from riskmodel.records import Assessment
from riskmodel.reference import count, write_reference
from training import adapter as lora
from training.added import FOLDERS
from training.base_encoder import resolve_base
from training.baselines import FROZEN, MAJORITY, TFIDF, predict_frozen, predict_majority, predict_tfidf
from training.card import OUT_OF_FOLD, write_card
from training.dataset import SPLITS, data_digest, learnt_files, read_splits
from training.doubt import doubt_figures
from training.encoders import adapters_for, exported, frozen_vectors, spec_of
from training.evaluate import Evaluation, Predicted, evaluate, predict
from training.heads import Linear
from training.labels import Labels, read_labels
from training.params import Params
from training.parts import Dense, familiarity, fit_form, fit_parts, frozen_dense
from training.progress import progress, say
from training.public.mapping import PUBLIC_SETS
from training.public.reading import added_files, read_content
from training.splits import Rows, make_folds
from training.units import is_post
from training.vectors import encode_texts
from training.workspace import MODELS, Workspace

ADAPTER = "adapter"
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
    spec = spec_of(base, params.encoder)
    exported(workspace, base, None, spec)  # the frozen baseline's; first, so that a base is refused before hours
    adapters = adapters_for(workspace, base, train, labels, folds, params, policy) if spec.adapted else []
    encoder = exported(workspace, base, adapters[-1] if adapters else None, spec)
    dense = _dense(workspace, base, encoder, adapters, train, labels, folds, spec, params)
    say("Fitting heads, blend and thresholds")
    parts, unseen = fit_parts(train, labels, dense, folds, params, policy)

    work = folder.with_name(f".{version}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_parts(work, parts)
    with progress("Encoding the test split, for later comparison") as report:
        held_out = encode_texts(encoder, spec, test["text"].tolist(), workspace.cache, report)
    write_reference(work, count(unseen.said), held_out)
    if adapters:
        _copy_adapter(adapters[-1], work / ADAPTER, spec.base)
    shutil.copytree(encoder, work / ENCODER)
    write_probe(work, load_encoder(encoder, spec), train["text"].iloc[:PROBE_TEXTS].tolist())
    manifest = Manifest(
        format=FORMAT,
        name=params.name,
        version=version,
        created_at=utc_text(datetime.now(UTC)),
        policy=policy.rating_version,
        data_digest=data_digest(_files(workspace.root, spec.adapted)),
        encoder=spec,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        parameters=params.model_dump(),
        trained_on=_trained_on(workspace.root, train, policy, spec.adapted),
        metrics={},
        files={},
    )
    out_of_fold = evaluate(Predicted(unseen.ranks, unseen.chances, unseen.categories), train, labels)
    seal(work, manifest)
    say("Looking at the test split, last")
    predicted, assessments, evaluations = _evaluate(
        workspace, load_model(work, policy, across_texts=True), base, spec, train, labels, test, policy, params
    )
    evaluations = {OUT_OF_FOLD: out_of_fold, **evaluations}
    doubt = {
        "out of fold": doubt_figures(unseen.decisions, unseen.ranks, labels.rating),
        "test split": doubt_figures(
            [assessment.decision.reasons for assessment in assessments],
            predicted.ranks,
            read_labels(test, policy).rating,
        ),
    }
    manifest = manifest.model_copy(
        update={
            "metrics": {name: found.as_record() for name, found in evaluations.items()},
            "doubt": {name: found.as_record() for name, found in doubt.items()},
        }
    )
    (work / CARD).write_text(write_card(manifest, evaluations, doubt), encoding="utf-8")
    manifest = seal(work, manifest)
    work.rename(folder)
    return Fitted(folder, manifest, predicted, read_labels(test, policy), evaluations)


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
        posts = is_post(train).to_numpy(dtype=bool)
        return frozen_dense(vectors, labels, posts, folds, params.heads.dense_strength, params.seed)
    heads: Linear = lora.read_heads(adapters[-1])
    out_of_fold = np.empty((len(train), len(heads.bias)), dtype=np.float32)
    familiar, found_content = np.empty(len(train), dtype=np.float32), np.empty(len(train), dtype=bool)
    posts = is_post(train).to_numpy(dtype=bool)
    for at, ((fit, held), adapter) in enumerate(zip(folds, adapters[:-1], strict=True), start=1):
        with progress(f"Encoding with the encoder of fold {at}") as report:
            found = encode_texts(exported(workspace, base, adapter, spec), spec, texts, workspace.cache, report)
        out_of_fold[held] = lora.read_heads(adapter).logits(found[held])
        familiar[held] = familiarity(found[held], found[fit])
        found_content[held] = fit_form(found[fit], posts[fit]).is_content(found[held])
    return Dense(vectors, heads, out_of_fold, familiar, found_content)


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
) -> tuple[Predicted, list[Assessment], dict[str, Evaluation]]:
    test_labels, texts = read_labels(test, policy), test["text"].tolist()
    with progress("Rating the test split") as report:
        predicted, assessments = predict(model, test, report)
    with progress("Encoding for the frozen baseline") as report:
        frozen = frozen_vectors(workspace, base, [*train["text"], *texts], params, report)
    baselines = {
        MAJORITY: predict_majority(labels, texts),
        TFIDF: predict_tfidf(train["text"].tolist(), labels, texts, params.seed),
        FROZEN: predict_frozen(frozen[: len(train)], labels, frozen[len(train) :], params.seed),
    }
    found = {"riskmodel": predicted, **baselines}
    return predicted, assessments, {name: evaluate(given, test, test_labels) for name, given in found.items()}


def _files(root: Path, adapted: bool) -> list[Path]:
    """Return every file that a version learns from."""
    return [*learnt_files(root), *(added_files(root) if adapted else [])]


def _trained_on(root: Path, train: pd.DataFrame, policy: Policy, adapted: bool) -> list[str]:
    """Say what a version has learnt from, line by line, with the licences of what is not ours."""
    files = [Path(origin.rpartition(":")[0]) for origin in train["origin"]]
    lines = [f"{SPLITS['train'].as_posix()}: {files.count(SPLITS['train'])} escalations"]
    folders = [file.parent for file in files]
    lines += [
        f"{folder.as_posix()}: {folders.count(folder)} {kind}" for kind, folder in FOLDERS.items() if folder in folders
    ]
    counts = read_content(root, policy.category_names).counts if adapted else {}
    for name, texts in counts.items():
        known = PUBLIC_SETS[name]
        lines.append(f"{known.source} ({known.licence}): {texts} texts, for categories and encoder only")
    return lines


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
