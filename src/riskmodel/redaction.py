"""A text in, the same text out with what may identify a person masked: addresses, links, handles, phones, numbers.

It finds what has a shape, and nothing else: no names, no street addresses, no numbers written in words, no e-mail
address or number that is written apart to hide it. It leaves times, prices and dates alone; a phone number that looks
like one of these (``12-34-5678``) stays, and a domain without a path is a link only under a few endings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PATTERNS = {
    "e-mail": r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "link": r"(?<!\w)(?:https?://|www\.)[^\s<>\"“”«»]*[^\s<>\"“”«».,;:!?)\]]"
    r"|(?<![\w.@-])(?:[\w-]+\.)+[A-Za-z]{2,}/[^\s<>\"“”«»]*[^\s<>\"“”«».,;:!?)\]]"
    r"|(?<![\w.@-])(?:[\w-]+\.)+(?:com|net|org|info|xyz|io|app|ly|gg|site|online|shop)(?:\.[a-z]{2})?(?!\w)",
    "handle": r"(?<![\w.@])@\w(?:[\w.]*\w)?",
    # What looks like a number but tells of nobody; the names' order is the order in which they are tried.
    "price": r"(?:R\$|US\$|[$€£])\s?\d[\d.,]*",
    "date": r"(?<![\w.-])(?:\d{4}-\d{2}-\d{2}|\d{1,2}(?P<between>[./-])\d{1,2}(?P=between)(?:\d{4}|\d{2}))"
    r"(?![\d-])(?!\.\d)",
    "time": r"(?<![\w:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:])",
    "amount": r"(?<![\w.,-])\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?(?![.,/-]?\d)",
    "years": r"(?<![\w.-])(?:19|20)\d{2} ?- ?(?:19|20)\d{2}(?![\w-])",
    # Cards and documents: grouped by fours, a CPF or CNPJ, an IP address, or 8 digits and more in a row.
    "number": r"(?<!\w)(?:\d{4}[ -]){2,}\d{1,4}(?:[ -]\d{1,4})*(?!\w)"
    r"|(?<!\w)\d{2,3}\.\d{3}\.\d{3}(?:/\d{4})?-\d{2}(?!\w)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)"
    r"|(?<![\w+])\d{8,}",
    "phone": r"(?<!\w)(?:\+|\(\+?)?(?!\d{7}(?!\d))\d(?:[ ().-]{0,2}(?!\d{4}-\d{2}-\d{2})\d){6,30}(?!\w)",
}
_LEFT_ALONE = ("price", "date", "time", "amount", "years")
_SHAPES = re.compile("|".join(f"(?P<{name.replace('-', '')}>{pattern})" for name, pattern in _PATTERNS.items()))
_MASKS = {name.replace("-", ""): f"[{name}]" for name in _PATTERNS if name not in _LEFT_ALONE}


@dataclass(frozen=True)
class Masked:
    """A stretch of a masked text, and the character of the masked text at which it begins."""

    start: int
    text: str


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    mask: str


def redact(text: str) -> str:
    """Return the text with each thing that may identify a person replaced by its kind, such as ``[phone]``."""
    return _mask(text, list(_spans(text)), 0, len(text))


def redact_stretch(text: str, start: int, end: int) -> Masked:
    """Return what stands in the masked text for a stretch of the text; it grows to whole masks at its ends.

    A stretch by itself may hold half of a phone number, which no longer looks like one.
    """
    spans = list(_spans(text))
    cut = [span for span in spans if span.start < end and span.end > start]
    start = min([start, *(span.start for span in cut)])
    end = max([end, *(span.end for span in cut)])
    return Masked(len(_mask(text, spans, 0, start)), _mask(text, spans, start, end))


def _spans(text: str) -> Iterator[_Span]:
    for match in _SHAPES.finditer(text):
        mask = _MASKS.get(str(match.lastgroup))
        if mask is not None:
            yield _Span(match.start(), match.end(), mask)


def _mask(text: str, spans: list[_Span], start: int, end: int) -> str:
    """Return a stretch that cuts no span, masked."""
    parts, at = [], start
    for span in spans:
        if start <= span.start and span.end <= end:
            parts += [text[at : span.start], span.mask]
            at = span.end
    return "".join([*parts, text[at:end]])
