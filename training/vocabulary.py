"""A Unigram tokenizer in, the same with only the pieces that our languages use out, and which rows of the encoder stay.

Which pieces: those of ``vocabulary.txt`` (every piece that XLM-R's tokenizer uses for the frequent words of English,
Spanish and Portuguese, however they are capitalised, with and without accents), and whatever has no
letters or is one letter alone, but for Chinese characters and Korean syllables. At what loss: docs/decisions/0006.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.errors import EncoderError

LIST = Path(__file__).with_name("vocabulary.txt")
SPACE = "▁"  # how the tokenizer writes the space before a word
SPECIAL_PIECES = 4  # <s> <pad> </s> <unk> come first, and others rely on it
_WITHOUT_ALPHABET = ("CJK UNIFIED", "CJK COMPATIBILITY", "HANGUL SYLLABLE")


@dataclass(frozen=True)
class Cut:
    """A smaller tokenizer, as its JSON value, and the rows of the embedding that its ids stand for, in their order."""

    tokenizer: dict[str, Any]
    rows: list[int]


def read_vocabulary(digest: str = "") -> frozenset[str]:
    """Return the listed pieces.

    Raises:
        EncoderError: if the list is not the one that a digest names.
    """
    listed = frozenset(LIST.read_text(encoding="utf-8").splitlines())
    if digest and digest_of(listed) != digest:
        raise EncoderError(
            f"{LIST} was changed: its digest is {digest_of(listed)}, the version was made with {digest}."
        )
    return listed


def digest_of(listed: frozenset[str]) -> str:
    """Return what tells a list from every other."""
    return hashlib.sha256("\n".join(sorted(listed)).encode()).hexdigest()[:16]


def is_kept(piece: str, listed: frozenset[str]) -> bool:
    """Return whether a piece stays."""
    bare = piece.replace(SPACE, "")
    letters = [character for character in bare if character.isalpha()]
    if piece in listed or not letters:
        return True
    return len(bare) == 1 and not unicodedata.name(bare, "").startswith(_WITHOUT_ALPHABET)


def cut(tokenizer: dict[str, Any], listed: frozenset[str]) -> Cut:
    """Leave out what is not kept, and number what is anew in the same order.

    Args:
        tokenizer: the JSON value of a tokenizer of the ``tokenizers`` library.
        listed: pieces that stay whatever they look like.

    Raises:
        EncoderError: if it is no Unigram tokenizer.
    """
    model = tokenizer["model"]
    if model.get("type") != "Unigram":
        raise EncoderError(
            f"encoder.cut_vocabulary: the tokenizer is of type {model.get('type')}, expected Unigram. "
            "Set it to false for this base."
        )
    added = {token["content"] for token in tokenizer["added_tokens"]}
    pieces: Sequence[tuple[str, float]] = model["vocab"]
    rows = [
        at for at, (piece, _) in enumerate(pieces) if at < SPECIAL_PIECES or piece in added or is_kept(piece, listed)
    ]
    kept = [pieces[row] for row in rows]
    numbers = {piece: number for number, (piece, _) in enumerate(kept)}
    for token in tokenizer["added_tokens"]:  # some bases have such beyond the pieces of the model, in rows of their own
        if token["content"] not in numbers:
            numbers[token["content"]] = len(rows)
            rows.append(token["id"])
    smaller = {
        **tokenizer,
        "model": {**model, "vocab": kept},
        "added_tokens": [{**token, "id": numbers[token["content"]]} for token in tokenizer["added_tokens"]],
    }
    return Cut(smaller, rows)
