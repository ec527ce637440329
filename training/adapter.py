"""A base encoder and examples in, a LoRA adapter and the linear heads it was trained with out.

The encoder is a SentenceTransformer, the adapter is peft's. Severity, proximity, rating and floor are learnt by
cross-entropy, the categories by binary cross-entropy, all on the mean-pooled unit vector times ``VECTOR_SCALE``. Two
more read-outs only shape the encoder and are thrown away: public sets' own questions, and where the evidence stands,
token by token.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from riskmodel.errors import EncoderError
from riskmodel.stages.heads import columns
from training.batches import Batch, Batches
from training.examples import UNKNOWN, Examples
from training.heads import Linear
from training.params import AdapterParams
from training.progress import quiet_libraries

ADAPTED_LAYERS = ["query", "key", "value", "dense"]
VECTOR_SCALE = 10.0  # a unit vector is too short for a head to be sure of anything
WARM_UP = 0.1  # of all steps, and more than one of them: torch divides by nought in a warm-up of exactly one
HEADS_FILE = "heads.npz"

Progress = Callable[[int, int, float], None]


class _Readouts(nn.Module):
    """The model's own heads; and, for training only, the tasks' on the vector and the evidence's on tokens."""

    def __init__(self, dimensions: int, categories: int, tasks: int) -> None:
        super().__init__()
        self.heads = nn.Linear(dimensions, columns(0)["floor"].stop + categories)
        self.tasks = nn.Linear(dimensions, tasks) if tasks else None
        self.evidence = nn.Linear(dimensions, 1)


def load_base(base: Path) -> SentenceTransformer:
    """Load a sentence-transformers folder on the CPU, without a word about it."""
    quiet_libraries()
    return SentenceTransformer(str(base), device="cpu", local_files_only=True)


def transformer_of(model: SentenceTransformer) -> PreTrainedModel:
    """Return the transformer inside a SentenceTransformer, tokens in, token states out."""
    module = model[0]
    if not isinstance(module, Transformer):
        raise EncoderError(f"The base encoder begins with {type(module).__name__}, expected a Transformer module.")
    transformer: PreTrainedModel = module.auto_model
    return transformer


def adapt(
    base: Path, examples: Examples, prompt: str, params: AdapterParams, seed: int, out: Path, progress: Progress
) -> Linear:
    """Train an adapter and write it to a new folder ``out``, in peft's format, with its heads.

    Args:
        base: the folder of the base encoder.
        examples: labelled escalations, and public content or none.
        prompt: stands before every text.
        params: the recipe.
        seed: of the adapter's start, the order of batches, the changes of texts and dropout.
        out: appears only when training is complete.
        progress: called with (step, steps, loss) after every step.
    """
    with _seeded(seed):
        model = load_base(base)
        transformer_of(model).add_adapter(
            LoraConfig(r=params.rank, lora_alpha=params.alpha, target_modules=ADAPTED_LAYERS)
        )
        batches = Batches(
            examples,
            model.tokenizer,
            prompt=prompt,
            size=params.batch,
            longest=params.tokens,
            epochs=params.epochs,
            content_share=params.content_share,
            changed_share=params.changed_share,
            seed=seed,
        )
        dimensions = model.get_embedding_dimension() or 0
        readouts = _Readouts(dimensions, examples.categories.shape[1], examples.tasks.shape[1])
        _train(model, readouts, batches, examples, params, progress)
    heads = readouts.heads
    linear = Linear(
        VECTOR_SCALE * heads.weight.detach().numpy().T.astype(np.float32), heads.bias.detach().numpy().copy()
    )
    work = out.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    transformer_of(model).save_pretrained(work)
    np.savez(work / HEADS_FILE, weights=linear.weights, bias=linear.bias)
    work.rename(out)
    return linear


def read_heads(folder: Path) -> Linear:
    """Read the heads that an adapter was trained with."""
    with np.load(folder / HEADS_FILE, allow_pickle=False) as arrays:
        return Linear(arrays["weights"], arrays["bias"])


def _train(
    model: SentenceTransformer,
    readouts: _Readouts,
    batches: Batches,
    examples: Examples,
    params: AdapterParams,
    progress: Progress,
) -> None:
    adapter = [weights for weights in model.parameters() if weights.requires_grad]
    rates = [params.learning_rate, params.head_learning_rate]
    optimizer = torch.optim.AdamW(
        [{"params": adapter, "lr": rates[0]}, {"params": list(readouts.parameters()), "lr": rates[1]}],
        weight_decay=0.01,
    )
    warm_up = min(0.9, max(WARM_UP, 1.5 / len(batches)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=len(batches), pct_start=warm_up)
    model.train()
    for step, batch in enumerate(batches, start=1):
        with torch.autocast("cpu", torch.bfloat16):
            encoded = model(batch.features)
        loss = _loss(readouts, encoded, batch, examples.take(batch.rows), params)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*adapter, *readouts.parameters()], 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        progress(step, len(batches), loss.item())
    model.eval()


def _loss(
    readouts: _Readouts, encoded: dict[str, torch.Tensor], batch: Batch, told: Examples, params: AdapterParams
) -> torch.Tensor:
    vectors = VECTOR_SCALE * encoded["sentence_embedding"].float()
    logits: torch.Tensor = readouts.heads(vectors)
    at, share = columns(logits.shape[1]), len(told)
    weight = torch.from_numpy(told.weight)
    loss = params.category_weight * _binary(logits[:, at["categories"]], torch.from_numpy(told.categories), weight)
    loss = loss + _binary(logits[:, at["floor"]], torch.from_numpy(told.floor)[:, None], weight)
    for name in ("severity", "proximity", "rating"):
        truth = torch.from_numpy(getattr(told, name))
        if (truth != UNKNOWN).any():
            each = functional.cross_entropy(logits[:, at[name]], truth, ignore_index=UNKNOWN, reduction="none")
            loss = loss + (weight * each).sum() / share
    if readouts.tasks is not None:
        loss = loss + params.task_weight * _binary(readouts.tasks(vectors), torch.from_numpy(told.tasks), weight)
    if params.evidence_weight:
        states = encoded["token_embeddings"].float()
        loss = loss + params.evidence_weight * _binary(readouts.evidence(states)[..., 0], batch.marks, weight)
    return loss


def _binary(logits: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return the mean binary cross-entropy over what is told, each row by its weight; NaN is not told."""
    known = ~truth.isnan()
    if not known.any():
        return logits.sum() * 0
    rows = weight[:, None].expand(known.shape)[known]
    return functional.binary_cross_entropy_with_logits(logits[known], truth[known], weight=rows)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generators that torch and peft draw from, and put them back."""
    state = random.getstate()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)
