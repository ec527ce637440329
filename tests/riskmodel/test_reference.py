from pathlib import Path

import numpy as np
import pytest

from riskmodel.errors import ArtifactError
from riskmodel.reference import REFERENCE, VECTORS, Mix, Said, count, read_reference, write_reference

SAID = [
    Said("en", "violence", "critical", 0.97),
    Said("en", "privacy", "low", 0.4),
    Said("pt", "violence", "critical", 1.0),
    Said("und", "none", "low", 0.399),
]


@pytest.fixture
def vectors() -> np.ndarray:
    found = np.random.default_rng(0).normal(size=(50, 48)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_what_was_said_is_counted_by_hand_the_same() -> None:
    assert count(SAID) == Mix(
        n=4,
        languages={"en": 2, "pt": 1, "und": 1},
        categories={"violence": 2, "privacy": 1, "none": 1},
        ratings={"critical": 2, "low": 2},
        confidence=[0, 0, 0, 1, 1, 0, 0, 0, 0, 2],
    )


def test_nothing_said_is_a_mix_of_nothing() -> None:
    assert count([]) == Mix(n=0, languages={}, categories={}, ratings={}, confidence=[0] * 10)


def test_a_reference_comes_back_with_its_counts_and_nearly_its_vectors(tmp_path: Path, vectors: np.ndarray) -> None:
    write_reference(tmp_path, count(SAID), vectors)

    mix, read = read_reference(tmp_path)

    assert mix == count(SAID)
    assert read.dtype == np.float32
    assert read == pytest.approx(vectors, abs=0.005)


def test_a_reference_holds_no_text_only_counts_and_numbers(tmp_path: Path, vectors: np.ndarray) -> None:
    write_reference(tmp_path, count(SAID), vectors)

    with np.load(tmp_path / VECTORS) as arrays:
        assert {name: (values.dtype.kind, values.dtype.itemsize) for name, values in arrays.items()} == {
            "codes": ("i", 1),
            "scales": ("f", 4),
        }
    assert set(Mix.model_validate_json((tmp_path / REFERENCE).read_text()).model_dump()) == set(Mix.model_fields)


def test_the_tiny_version_carries_the_reference_of_all_that_it_rated_unseen(tiny_model: Path) -> None:
    mix, vectors = read_reference(tiny_model)

    assert mix.n == len(vectors) == sum(mix.languages.values()) == sum(mix.categories.values())
    assert mix.n == sum(mix.ratings.values()) == sum(mix.confidence)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", [REFERENCE, VECTORS])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"PK\x03\x04 half", b'{"n": 1, "words": 2}'])
def test_a_reference_that_cannot_be_read_is_named(
    tmp_path: Path, vectors: np.ndarray, name: str, content: bytes | None
) -> None:
    write_reference(tmp_path, count(SAID), vectors)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ArtifactError, match=r"cannot be read: train the version again") as refused:
        read_reference(tmp_path)

    assert str(tmp_path / REFERENCE) in str(refused.value)


def test_vectors_without_their_scales_are_refused(tmp_path: Path, vectors: np.ndarray) -> None:
    write_reference(tmp_path, count(SAID), vectors)
    np.savez_compressed(tmp_path / VECTORS, codes=np.zeros((2, 2), dtype=np.int8))

    with pytest.raises(ArtifactError, match="cannot be read"):
        read_reference(tmp_path)
