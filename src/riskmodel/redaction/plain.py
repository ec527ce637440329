"""A text as it was sent in, the same text with plain digits and signs and without unseen characters out."""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

from riskmodel.spelling import UNSEEN

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # the full-width forms of ASCII
_WIDE |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), ord("-"))  # hyphens and dashes between digits
_WIDE |= dict.fromkeys((0x00A0, 0x2007, 0x2009, 0x202F), ord(" "))  # spaces that hold a number together
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")


@dataclass(frozen=True)
class Plain:
    """A text to look in; ``cuts``: its offsets, in order, before which a character of the text as sent was left out."""

    text: str
    cuts: tuple[int, ...] = ()

    def as_sent(self, offset: int) -> int:
        """Return where a character of the plain text stands in the text as sent."""
        return offset + bisect_right(self.cuts, offset)


def plain(text: str) -> Plain:
    """Return the text with every digit and sign in its plain form; each other character keeps its place."""
    if text.isascii():
        return Plain(text)
    cuts = tuple(match.start() - number for number, match in enumerate(UNSEEN.finditer(text)))
    shown = UNSEEN.sub("", text) if cuts else text
    shown = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), shown.translate(_WIDE))
    return Plain(shown, cuts)
