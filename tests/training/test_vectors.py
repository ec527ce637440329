import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.artifact import EncoderSpec, load_encoder
from riskmodel.errors import ArtifactError
from tests.tiny import SPEC, build_tiny_encoder
from training.vectors import BATCH_TEXTS, CACHE_FILE, encode_texts


@pytest.fixture(scope="module")
def texts(train_frame: pd.DataFrame) -> list[str]:
    return train_frame["text"].iloc[: BATCH_TEXTS + 60].tolist()


@pytest.fixture
def encoder(tmp_path: Path, texts: list[str]) -> Path:
    build_tiny_encoder(tmp_path / "encoder", texts[:60])
    return tmp_path / "encoder"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "a new" / "cache"


class Computed:
    """Counts the texts that were computed, and stops the run after so many batches."""

    def __init__(self, stop_after: int = 99) -> None:
        self.steps: list[tuple[int, int]] = []
        self.stop_after = stop_after

    def __call__(self, step: int, steps: int, note: str) -> None:
        self.steps.append((step, steps))
        if len(self.steps) == self.stop_after:
            raise KeyboardInterrupt


def remove_weights(encoder: Path) -> None:
    """Leave nothing to compute with; the hashes that name the encoder stay."""
    (encoder / "model.onnx").unlink()


def test_vectors_are_those_of_the_encoder_in_order(encoder: Path, texts: list[str], cache: Path) -> None:
    found = encode_texts(encoder, SPEC, texts[:40], cache)

    expected = [encoding.vector for encoding in load_encoder(encoder, SPEC).encode(texts[:40])]
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-6)


def test_a_second_call_computes_nothing(encoder: Path, texts: list[str], cache: Path) -> None:
    first = encode_texts(encoder, SPEC, texts[:40], cache)
    remove_weights(encoder)
    computed = Computed()

    second = encode_texts(encoder, SPEC, texts[:40][::-1], cache, computed)

    assert computed.steps == []
    np.testing.assert_array_equal(second[::-1], first)


def test_a_text_that_is_not_kept_yet_does_need_the_encoder(encoder: Path, texts: list[str], cache: Path) -> None:
    encode_texts(encoder, SPEC, texts[:5], cache)
    remove_weights(encoder)

    with pytest.raises(ArtifactError, match=r"model\.onnx"):
        encode_texts(encoder, SPEC, texts[:6], cache)


def test_only_new_texts_are_computed(encoder: Path, texts: list[str], cache: Path) -> None:
    encode_texts(encoder, SPEC, texts[:30], cache)
    computed = Computed()

    found = encode_texts(encoder, SPEC, texts[:45], cache, computed)

    assert computed.steps == [(15, 15)]
    assert len(found) == 45


def test_a_killed_run_goes_on_where_it_was(encoder: Path, texts: list[str], cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode_texts(encoder, SPEC, texts, cache, Computed(stop_after=1))
    computed = Computed()

    found = encode_texts(encoder, SPEC, texts, cache, computed)

    left = len(texts) - BATCH_TEXTS
    assert computed.steps == [(left, left)]
    np.testing.assert_allclose(found, encode_texts(encoder, SPEC, texts, cache.parent / "other"), atol=1e-6)


def test_a_text_that_stands_twice_has_the_same_vector_twice(encoder: Path, texts: list[str], cache: Path) -> None:
    found = encode_texts(encoder, SPEC, [texts[0], texts[1], texts[0]], cache)

    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("change", [{"prompt": "passage, unlike the first: "}, {"window_tokens": 40}], ids=str)
def test_what_another_reading_of_the_texts_gave_is_not_taken(
    encoder: Path, texts: list[str], cache: Path, change: dict[str, object]
) -> None:
    other: EncoderSpec = SPEC.model_copy(update=change)
    long = [" ".join(texts[:6])]
    first = encode_texts(encoder, SPEC, long, cache)

    second = encode_texts(encoder, other, long, cache)

    assert not np.array_equal(first, second)
    np.testing.assert_allclose(second[0], load_encoder(encoder, other).encode(long)[0].vector, atol=1e-6)


def test_what_another_encoder_gave_is_not_taken(encoder: Path, tmp_path: Path, texts: list[str], cache: Path) -> None:
    build_tiny_encoder(tmp_path / "other", texts[100:160])
    first = encode_texts(encoder, SPEC, texts[:3], cache)

    second = encode_texts(tmp_path / "other", SPEC, texts[:3], cache)

    assert not np.allclose(first, second)


def test_no_text_is_written_into_the_cache(encoder: Path, cache: Path) -> None:
    secret = "marmalade in the courthouse"

    encode_texts(encoder, SPEC, [secret], cache)

    assert secret.encode() not in (cache / CACHE_FILE).read_bytes()
    with sqlite3.connect(cache / CACHE_FILE) as store:
        assert store.execute("SELECT count(*) FROM vectors").fetchone() == (1,)
    store.close()
