"""A text that nobody may trust in, pieces for a page out: evidence marked, whatever could hide or steer made visible.

Offsets count Unicode code points. A piece that does not show its characters as they are says how many it stands for,
so that a selection in a browser finds its way back to the same offsets.
"""

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskmodel.records import Evidence

# Least share of the support for each of three weights, the strongest first, as on a terminal.
WEIGHTS = ((0.3, 3), (0.1, 2), (0.0, 1))
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co"})
_SHOWN_AS_IT_IS = frozenset("\n\t")
_JOINER = "\u200d"  # between emoji it makes one of two, which nobody wants to see taken apart


@dataclass(frozen=True)
class Glyph:
    """Characters that are shown as they are, or one hidden character, repeated, that is shown by its number.

    Attributes:
        text: what is shown.
        stands_for: how many characters of the report it stands for; None where it is those characters.
    """

    text: str
    stands_for: int | None = None


@dataclass(frozen=True)
class Piece:
    """A stretch of the report: how much of the evidence it carries (0 to 3), and what is shown of it."""

    weight: int
    share: float
    glyphs: tuple[Glyph, ...]


def pieces(text: str, evidence: Sequence[Evidence]) -> list[Piece]:
    """Return a report in pieces whose glyphs together stand for every character of it, in order."""
    ends = sorted({0, len(text), *(min(max(at, 0), len(text)) for item in evidence for at in (item.start, item.end))})
    found = []
    for start, end in itertools.pairwise(ends):
        share = max((item.weight for item in evidence if item.start <= start and end <= item.end), default=None)
        weight = 0 if share is None else next(weight for least, weight in WEIGHTS if max(share, 0) >= least)
        found.append(Piece(weight, share or 0.0, tuple(glyphs(text[start:end]))))
    return found


def glyphs(text: str) -> Iterator[Glyph]:
    """Yield what is shown of a text."""
    hidden = [_is_hidden(text, at) for at in range(len(text))]
    keys = [character if is_hidden else "" for character, is_hidden in zip(text, hidden, strict=True)]
    at = 0
    for character, group in itertools.groupby(keys):
        length = sum(1 for _ in group)
        if not character:
            yield Glyph(text[at : at + length])
        elif character == "\r" and text[at + length : at + length + 1] == "\n":
            yield Glyph("", length)  # HTML would make one line break of two characters
        else:
            number = f"U+{ord(character):04X}"
            yield Glyph(number if length == 1 else f"{number} ×{length}", length)
        at += length


def _is_hidden(text: str, at: int) -> bool:
    character = text[at]
    if character.isascii():
        return not (character.isprintable() or character in _SHOWN_AS_IT_IS)
    if character == _JOINER and 0 < at < len(text) - 1:
        before, after = text[at - 1], text[at + 1]
        return not (_is_symbol(before) and _is_symbol(after))
    return unicodedata.category(character) in _HIDDEN


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") or character == "\ufe0f"
