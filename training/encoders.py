"""A base, labelled texts and a recipe in, the encoders of a fit out: adapters and what they are exported to.

All of it takes minutes and is kept in the cache under a key of everything that it depends on.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.artifact import EncoderSpec, sha256
from riskmodel.policy import Policy
from training import adapter as lora
from training.examples import Examples, content, join, labelled
from training.export import export_encoder
from training.labels import Labels
from training.params import EncoderParams, Params
from training.progress import Report, progress, say, silent
from training.public.reading import read_content
from training.splits import Rows
from training.vectors import encode_texts
from training.vocabulary import digest_of, read_vocabulary
from training.workspace import Workspace


def spec_of(base: Path, params: EncoderParams) -> EncoderSpec:
    """Say how an encoder of a base folder and a recipe is fed."""
    return EncoderSpec(
        base=params.base,
        adapted=params.adapt,
        prompt=params.prompt,
        window_tokens=params.window_tokens,
        dimensions=_dimensions(base),
        float_layers=params.float_layers,
        vocabulary=digest_of(read_vocabulary()) if params.cut_vocabulary else "",
    )


def adapters_for(
    workspace: Workspace,
    base: Path,
    train: pd.DataFrame,
    labels: Labels,
    folds: Sequence[tuple[Rows, Rows]],
    params: Params,
    policy: Policy,
) -> list[Path]:
    """Return an adapter for each fold and, last, for all rows; only those the cache lacks are trained.

    Public content, where it was added, is beside the escalations of every fold: it holds none of them.
    """
    public = content(read_content(workspace.root, policy.category_names))
    if not len(public):
        say("No public set was added: content is learnt from our escalations alone (python -m training data add).")
    own = labelled(train["text"].tolist(), labels, train["evidence"].tolist())
    jobs = [(f"fold {at} of {len(folds)}", rows) for at, (rows, _) in enumerate(folds, start=1)]
    return [
        _adapter(workspace, base, join(own.take(rows), public), params, name)
        for name, rows in [*jobs, ("all rows", np.arange(len(train)))]
    ]


def _adapter(workspace: Workspace, base: Path, examples: Examples, params: Params, name: str) -> Path:
    recipe = [params.encoder.prompt, params.adapter.model_dump(), params.seed, sha256(base / "model.safetensors")]
    key = hashlib.sha256(json.dumps([recipe, examples.texts, examples.evidence]).encode())
    for field, values in vars(examples).items():
        # weights that are all one change nothing: adapters of before there were weights are still theirs
        if isinstance(values, np.ndarray) and not (field == "weight" and (values == 1).all()):
            key.update(np.ascontiguousarray(values).tobytes())
    out = workspace.cache / "adapters" / key.hexdigest()[:32]
    if not out.is_dir():
        out.parent.mkdir(parents=True, exist_ok=True)
        with progress(f"Adapting the encoder, {name}") as report:
            lora.adapt(
                base,
                examples,
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


def frozen_vectors(
    workspace: Workspace, base: Path, texts: Sequence[str], params: Params, report: Report = silent
) -> NDArray[np.float32]:
    """Return the vectors (n, d) of an encoder that was never adapted."""
    spec = spec_of(base, params.encoder)
    return encode_texts(exported(workspace, base, None, spec), spec, texts, workspace.cache, report)


def _dimensions(base: Path) -> int:
    modules = json.loads((base / "modules.json").read_text(encoding="utf-8"))
    config = base / modules[0]["path"] / "config.json"
    return int(json.loads(config.read_text(encoding="utf-8"))["hidden_size"])
