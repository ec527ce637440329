"""Examples in, the batches of one epoch after another out: tokenized, padded, some texts changed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from riskmodel.spelling import plain
from training.augment import augment
from training.examples import UNKNOWN, Examples, Spans

Rows = NDArray[np.int64]
CHUNK = 256  # rows sorted by length at a time: little padding, and still another order each epoch


@dataclass(frozen=True)
class Batch:
    """Padded ``features`` of b rows, t tokens, as the encoder takes them.

    ``marks``: (b, t) 1 on evidence, 0 beside it, NaN where not marked.
    """

    rows: Rows
    features: dict[str, torch.Tensor]
    marks: torch.Tensor


class Batches:
    """Plans every epoch at once and tokenizes when a batch is asked for.

    Args:
        examples: n examples; those of unknown rating are public content.
        tokenizer: a fast tokenizer.
        prompt: stands before every text.
        size: texts in a batch.
        longest: tokens of a text; the rest is cut.
        epochs: how often the labelled are seen.
        content_share: public texts drawn in each epoch, for each labelled one.
        changed_share: of the texts that are changed without their label.
        seed: of order, draw and changes.
    """

    def __init__(
        self,
        examples: Examples,
        tokenizer: PreTrainedTokenizerBase,
        *,
        prompt: str,
        size: int,
        longest: int,
        epochs: int,
        content_share: float,
        changed_share: float,
        seed: int,
    ) -> None:
        self._examples, self._tokenizer, self._prompt = examples, tokenizer, prompt
        self._longest, self._changed_share = longest, changed_share
        self._draw = random.Random(seed)
        lengths = np.array([len(ids) for ids in self._encode(examples.texts)["input_ids"]])
        order = np.random.default_rng(seed)
        labelled = np.flatnonzero(examples.rating != UNKNOWN)
        content = np.flatnonzero(examples.rating == UNKNOWN)
        wanted = min(len(content), round(content_share * len(labelled)))
        self._planned: list[Rows] = []
        for _ in range(epochs):
            rows = np.concatenate([labelled, order.choice(content, wanted, replace=False)])
            self._planned += _by_length(rows, lengths, size, order)

    def __len__(self) -> int:
        return len(self._planned)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._planned:
            yield self._batch(rows)

    def _batch(self, rows: Rows) -> Batch:
        texts, marked = [], list[Spans | None]()
        for row in rows:
            changed = self._draw.random() < self._changed_share
            text = self._examples.texts[row]
            read = plain(augment(text, self._draw) if changed else text).text  # as the service will read it
            texts.append(read)
            marked.append(self._examples.evidence[row] if read == text else None)
        encoded = self._encode(texts)
        width = max(len(ids) for ids in encoded["input_ids"])
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id, dtype=torch.long)
        mask, marks = torch.zeros_like(ids), torch.full((len(rows), width), torch.nan)
        for at, tokens in enumerate(encoded["input_ids"]):
            ids[at, : len(tokens)] = torch.tensor(tokens)
            mask[at, : len(tokens)] = 1
            if (spans := marked[at]) is not None:
                marks[at, : len(tokens)] = _marks(encoded["offset_mapping"][at], spans, len(self._prompt))
        return Batch(rows, {"input_ids": ids, "attention_mask": mask}, marks)

    def _encode(self, texts: list[str]) -> dict[str, Any]:
        encoded: dict[str, Any] = self._tokenizer(
            [self._prompt + text for text in texts],
            truncation=True,
            max_length=self._longest,
            return_offsets_mapping=True,
        )
        return encoded


def _by_length(rows: Rows, lengths: Rows, size: int, order: np.random.Generator) -> list[Rows]:
    shuffled, batches = order.permutation(rows), list[Rows]()
    for start in range(0, len(shuffled), CHUNK):
        chunk = shuffled[start : start + CHUNK]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        found = [chunk[at : at + size] for at in range(0, len(chunk), size)]
        batches += [found[at] for at in order.permutation(len(found))]
    return batches


def _marks(offsets: list[tuple[int, int]], spans: Spans, shift: int) -> torch.Tensor:
    """Return (t,) 1 for tokens inside a span, 0 for others of the text, NaN for those that are not of the text."""
    found = []
    for start, end in offsets:
        if end <= shift or start == end:
            found.append(float("nan"))
        else:
            found.append(float(any(start - shift < last and end - shift > first for first, last in spans)))
    return torch.tensor(found)
