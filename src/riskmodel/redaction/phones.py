"""A text in, phone numbers out: written as phones are in the Americas, Spain and Portugal, or near a word for one.

What is left of long numbers is found last, as a ``number``.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from riskmodel.redaction.spans import Span

CUE = (
    r"(?i:call(?:s|ed|ing)?|(?:tele|cell)?phones?|tel|cell|mobile|whats(?:app?)?|zap|wpp|sms|text|ring|fax"
    r"|(?:phone|my|his|her|their|contact) numbers?|numbers? is"
    r"|ll[aá]m[ae](?:r|me|nos|lo|la|le|n)?|ll[aá]menme|tel[eé]fonos?|celular(?:es)?|cel|m[oó]vil|fono|contacto|mar(?:ca|que)|disca"
    r"|(?:mi|su|tu|el) n[uú]mero|n[uú]mero (?:es|de (?:tel[eé]fono|celular|contacto))"
    r"|lig(?:ue|uem|a|ar|aram)|telefones?|fones?|contato|chama|(?:meu|seu|o) n[uú]mero)"
)
_CUES = re.compile(rf"(?<![\w\[]){CUE}(?!\w)")
_AFTER, _BEFORE = 60, 20  # how far a word reaches over the numbers after and before it, in characters
_NEAR = 25  # and over seven digits in a row, which are often a count

_LEAST_DIGITS = 7

_FORMATS = "|".join(
    (
        r"(?:\(?\+|00 ?)\d{1,3}\)?[ .-]{0,2}(?:\(\d{1,4}\)|\d{1,4})(?:[ .-]{0,2}\d{1,5}){1,5}",
        r"\(0?\d{2,4}\)[ .-]{0,2}(?:9[ .-]?)?\d{3,5}[ .-]{0,2}\d{4}",
        r"(?:1[ .-])?\d{3}[ .-]\d{3}[ .-]\d{4}",
        r"0?800[ -]\d{3}[ -]\d{3,4}",
        r"\d{2,4}[ -]\d{4,5}[ -]\d{4}",
        r"\d{2} (?:9|15) \d{4}[ -]\d{4}",
        r"9 \d{4}[ -]\d{4}",
        r"[2-9]\d{3,4}-\d{4}",
        r"[2-9]\d{2}-\d{4}",
        r"[6-9]\d{2}[ .-]\d{3}[ .-]\d{3}",
        r"[6-9]\d{2} \d{2} \d{2} \d{2}",
        r"0\d{2} \d{3} \d{3}",
        r"3\d{2} \d{7}",
        r"0\d{1,3}[ -]\d{6,8}",
    )
)
_WRITTEN = rf"(?<![\w+.,/:-])(?:{_FORMATS})(?!\w|[.,-]\d)"
_IN_A_ROW = r"(?<!\w)(?:\+|\(\+?)?\d(?:[ ().-]{{0,2}}\d){{{least},30}}(?!\w)"
_PHONE = re.compile(_WRITTEN)
_ANNOUNCED = re.compile(rf"{_WRITTEN}|{_IN_A_ROW.format(least=6)}")
_NUMBER = re.compile(
    r"(?<!\w)(?:\d{4}[ -]){2,}\d{1,4}(?:[ -]\d{1,4})*(?!\w)"
    r"|(?<!\w)\d{2,3}\.\d{3}\.\d{3}(?:/\d{4})?-\d{2}(?!\w)"
    r"|(?<![\w+])\d{8,}"
    rf"|{_IN_A_ROW.format(least=7)}"
)


@dataclass(frozen=True)
class Cues:
    """Where the words for a phone stand in a text, in order."""

    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> Self:
        """Find the words."""
        found = list(_CUES.finditer(text))
        return cls([cue.start() for cue in found], [cue.end() for cue in found])

    def near(self, start: int, end: int, reach: int = _AFTER) -> bool:
        """Whether a word stands within reach before the stretch, or close after it."""
        before = bisect_right(self.ends, start)
        after = bisect_left(self.starts, end)
        return (before > 0 and start - self.ends[before - 1] <= reach) or (
            after < len(self.starts) and self.starts[after] - end <= _BEFORE
        )


def announced_phones(text: str) -> Iterator[Span]:
    """Find numbers of seven digits and more near a word for a phone, however they are written."""
    cues = Cues.of(text)
    for match in _ANNOUNCED.finditer(text) if cues.starts else ():
        plain = len(match[0]) == 7 and match[0].isdigit()
        if cues.near(match.start(), match.end(), _NEAR if plain else _AFTER):
            yield Span(match.start(), match.end(), "phone")


def written_phones(text: str) -> Iterator[Span]:
    """Find what is written as phone numbers are, without a word that says so."""
    for match in _PHONE.finditer(text):
        if sum(map(str.isdigit, match[0])) >= _LEAST_DIGITS:
            yield Span(match.start(), match.end(), "phone")


def numbers(text: str) -> Iterator[Span]:
    """Find eight digits and more that nobody else knew, in a row or parted by signs."""
    for match in _NUMBER.finditer(text):
        yield Span(match.start(), match.end(), "number")
