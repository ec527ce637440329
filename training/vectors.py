"""Texts and an exported encoder in, (n, d) unit vectors out; each text is encoded once and kept.

The cache is a SQLite file keyed by encoder and text hash, written batch by batch: a killed run goes on where it was.
What was embedded elsewhere (``training/embedding.py``) can be taken in.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskmodel.artifact import ENCODER_MANIFEST, EncoderSpec, load_encoder, sha256
from training.progress import Report, silent

BATCH_TEXTS = 256
CACHE_FILE = "vectors.sqlite"
TAKEN_AT_ONCE = 4_096  # vectors that are in memory together

Vector = tuple[bytes, bytes, NDArray[np.float32]]


def encode_texts(
    encoder: Path, spec: EncoderSpec, texts: Sequence[str], cache: Path, report: Report = silent
) -> NDArray[np.float32]:
    """Return the vectors of n texts, (n, d), by the encoder in a folder; only what the cache lacks is computed."""
    name = encoder_digest(encoder, spec)
    keys = [name + text_digest(text) for text in texts]
    with _opened(cache) as store:
        missing = [at for at, key in enumerate(keys) if _read(store, key) is None]
        if missing:
            model = load_encoder(encoder, spec, across_texts=True)
            for start in range(0, len(missing), BATCH_TEXTS):
                batch = missing[start : start + BATCH_TEXTS]
                encodings = model.encode([texts[at] for at in batch])
                rows = [(keys[at], found.vector.tobytes()) for at, found in zip(batch, encodings, strict=True)]
                with store:
                    store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                report(start + len(batch), len(missing), "")
        found = [_read(store, key) for key in keys]
    return np.stack([np.frombuffer(vector, dtype=np.float32) for vector in found if vector is not None])


def encoder_digest(encoder: Path, spec: EncoderSpec) -> bytes:
    """Return what tells the vectors of an encoder, fed in one way, from all others."""
    fed = f"{sha256(encoder / ENCODER_MANIFEST)} {spec.prompt!r} {spec.window_tokens}"
    return hashlib.sha256(fed.encode()).digest()


def text_digest(text: str) -> bytes:
    """Return what tells a text from all others."""
    return hashlib.sha256(text.encode()).digest()


def take_in(cache: Path, found: Iterable[Vector]) -> int:
    """Put vectors, each with the digests of its encoder and its text, into the cache; return how many."""
    count = 0
    with _opened(cache) as store:
        for batch in _batches(found):
            with store:
                rows = [(encoder + text, vector.tobytes()) for encoder, text, vector in batch]
                store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            count += len(rows)
    return count


@contextmanager
def _opened(cache: Path) -> Iterator[sqlite3.Connection]:
    cache.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache / CACHE_FILE)) as store:
        store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")
        yield store


def _batches(found: Iterable[Vector]) -> Iterator[list[Vector]]:
    rows = iter(found)
    while batch := list(islice(rows, TAKEN_AT_ONCE)):
        yield batch


def _read(store: sqlite3.Connection, key: bytes) -> bytes | None:
    row = store.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])
