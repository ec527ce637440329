"""A cut vocabulary reads our languages as the whole one does, and keeps what stands between words."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from riskmodel.errors import EncoderError
from training.vocabulary import SPECIAL_PIECES, cut, digest_of, is_kept, read_vocabulary

LISTED = frozenset({"▁threat", "▁ameaça", "▁niño"})
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
PIECES = [*SPECIAL, "▁threat", "▁угроза", "▁ameaça", "s", "▁", "!!!", "😂", "学校", "校", "<mask>"]


def tokenizer() -> dict[str, Any]:
    made = Tokenizer(models.Unigram([(piece, -float(at)) for at, piece in enumerate(PIECES)], unk_id=3))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.add_special_tokens([*SPECIAL, "<mask>"])
    value: dict[str, Any] = json.loads(made.to_str())
    return value


def test_what_stays_is_numbered_anew_in_the_same_order() -> None:
    smaller = cut(tokenizer(), LISTED)

    kept = [PIECES[row] for row in smaller.rows]
    assert kept == [*SPECIAL, "▁threat", "▁ameaça", "s", "▁", "!!!", "😂", "<mask>"]
    assert [piece for piece, _ in smaller.tokenizer["model"]["vocab"]] == kept
    assert smaller.rows[:SPECIAL_PIECES] == list(range(SPECIAL_PIECES))
    assert {token["content"]: token["id"] for token in smaller.tokenizer["added_tokens"]}["<mask>"] == len(kept) - 1


def test_the_smaller_tokenizer_reads_the_same_pieces() -> None:
    whole = Tokenizer.from_str(json.dumps(tokenizer()))
    smaller = cut(tokenizer(), LISTED)
    small = Tokenizer.from_str(json.dumps(smaller.tokenizer))
    text = "threat ameaça!!! 😂s"

    found = small.encode(text)

    assert found.tokens == whole.encode(text).tokens
    assert [smaller.rows[number] for number in found.ids] == whole.encode(text).ids
    assert found.offsets == whole.encode(text).offsets


def test_a_token_that_was_added_beyond_the_pieces_keeps_its_row() -> None:
    made = Tokenizer.from_str(json.dumps(tokenizer()))
    made.add_special_tokens(["[MASK]", "[SEP]"])

    smaller = cut(json.loads(made.to_str()), LISTED)

    small = Tokenizer.from_str(json.dumps(smaller.tokenizer))
    text = "threat[SEP]ameaça[MASK]s"
    assert [smaller.rows[number] for number in small.encode(text).ids] == made.encode(text).ids


@pytest.mark.parametrize("piece", ["é", "ñ", "ж", "ب", "!!!", "2026", "▁18", "▁", "🔫", "\u200d", "ᴀ"])
def test_what_has_no_letters_or_is_one_letter_stays(piece: str) -> None:
    assert is_kept(piece, frozenset())


@pytest.mark.parametrize("piece", ["▁угроза", "ção", "校", "교", "▁threat"])
def test_other_words_and_characters_without_an_alphabet_go_unless_listed(piece: str) -> None:
    assert not is_kept(piece, frozenset())
    assert is_kept(piece, frozenset({piece}))


def test_a_tokenizer_of_another_type_is_refused_with_what_to_set() -> None:
    with pytest.raises(EncoderError, match="BPE, expected Unigram"):
        cut({"model": {"type": "BPE"}, "added_tokens": []}, LISTED)


def test_a_list_that_was_changed_is_refused() -> None:
    listed = read_vocabulary()

    assert read_vocabulary(digest_of(listed)) == listed
    with pytest.raises(EncoderError, match="was changed"):
        read_vocabulary("0" * 16)


def test_the_list_holds_the_words_of_our_languages() -> None:
    listed = read_vocabulary()

    assert {"▁threat", "▁ameaça", "▁niño", "▁menor"} <= listed
    assert 40_000 < len(listed) < 60_000
    assert all(any(character.isalpha() for character in piece) for piece in listed)
