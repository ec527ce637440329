"""Texts in, vectors out: one encoder in ONNX Runtime, long texts read whole in windows, token states kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from riskmodel.errors import ArtifactError

# Tokens, padding included, that go through the encoder at once: memory stays bounded, and on two cores
# larger batches are no faster.
BATCH_TOKENS = 2_048


@dataclass(frozen=True)
class Encoding:
    """One text, encoded.

    ``vector``: (d,), unit length, the mean of the token states divided by ``norm``; ``hidden``: (n, d) states of
    all tokens; ``offsets``: (n, 2), where each stands in the text, empty spans for tokens that are not of the text.
    """

    vector: NDArray[np.float32]
    norm: float
    hidden: NDArray[np.float32]
    offsets: NDArray[np.int32]


@dataclass(frozen=True)
class _Window:
    text: int
    ids: list[int]
    offsets: list[tuple[int, int]]


class Encoder:
    """A transformer in ONNX with its tokenizer. Not safe for use by several threads at once.

    Args:
        model: ONNX file with inputs ``input_ids`` and ``attention_mask``, output ``last_hidden_state``.
        tokenizer: a tokenizer file of the ``tokenizers`` library.
        prompt: stands before every text, as the base encoder was trained.
        window_tokens: longest input at once; a longer text is read in several windows.
        threads: cores to use; 0 for all.
    """

    def __init__(self, model: Path, tokenizer: Path, *, prompt: str, window_tokens: int, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            raise ArtifactError(f"Encoder {model} or its tokenizer cannot be read: {error}.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._prompt = prompt
        self._window_tokens = window_tokens

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Return one encoding a text, in order."""
        windows = [window for at, text in enumerate(texts) for window in self._windows(at, text)]
        states: list[NDArray[np.float32] | None] = [None] * len(windows)
        for batch in _batches([len(window.ids) for window in windows]):
            for at, hidden in zip(batch, self._run([windows[at].ids for at in batch]), strict=True):
                states[at] = hidden
        parts: list[list[int]] = [[] for _ in texts]
        for at, window in enumerate(windows):
            parts[window.text].append(at)
        return [
            _pool(
                [state for at in own if (state := states[at]) is not None],
                [windows[at].offsets for at in own],
            )
            for own in parts
        ]

    def _windows(self, at: int, text: str) -> Iterator[_Window]:
        encoded = self._tokenizer.encode(self._prompt + text)
        shift = len(self._prompt)
        # Read off the whole: alone, the prompt's last space is a token; before a text it is part of the first word.
        lead = 1 + sum(end <= shift for _, end in encoded.offsets[1:-1])
        first, ids, last = encoded.ids[:lead], encoded.ids[lead:-1], encoded.ids[-1:]
        spans = [(max(0, start - shift), end - shift) for start, end in encoded.offsets[lead:-1]]
        nowhere, room = [(0, 0)], self._window_tokens - lead - 1
        for start in range(0, max(1, len(ids)), room):
            chunk = slice(start, start + room)
            yield _Window(at, first + ids[chunk] + last, nowhere * lead + spans[chunk] + nowhere)

    def _run(self, batch: list[list[int]]) -> list[NDArray[np.float32]]:
        longest = max(len(ids) for ids in batch)
        inputs = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros_like(inputs)
        for row, ids in enumerate(batch):
            inputs[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        (hidden,) = self._session.run(["last_hidden_state"], {"input_ids": inputs, "attention_mask": mask})
        return [hidden[row, : len(ids)] for row, ids in enumerate(batch)]


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield positions in batches of like lengths, each within the budget of tokens."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[at] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _pool(states: list[NDArray[np.float32]], offsets: list[list[tuple[int, int]]]) -> Encoding:
    hidden = np.concatenate(states) if len(states) > 1 else states[0]
    spans = np.array([span for window in offsets for span in window], dtype=np.int32)
    mean = hidden.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    return Encoding(vector=mean / norm, norm=norm, hidden=hidden, offsets=spans)
