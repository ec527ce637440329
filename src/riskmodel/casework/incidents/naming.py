"""Texts that belong together in, the words that tell them from all others out."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

MOST_WORDS = 3
LEAST_SHARE = 0.5  # of the texts that a word stands in
LEAST_LETTERS = 4
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def distinctive_words(texts: Sequence[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the words that most of some texts share and few others have, the most telling first."""
    here, there, count = Counter[str](), Counter[str](), 0
    for text in texts:
        here.update(_words(text))
    for text in others:
        there.update(_words(text))
        count += 1
    shared = [word for word, found in here.items() if found >= max(2, LEAST_SHARE * len(texts))]

    def telling(word: str) -> float:
        return here[word] / len(texts) * log((count + 2) / (there[word] + 1))

    return tuple(sorted(shared, key=lambda word: (-telling(word), word))[:MOST_WORDS])


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if len(word) >= LEAST_LETTERS}
