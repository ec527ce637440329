"""A text as somebody hid it from filters in, the same text in plain letters out, with where each letter stood.

Undone are characters that nobody sees, letters of other alphabets that look like ours, digits for letters, and
letters set apart. Ordinary writing stays as it is to the letter.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Format characters that take no room: zero-width spaces and joiners, direction marks, soft hyphen, byte order mark.
# The joiner U+200D stays where it holds an emoji together.
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])"
)
# Cyrillic and Greek letters that look like Latin ones (a part of Unicode's confusables, UTS 39).
_LOOKALIKES = dict(
    zip(
        "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχ",
        "ABESIJKMHOPCTYXaesijopcyxdqwhABEZHIKMNOPTYXaiknoptux",
        strict=True,
    )
)
_LOOKALIKE = re.compile(f"[{''.join(_LOOKALIKES)}]")
_DIGITS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_TOKEN = re.compile(r"[^\s]+")
_HIDDEN = re.compile(r"[^\W\d_][013457@$]+[^\W\d_]")  # a digit or sign between two letters
_ADDRESS = re.compile(r"(?<!\w)[@#]\w|^0x|://|www\.|@[\w-]+\.\w")
_FIGURE = re.compile(
    r"\$\d|(?<![A-Za-z])[A-Z]{3}\d+[a-z]*(?![\w$@])"  # "R$500mil", "USD300k"
    r"|^\W*(?:\d{1,2}h\d\dm(?:in)?|[A-Z]{1,4}\d+s|[A-Za-z]{3,}\d{1,4}s"  # "14h30min", "AK47s", "iPhone13s"
    r"|[A-Z]{3}\d[A-Z]\d\d|H\dN\d|(?=(?:[a-f]*\d){4})[0-9a-f]{8,})\W*$"  # a plate, a virus, a hash
)
LEAST_HIDDEN_CHARACTERS = 4
# Single letters set apart by the same sign, three or more ("g.a.s"), or by spaces, four or more ("m a t a r").
_APART = re.compile(
    r"(?<![^\W_]|[@$])"
    r"(?:[^\W\d_]([.*_-])(?:[^\W\d_]\1)+[^\W\d_]|[^\W\d_] (?:[^\W\d_] ){2,}[^\W\d_])"
    r"(?![^\W_]|[@$])"
)
_LATIN = re.compile("[A-Za-zÀ-ɏ]")


@dataclass(frozen=True)
class Plain:
    """A text in plain letters; ``starts`` and ``ends``: (n + 1,) where a stretch of it starts and ends in the original.

    Both are None where the text stayed as it was.
    """

    text: str
    starts: NDArray[np.int32] | None = None
    ends: NDArray[np.int32] | None = None

    def spans(self, found: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return (n, 2) spans of the plain text as spans of the original; empty ones stay empty."""
        if self.starts is None or self.ends is None:
            return found
        mapped = np.stack([self.starts[found[:, 0]], self.ends[found[:, 1]]], axis=1)
        return np.where(found[:, :1] < found[:, 1:], mapped, mapped[:, :1] * np.int32(0))


def plain(text: str) -> Plain:
    """Undo what hides words."""
    if not any(sign.search(text) for sign in (UNSEEN, _LOOKALIKE, _HIDDEN, _APART)):
        return Plain(text)
    unseen = {match.start() for match in UNSEEN.finditer(text)}
    kept = [at for at in range(len(text)) if at not in unseen]
    kept = [kept[at] for at in _closed_up("".join(text[at] for at in kept))]
    characters = [text[at] for at in kept]
    _latinise(characters)
    _undo_digits(characters)
    starts = np.array([*kept, len(text)], dtype=np.int32)
    ends = np.array([0, *(at + 1 for at in kept)], dtype=np.int32)
    return Plain("".join(characters), starts, ends)


def _latinise(characters: list[str]) -> None:
    """Replace look-alikes in words that also have Latin letters; a word in its own alphabet stays."""
    for match in _TOKEN.finditer("".join(characters)):
        if _LATIN.search(match.group()):
            for at in range(*match.span()):
                characters[at] = _LOOKALIKES.get(characters[at], characters[at])


def _undo_digits(characters: list[str]) -> None:
    """Replace digits that stand for letters in Latin words with one between letters; addresses and figures stay."""
    for match in _TOKEN.finditer("".join(characters)):
        token = match.group()
        hidden = len(token) >= LEAST_HIDDEN_CHARACTERS and _HIDDEN.search(token) and _LATIN.search(token)
        if hidden and not _ADDRESS.search(token) and not _FIGURE.search(token):
            for at in range(*match.span()):
                characters[at] = _DIGITS.get(characters[at], characters[at])


def _closed_up(text: str) -> list[int]:
    """Return which characters stay when letters that were set apart are joined; addresses stay."""
    words = _TOKEN.sub(lambda token: "." * len(token[0]) if _ADDRESS.search(token[0]) else token[0], text)
    dropped = {at for match in _APART.finditer(words) for at in range(match.start() + 1, match.end(), 2)}
    return [at for at in range(len(text)) if at not in dropped]
