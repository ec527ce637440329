"""Text in, its character and word n-grams out, as sparse tf-idf values that remember which word each came from."""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from riskmodel.spelling import plain

WORD = re.compile(r"[\w\u0300-\u036f]+")  # letters, digits, and accents that stand as characters of their own
CHARACTER_LENGTHS = range(2, 6)
MAX_WORD_CHARACTERS = 40  # a longer "word" is noise; its start is enough
MEMORY = 16_384  # distinct words whose n-grams are kept ready


@dataclass(frozen=True)
class LexicalVector:
    """Sparse tf-idf features of one text, unit length, one entry an occurrence in a word.

    ``spans``: (w, 2) offsets of the words in the text; ``words``, ``features``, ``values``: (m,) for each
    occurrence its word, its feature and its share of the feature's value. A pair of words counts half in each.
    """

    spans: NDArray[np.int32]
    words: NDArray[np.int32]
    features: NDArray[np.int32]
    values: NDArray[np.float32]

    @property
    def known_words(self) -> int:
        """Return how many words have a feature that was learnt."""
        return len(np.unique(self.words))


def normalise(word: str) -> str:
    """Return the word without case and accents, so that hurried spelling reads the same."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def word_ngrams(word: str) -> list[str]:
    """Return the features of one normalised word: itself (``w:``) and its padded character 2-5-grams (``c:``)."""
    padded = f" {word} "
    grams = [f"c:{padded[at : at + length]}" for length in CHARACTER_LENGTHS for at in range(len(padded) - length + 1)]
    return [f"w:{word}", *grams]


class LexicalVectorizer:
    """Learns which n-grams to keep and how rare each is; turns a text into a :class:`LexicalVector`.

    ``vocabulary``: v features; ``idf_``: (v,) smoothed inverse document frequencies.
    """

    def __init__(self, min_documents: int = 3) -> None:
        self.min_documents = min_documents

    def fit(self, texts: Iterable[str]) -> Self:
        """Learn the vocabulary from the texts: every n-gram that stands in at least ``min_documents`` of them."""
        documents: Counter[str] = Counter()
        count = 0
        for text in texts:
            count += 1
            words = [normalise(match.group()[:MAX_WORD_CHARACTERS]) for match in WORD.finditer(plain(text).text)]
            found = {gram for word in set(words) for gram in word_ngrams(word)}
            found.update(f"p:{pair}" for pair in map(" ".join, itertools.pairwise(words)))
            documents.update(found)
        kept = sorted(gram for gram, n in documents.items() if n >= self.min_documents)
        frequencies = np.array([documents[gram] for gram in kept], dtype=np.float64)
        return self.restore(kept, (np.log((1 + count) / (1 + frequencies)) + 1).astype(np.float32))

    def restore(self, vocabulary: Sequence[str], idf: NDArray[np.float32]) -> Self:
        """Take over what an earlier ``fit`` learnt."""
        self.vocabulary_ = list(vocabulary)
        self.idf_ = idf
        self._index = {gram: at for at, gram in enumerate(self.vocabulary_)}
        self._word = lru_cache(maxsize=MEMORY)(self._read_word)
        return self

    def _read_word(self, word: str) -> tuple[str, NDArray[np.int32]]:
        plain = normalise(word)
        known = [self._index[gram] for gram in word_ngrams(plain) if gram in self._index]
        return plain, np.array(known, dtype=np.int32)

    def transform(self, text: str) -> LexicalVector:
        """Return the features of a text; all zero-length where no n-gram is known."""
        plain_text = plain(text)
        matches = list(WORD.finditer(plain_text.text))
        spans = plain_text.spans(np.array([match.span() for match in matches], dtype=np.int32).reshape(-1, 2))
        read = [self._word(match.group()[:MAX_WORD_CHARACTERS]) for match in matches]
        sizes = [len(known) for _, known in read]
        pairs = [
            (at, feature)
            for at, ((first, _), (second, _)) in enumerate(itertools.pairwise(read))
            if (feature := self._index.get(f"p:{first} {second}")) is not None
        ]
        left = np.array([at for at, _ in pairs], dtype=np.int32)
        pair_features = np.array([feature for _, feature in pairs], dtype=np.int32)
        empty = np.empty(0, dtype=np.int32)
        words = np.concatenate([np.repeat(np.arange(len(read), dtype=np.int32), sizes), left, left + 1])
        features = np.concatenate([empty, *(known for _, known in read), pair_features, pair_features])
        values = self.idf_[features]
        values[len(values) - 2 * len(pairs) :] *= 0.5
        totals = np.zeros(len(self.idf_), dtype=np.float32)
        np.add.at(totals, features, values)
        norm = float(np.sqrt(np.dot(totals, totals)))
        return LexicalVector(spans, words.astype(np.int32), features, values / norm if norm > 0 else values)
