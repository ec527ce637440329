"""A base encoder and labelled texts in, a LoRA adapter and the linear heads it was trained with out.

The encoder is a SentenceTransformer, the adapter is peft's. Severity, proximity, rating and floor are learnt by
cross-entropy, the categories by binary cross-entropy, all on the mean-pooled unit vector times ``VECTOR_SCALE``.
"""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from riskmodel.errors import EncoderError
from riskmodel.stages.heads import columns
from training.heads import Linear
from training.labels import Labels
from training.params import AdapterParams
from training.progress import quiet_libraries

ADAPTED_LAYERS = ["query", "key", "value", "dense"]
VECTOR_SCALE = 10.0  # a unit vector is too short for a head to be sure of anything
CHUNK = 256  # rows sorted by length at a time: little padding, and still another order each epoch
WARM_UP = 0.1  # of all steps
HEADS_FILE = "heads.npz"

Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Texts:
    """Tokenized texts, longest first where sorted: ``ids`` of each, already cut to the training length."""

    ids: list[list[int]]
    padding: int

    def batch(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Return padded features of some rows, as the encoder takes them."""
        longest = max(len(self.ids[row]) for row in rows)
        ids = torch.full((len(rows), longest), self.padding, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(self.ids[row])] = torch.tensor(self.ids[row])
            mask[at, : len(self.ids[row])] = 1
        return {"input_ids": ids, "attention_mask": mask}


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
    base: Path,
    texts: Sequence[str],
    labels: Labels,
    prompt: str,
    params: AdapterParams,
    seed: int,
    out: Path,
    progress: Progress,
) -> Linear:
    """Train an adapter and write it to a new folder ``out``, in peft's format, with its heads.

    Args:
        base: the folder of the base encoder.
        texts: n training texts; ``labels``: theirs.
        labels: as above.
        prompt: stands before every text.
        params: the recipe.
        seed: of the adapter's start, the order of batches and dropout.
        out: appears only when training is complete.
        progress: called with (step, steps, loss) after every step.
    """
    with _seeded(seed):
        model = load_base(base)
        transformer_of(model).add_adapter(
            LoraConfig(r=params.rank, lora_alpha=params.alpha, target_modules=ADAPTED_LAYERS)
        )
        heads = nn.Linear(model.get_embedding_dimension() or 0, columns(0)["floor"].stop + labels.categories.shape[1])
        _train(model, heads, tokenize(model, texts, prompt, params.tokens), labels, params, seed, progress)
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


def tokenize(model: SentenceTransformer, texts: Sequence[str], prompt: str, longest: int) -> Texts:
    """Return the tokens of texts, each with the prompt before it and cut to ``longest``."""
    encoded = model.tokenizer([prompt + text for text in texts], truncation=True, max_length=longest)
    return Texts(encoded["input_ids"], model.tokenizer.pad_token_id)


def _train(
    model: SentenceTransformer,
    heads: nn.Linear,
    texts: Texts,
    labels: Labels,
    params: AdapterParams,
    seed: int,
    progress: Progress,
) -> None:
    adapter = [weights for weights in model.parameters() if weights.requires_grad]
    rates = [params.learning_rate, params.head_learning_rate]
    optimizer = torch.optim.AdamW(
        [{"params": adapter, "lr": rates[0]}, {"params": list(heads.parameters()), "lr": rates[1]}], weight_decay=0.01
    )
    order = np.random.default_rng(seed)
    epochs = [list(_batches(texts, params.batch, order)) for _ in range(params.epochs)]
    batches = [batch for epoch in epochs for batch in epoch]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=len(batches), pct_start=WARM_UP)
    model.train()
    for step, rows in enumerate(batches, start=1):
        with torch.autocast("cpu", torch.bfloat16):
            vectors = model(texts.batch(rows))["sentence_embedding"]
        loss = _loss(heads(VECTOR_SCALE * vectors.float()), labels.take(rows), params.category_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*adapter, *heads.parameters()], 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        progress(step, len(batches), loss.item())
    model.eval()


def _loss(logits: torch.Tensor, labels: Labels, category_weight: float) -> torch.Tensor:
    at = columns(logits.shape[1])
    loss = category_weight * functional.binary_cross_entropy_with_logits(
        logits[:, at["categories"]], torch.from_numpy(labels.categories)
    )
    for name in ("severity", "proximity", "rating"):
        loss = loss + functional.cross_entropy(logits[:, at[name]], torch.from_numpy(getattr(labels, name)))
    told = torch.from_numpy(~np.isnan(labels.floor))
    if told.any():
        floor = torch.from_numpy(labels.floor)[told]
        loss = loss + functional.binary_cross_entropy_with_logits(logits[told, at["floor"].start], floor)
    return loss


def _batches(texts: Texts, size: int, order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    lengths = np.array([len(ids) for ids in texts.ids])
    shuffled = order.permutation(len(lengths))
    for start in range(0, len(shuffled), CHUNK):
        chunk = shuffled[start : start + CHUNK]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches = [chunk[at : at + size] for at in range(0, len(chunk), size)]
        for at in order.permutation(len(batches)):
            yield batches[at]


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
