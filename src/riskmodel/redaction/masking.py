"""A text in, the same text out with the kind of each thing found in its place: ``[phone]``, ``[CPF]``."""

from collections.abc import Collection
from dataclasses import dataclass

from riskmodel.redaction.finding import spans
from riskmodel.redaction.spans import Span


@dataclass(frozen=True)
class Masked:
    """A stretch of a masked text, and the character of the masked text at which it begins."""

    start: int
    text: str


def redact(text: str, leave: Collection[str] = ()) -> str:
    """Return the text with each thing that may identify a person replaced by its kind, such as ``[phone]``.

    Kinds in ``leave`` stay as they are.
    """
    return _mask(text, [span for span in spans(text) if span.kind not in leave], 0, len(text))


def redact_stretch(text: str, start: int, end: int) -> Masked:
    """Return what stands in the masked text for a stretch of the text; it grows to whole masks at its ends.

    A stretch by itself may hold half of a phone number, which no longer looks like one.
    """
    found = spans(text)
    cut = [span for span in found if span.start < end and span.end > start]
    start = min([start, *(span.start for span in cut)])
    end = max([end, *(span.end for span in cut)])
    return Masked(len(_mask(text, found, 0, start)), _mask(text, found, start, end))


def _mask(text: str, found: list[Span], start: int, end: int) -> str:
    """Return a stretch that cuts no span, masked."""
    parts, at = [], start
    for span in found:
        if start <= span.start and span.end <= end:
            parts += [text[at : span.start], f"[{span.kind}]"]
            at = span.end
    return "".join([*parts, text[at:end]])
