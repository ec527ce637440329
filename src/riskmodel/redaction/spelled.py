"""A text in, numbers out whose digits are told in words: "nueve ocho siete...", also mixed with figures."""

import re
from collections.abc import Iterator
from itertools import pairwise

from riskmodel.redaction.phones import Cues
from riskmodel.redaction.spans import Span

_DIGITS = {
    "zero": 0, "oh": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "cero": 0, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9,
    "um": 1, "dois": 2, "três": 3, "quatro": 4, "meia": 6, "sete": 7, "oito": 8, "nove": 9,
}  # fmt: skip
_WORD = "|".join(sorted(_DIGITS, key=len, reverse=True))
_PIECE = re.compile(rf"(?i){_WORD}|\d")
_SPELLED = re.compile(rf"(?i)(?<!\w)(?:{_WORD}|\d{{1,4}})(?:[ ,.-]{{1,2}}(?:{_WORD}|\d{{1,4}})){{3,24}}(?!\w)")
LEAST_DIGITS, LEAST_WORDS = 7, 3


def spelled_numbers(text: str) -> Iterator[Span]:
    """Find seven digits and more of which three and more are words; not a count from one number to the next."""
    cues = Cues.of(text)
    for match in _SPELLED.finditer(text):
        pieces = _PIECE.findall(match[0])
        words = sum(not piece.isdigit() for piece in pieces)
        if len(pieces) >= LEAST_DIGITS and words >= LEAST_WORDS and not _counts([digit(piece) for piece in pieces]):
            yield Span(match.start(), match.end(), "phone" if cues.near(match.start(), match.end()) else "number")


def digit(piece: str) -> int:
    """Return the digit that a figure or a word tells."""
    return int(piece) if piece.isdigit() else _DIGITS[piece.lower()]


def told(text: str) -> str:
    """Return the digits of a number, those in words too."""
    return "".join(str(digit(piece)) for piece in _PIECE.findall(text))


def _counts(digits: list[int]) -> bool:
    """Whether the digits go up or down by one: somebody counts."""
    steps = {after - before for before, after in pairwise(digits)}
    return steps in ({1}, {-1})
