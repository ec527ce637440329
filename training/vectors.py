"""Texts and an exported encoder in, (n, d) unit vectors out; each text is encoded once and kept.

The cache is a SQLite file keyed by encoder and text hash, written batch by batch: a killed run goes on where it was.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riskmodel.artifact import ENCODER_MANIFEST, EncoderSpec, load_encoder, sha256
from training.progress import Report, silent

BATCH_TEXTS = 256
CACHE_FILE = "vectors.sqlite"


def encode_texts(
    encoder: Path, spec: EncoderSpec, texts: Sequence[str], cache: Path, report: Report = silent
) -> NDArray[np.float32]:
    """Return the vectors of n texts, (n, d), by the encoder in a folder; only what the cache lacks is computed."""
    name = hashlib.sha256(
        f"{sha256(encoder / ENCODER_MANIFEST)} {spec.prompt!r} {spec.window_tokens}".encode()
    ).digest()
    keys = [name + hashlib.sha256(text.encode()).digest() for text in texts]
    cache.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache / CACHE_FILE)) as store:
        store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")
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


def _read(store: sqlite3.Connection, key: bytes) -> bytes | None:
    row = store.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])
