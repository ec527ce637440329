"""Texts in, vectors out: one encoder in ONNX Runtime, long texts read whole in windows, token states kept."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

# Read when it is imported, which else gives this machine a number and reports to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from riskmodel.errors import ArtifactError
from riskmodel.spelling import plain


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
    ids: list[int]
    offsets: list[list[int]]


class Encoder:
    """A transformer in ONNX with its tokenizer; several threads may use it at once.

    Args:
        model: ONNX file with inputs ``input_ids`` and ``attention_mask``, output ``last_hidden_state``.
        tokenizer: a tokenizer file of the ``tokenizers`` library.
        prompt: stands before every text, as the base encoder was trained.
        window_tokens: longest input at once; a longer text is read in several windows.
        threads: cores to use; 0 for all.
        across_texts: whether the cores share out the texts (most texts a second) or each text (the quickest answer).
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Path,
        *,
        prompt: str,
        window_tokens: int,
        threads: int = 0,
        across_texts: bool = False,
    ) -> None:
        self._model = model
        self._threads = 1 if across_texts else threads
        try:
            self._session = self._open(self._threads)
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:
            raise ArtifactError(f"Encoder {model} or its tokenizer cannot be read: {error}.") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._prompt = prompt
        self._window_tokens = window_tokens
        workers = (threads or os.cpu_count() or 1) if across_texts else 1
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="riskmodel-encoder") if workers > 1 else None

    def _open(self, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_session_config_entry("session.force_spinning_stop", "1")  # the core is somebody else's between runs
        return onnxruntime.InferenceSession(str(self._model), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _one_core(self) -> onnxruntime.InferenceSession:
        """For a thread among others: on one core each, two texts take a fifth less than one after the other on two."""
        return self._session if self._threads == 1 else self._open(1)

    def encode(self, texts: Sequence[str], *, crowded: bool = False) -> list[Encoding]:
        """Return one encoding a text, in order; each is what the text alone would get.

        Windows go through one by one: int8 activations are scaled by what they run with, so that in a batch a
        text's vector would depend on its neighbours. ``crowded``: other threads encode at the same time.
        """
        encode = partial(self._encode, self._one_core if crowded else self._session)
        return list(map(encode, texts) if self._pool is None else self._pool.map(encode, texts))

    def _encode(self, session: onnxruntime.InferenceSession, text: str) -> Encoding:
        windows = list(self._windows(text))
        states = [self._run(session, window.ids) for window in windows]
        hidden = np.concatenate(states) if len(states) > 1 else states[0]
        spans = np.array([span for window in windows for span in window.offsets], dtype=np.int32)
        mean = hidden.mean(axis=0)
        norm = float(np.linalg.norm(mean))
        return Encoding(vector=mean / norm, norm=norm, hidden=hidden, offsets=spans)

    def _windows(self, text: str) -> Iterator[_Window]:
        read = plain(text)
        encoded = self._tokenizer.encode(self._prompt + read.text)
        shift = len(self._prompt)
        # Read off the whole: alone, the prompt's last space is a token; before a text it is part of the first word.
        lead = 1 + sum(end <= shift for _, end in encoded.offsets[1:-1])
        first, ids, last = encoded.ids[:lead], encoded.ids[lead:-1], encoded.ids[-1:]
        found = np.array(encoded.offsets[lead:-1], dtype=np.int32).reshape(-1, 2)
        spans = read.spans(np.maximum(found - shift, 0)).tolist()
        nowhere, room = [[0, 0]], self._window_tokens - lead - 1
        for start in range(0, max(1, len(ids)), room):
            chunk = slice(start, start + room)
            yield _Window(first + ids[chunk] + last, nowhere * lead + spans[chunk] + nowhere)

    def _run(self, session: onnxruntime.InferenceSession, ids: list[int]) -> NDArray[np.float32]:
        inputs = np.array([ids], dtype=np.int64)
        feed = {"input_ids": inputs, "attention_mask": np.ones_like(inputs)}
        hidden: NDArray[np.float32] = session.run(["last_hidden_state"], feed)[0][0]
        return hidden
