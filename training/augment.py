"""A text in, the same text as somebody in a hurry or in hiding would write it out: the label stays.

Every change keeps the length's order of magnitude and the words readable for a person.
"""

import random
import unicodedata
from collections.abc import Callable

from riskmodel.stages.lexical import WORD

LEET = str.maketrans("aeiost", "431057")
# Letters of other alphabets that look like ours (a few of Unicode's confusables, TR 39).
LOOKALIKES = str.maketrans("aceopxyi", "асеорхуі")
ZERO_WIDTH = "\u200b"
EMOJI = ("🙏", "😡", "😭", "⚠️", "❗", "🤬", "😔", "🚨", "👀", "😂")
TYPO_SHARE = 0.06  # of the words
HIDDEN_WORDS = 3  # at most so many words are hidden at once


def drop_accents(text: str, draw: random.Random) -> str:
    """Write without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def lower(text: str, draw: random.Random) -> str:
    """Write without capitals."""
    return text.lower()


def upper(text: str, draw: random.Random) -> str:
    """Write in capitals."""
    return text.upper()


def add_emoji(text: str, draw: random.Random) -> str:
    """Add emoji at the end."""
    return text + " " + "".join(draw.choice(EMOJI) for _ in range(draw.randint(1, 3)))


def drop_points(text: str, draw: random.Random) -> str:
    """Write without punctuation between words."""
    return "".join(c for c in text if c not in ",.;!¡?¿\"'")


def typos(text: str, draw: random.Random) -> str:
    """Swap, double or drop a letter in some words."""
    return _words(text, draw, TYPO_SHARE, _typo)


def hide(text: str, draw: random.Random, how: Callable[[str], str] | None = None) -> str:
    """Hide a few words from filters: by one way drawn at random, if none is given."""
    long = [match.span() for match in WORD.finditer(text) if match.end() - match.start() > 3]
    how = how or draw.choice((leet, spaced, lookalike, zero_width))
    for start, end in sorted(draw.sample(long, min(len(long), draw.randint(1, HIDDEN_WORDS))), reverse=True):
        text = text[:start] + how(text[start:end]) + text[end:]
    return text


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    drop_accents,
    lower,
    upper,
    add_emoji,
    drop_points,
    typos,
    typos,
    hide,
    hide,
)


def augment(text: str, draw: random.Random) -> str:
    """Return the text with one change drawn at random."""
    return draw.choice(CHANGES)(text, draw)


def _words(text: str, draw: random.Random, share: float, change: Callable[[str, random.Random], str]) -> str:
    spans = [match.span() for match in WORD.finditer(text) if match.end() - match.start() > 3]
    chosen = draw.sample(spans, min(len(spans), max(1, round(share * len(spans)))))
    for start, end in sorted(chosen, reverse=True):
        text = text[:start] + change(text[start:end], draw) + text[end:]
    return text


def _typo(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word) - 1)
    return draw.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1 :],
        )
    )


def leet(word: str) -> str:
    """Write digits for letters."""
    return word.translate(LEET)


def spaced(word: str) -> str:
    """Set the letters apart."""
    return " ".join(word)


def lookalike(word: str) -> str:
    """Write letters of another alphabet that look alike."""
    return word.translate(LOOKALIKES)


def zero_width(word: str) -> str:
    """Put a character that nobody sees into the middle."""
    return word[: len(word) // 2] + ZERO_WIDTH + word[len(word) // 2 :]
