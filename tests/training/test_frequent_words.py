"""Which pieces of a tokenizer the frequent words of our languages use, from a wheel made by hand."""

import gzip
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgpack
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from riskmodel.errors import DataError
from riskmodel.records import LANGUAGES
from training import frequent_words
from training.frequent_words import list_pieces

HEADER = {"format": "cB", "version": 1}
PIECES = [
    "<unk>",
    "▁",
    "▁threat",
    "threat",
    "▁Threat",
    "▁THREAT",
    "▁ameaça",
    "▁ameaca",
    "▁угроза",
    "ão",
    "▁n",
    "(",
    "s",
]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    made = Tokenizer(models.Unigram([(piece, -float(at)) for at, piece in enumerate(PIECES)], unk_id=0))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return path


def write_wheel(folder: Path, words: Mapping[str, Sequence[Sequence[str]]]) -> Path:
    """Write a wheel with the words of each language in steps, the most frequent first."""
    path = folder / "wordfreq-3.1.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as package:
        for language, steps in words.items():
            content = gzip.compress(msgpack.packb([HEADER, *steps]))
            package.writestr(f"wordfreq/data/large_{language}.msgpack.gz", content)
    return path


def in_all(*steps: Sequence[str]) -> dict[str, list[Sequence[str]]]:
    return {language: list(steps) for language in LANGUAGES}


def test_pieces_of_a_word_are_listed_in_each_spelling_with_and_without_the_space(
    tmp_path: Path, tokenizer: Path
) -> None:
    found = list_pieces(write_wheel(tmp_path, in_all(["threat"])), tokenizer)

    assert found == ["threat", "▁THREAT", "▁Threat", "▁threat"]


def test_a_word_is_listed_with_its_accents_and_without(tmp_path: Path, tokenizer: Path) -> None:
    words = {"en": [], "es": [], "pt": [[], ["ameaça"]]}

    assert list_pieces(write_wheel(tmp_path, words), tokenizer) == ["▁ameaca", "▁ameaça"]


def test_single_letters_signs_and_pieces_of_no_word_are_not_listed(tmp_path: Path, tokenizer: Path) -> None:
    found = list_pieces(write_wheel(tmp_path, in_all(["não", "ss"])), tokenizer)

    assert found == ["ão"]


def test_only_the_most_frequent_words_count(tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequent_words, "WORDS", 1)

    found = list_pieces(write_wheel(tmp_path, in_all([], ["threat"], ["ameaça"])), tokenizer)

    assert "▁threat" in found
    assert "▁ameaça" not in found


def test_words_are_read_in_parts_with_the_same_pieces(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path, in_all(["threat", "ameaça", "não"]))
    whole = list_pieces(wheel, tokenizer)
    monkeypatch.setattr(frequent_words, "BATCH", 2)

    assert list_pieces(wheel, tokenizer) == whole


def test_a_wheel_without_the_words_of_a_language_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    wheel = write_wheel(tmp_path, {"en": [["threat"]], "es": [["threat"]]})

    with pytest.raises(DataError, match=r"does not hold wordfreq/data/large_pt\.msgpack\.gz"):
        list_pieces(wheel, tokenizer)


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    with pytest.raises(DataError, match=r"tokenizer\.json does not hold .*expected the wheel of wordfreq"):
        list_pieces(tokenizer, tokenizer)
