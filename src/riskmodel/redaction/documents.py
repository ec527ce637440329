"""A text in, documents, cards and accounts out: by how they are written and their check digits, or by a word before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from stdnum import iban

from riskmodel.redaction.checks import Check, compact, is_card
from riskmodel.redaction.kinds import KINDS, Kind
from riskmodel.redaction.phones import CUE as PHONE
from riskmodel.redaction.spans import BLANK, Span

# A word that may be a number of somebody: a digit soon, and no longer than the longest of them.
_TOKEN = re.compile(r"(?<![\w./+-])(?=\D{0,9}\d)[\w&][\w./&-]{6,26}\w(?!\w)")
# Cards and IBANs are written in groups; words may follow.
_GROUPED = re.compile(
    r"(?<![\w+.,/-])(?P<card>\d(?:[ -]?\d){12,22})(?!\w)"
    r"|(?<!\w)(?P<IBAN>[A-Za-z]{2}\d{2}(?: ?[A-Za-z\d]{4}){2,7}(?: ?[A-Za-z\d]{1,3})?)(?!\w)"
)
_GROUPED_CHECKS: dict[str, Check] = {"card": is_card, "IBAN": iban.is_valid}
# What may stand between a word and its number, and between a number and the word after it.
_GAP = rf"(?!\w)(?:[^\d{BLANK}\n!?;.]|\.(?!\s+[A-ZÁÉÍÓÚÑ¿¡])){{0,40}}?(?<![\w+])"
_BACK = r"(?!\w)[ ,(:«\"“-]{0,3}(?:(?:es|is|é|como|as|de|del|su|mi|my|his|her|o|el|la|the|meu|minha|seu|do|da) ){0,3}$"
_FARTHEST = 45  # characters that are looked at before a word
_NEAREST = 16  # a digit must stand within as many
_DIGIT, _BETWEEN = re.compile(r"\d"), re.compile(r"[ -]")
_ROUND = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]000")


@dataclass(frozen=True)
class _Announced:
    """A kind with a word that announces it: its number as it is looked for after the word, and before it."""

    name: str
    after: re.Pattern[str]
    before: re.Pattern[str]


def _announced(kind: Kind) -> _Announced:
    number = rf"(?P<number>{kind.cued})"
    return _Announced(
        kind.name,
        re.compile(rf"{_GAP}{number}(?!\w|[./-]\d)"),
        re.compile(rf"(?<![\w./-]){number}{_BACK}"),
    )


_BY_CUE = {f"kind{place}": _announced(kind) for place, kind in enumerate(KINDS) if kind.cue}
_CUES = re.compile(
    r"(?<![\w\[])(?:"
    + "|".join(f"(?P<kind{place}>{kind.cue})" for place, kind in enumerate(KINDS) if kind.cue)
    + rf"|(?P<phone>{PHONE}))(?!\w)"
)
_FIRM = [(re.compile(kind.firm), kind) for kind in KINDS if kind.firm]
_BARE = [(re.compile(kind.bare), kind) for kind in KINDS if kind.bare]


def firm_documents(text: str) -> Iterator[Span]:
    """Find what is written as only one kind is, and has that kind's check digits."""
    for match in _GROUPED.finditer(text):
        kind = str(match.lastgroup)
        end = _longest(match[0], _GROUPED_CHECKS[kind])
        if end:
            yield Span(match.start(), match.start() + end, kind)
    yield from _tokens(text, _FIRM)


def announced_documents(text: str) -> Iterator[Span]:
    """Find what a word announces: the number after it, or else the one right before it."""
    cues = list(_CUES.finditer(text))
    for cue, following in zip_longest(cues, cues[1:]):
        kind = _BY_CUE.get(str(cue.lastgroup))
        if kind is None:
            continue
        match = kind.after.match(text, cue.end(), following.start() if following else len(text))
        if match is None and _DIGIT.search(text, max(0, cue.start() - _NEAREST), cue.start()):
            match = kind.before.search(text, max(0, cue.start() - _FARTHEST), cue.start())
        if match and not _ROUND.fullmatch(match["number"]):
            yield Span(match.start("number"), match.end("number"), kind.name)


def bare_documents(text: str) -> Iterator[Span]:
    """Find plain numbers with the check digits of a kind that is written so."""
    return _tokens(text, _BARE)


def _tokens(text: str, shapes: list[tuple[re.Pattern[str], Kind]]) -> Iterator[Span]:
    for match in _TOKEN.finditer(text):
        for shape, kind in shapes:
            if shape.fullmatch(match[0]) and kind.check(compact(match[0])):
                yield Span(match.start(), match.end(), kind.name)
                break


def _longest(text: str, check: Check) -> int:
    """Return how long the longest beginning is, cut between groups, that is valid; 0 where none is."""
    ends = [len(text), *(match.start() for match in reversed(list(_BETWEEN.finditer(text))))]
    return next((end for end in ends if check(compact(text[:end]))), 0)
