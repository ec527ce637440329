"""A text in, what may identify a person out, each with its kind, its place and what it says however it is written."""

import re
from dataclasses import dataclass

from riskmodel.redaction.cases import cases
from riskmodel.redaction.documents import announced_documents, bare_documents, firm_documents
from riskmodel.redaction.harmless import harmless, small_numbers
from riskmodel.redaction.network import addresses, named_handles
from riskmodel.redaction.phones import announced_phones, numbers, written_phones
from riskmodel.redaction.plain import Plain, plain
from riskmodel.redaction.spans import HARMLESS, Finder, Span, found_in_turn
from riskmodel.redaction.spelled import spelled_numbers
from riskmodel.redaction.values import value

# The surest first: each looks in what those before it have left. The number: digits without which it finds nothing.
_FINDERS: tuple[tuple[Finder, int], ...] = (
    (addresses, 0),
    (firm_documents, 5),
    (announced_documents, 2),
    (cases, 4),
    (harmless, 7),
    (announced_phones, 7),
    (bare_documents, 7),
    (small_numbers, 7),
    (written_phones, 7),
    (spelled_numbers, 0),
    (numbers, 7),
    (named_handles, 0),
)
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Finding:
    """Something that may identify a person, at ``start:end`` of the text as sent (code points).

    ``kind``: the name in its mask, such as ``phone`` or ``CPF``. ``value``: the same for every spelling of it.
    """

    kind: str
    start: int
    end: int
    value: str


def find(text: str, market: str | None = None) -> list[Finding]:
    """Return what may identify a person, in order, no two overlapping; ``market`` (``BR``) completes phone numbers."""
    shown = plain(text)
    return [
        Finding(sent.kind, sent.start, sent.end, value(span.kind, shown.text[span.start : span.end], market))
        for span in _spans(shown.text)
        for sent in [_as_sent(span, shown)]
    ]


def spans(text: str) -> list[Span]:
    """Return the stretches that may identify a person, in order, no two overlapping."""
    shown = plain(text)
    return [_as_sent(span, shown) for span in _spans(shown.text)]


def _spans(text: str) -> list[Span]:
    digits = len(_DIGIT.findall(text))
    finders = [finder for finder, least in _FINDERS if digits >= least]
    found = (span for span in found_in_turn(text, finders) if span.kind != HARMLESS)
    return sorted(found, key=lambda span: span.start)


def _as_sent(span: Span, shown: Plain) -> Span:
    return Span(shown.as_sent(span.start), shown.as_sent(span.end - 1) + 1, span.kind)
