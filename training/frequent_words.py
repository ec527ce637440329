"""A package of word frequencies in, the pieces that stay in the vocabulary out: how ``vocabulary.txt`` was made.

The words are those of wordfreq 3.1.1 (Robyn Speer, data under CC BY-SA 4.0), read out of its wheel as data.
"""

import gzip
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgpack
from tokenizers import Tokenizer

from riskmodel.errors import DataError
from riskmodel.records import LANGUAGES
from training.vocabulary import SPACE

WORDS = 100_000  # of each language, the most frequent first
BEFORE = ("", "(")  # what stands before a word decides whether its first piece carries the space
BATCH = 50_000


def list_pieces(wheel: Path, tokenizer: Path) -> list[str]:
    """Return, sorted, the pieces that a tokenizer uses for the frequent words in each of their spellings.

    Raises:
        DataError: if the wheel does not hold the lists.
    """
    whole = Tokenizer.from_file(str(tokenizer))
    whole.no_truncation()
    whole.no_padding()
    used: set[str] = set()
    for language in LANGUAGES:
        words = _frequent(wheel, language)[:WORDS]
        spelled = sorted({before + form for word in words for form in _forms(word) for before in BEFORE})
        for start in range(0, len(spelled), BATCH):
            for encoding in whole.encode_batch(spelled[start : start + BATCH], add_special_tokens=False):
                used.update(encoding.tokens)
    known = whole.get_vocab()  # what the tokenizer cannot read comes back as it was written
    return sorted(
        piece for piece in used if piece in known and any(map(str.isalpha, piece)) and len(piece.replace(SPACE, "")) > 1
    )


def _frequent(wheel: Path, language: str) -> Sequence[str]:
    name = f"wordfreq/data/large_{language}.msgpack.gz"
    try:
        with zipfile.ZipFile(wheel) as package:
            content = gzip.decompress(package.read(name))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{wheel} does not hold {name}: expected the wheel of wordfreq 3.1.1.") from error
    # a header, then the words of each step of frequency, the most frequent first
    return [word for step in msgpack.unpackb(content, raw=False)[1:] for word in step]


def _forms(word: str) -> Iterator[str]:
    yield from (word, word.capitalize(), word.upper())
    yield "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
