"""What is found, and the text it is found in: a stretch that is taken is blank for whoever looks next."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

BLANK = "\x00"  # neither a letter, a digit, a space nor a sign: no shape reaches across it
HARMLESS = ""  # the kind of what looks like a number of somebody and is not


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text with its kind."""

    start: int
    end: int
    kind: str


Finder = Callable[[str], Iterable[Span]]


def found_in_turn(text: str, finders: Iterable[Finder]) -> Iterator[Span]:
    """Return what the finders find, each in what the ones before it have left; of two that overlap the first stays."""
    for finder in finders:
        taken, at = [], 0
        for span in sorted(finder(text), key=lambda span: (span.start, -span.end)):
            if span.start >= at:
                taken.append(span)
                at = span.end
        yield from taken
        text = _blanked(text, taken)


def _blanked(text: str, taken: list[Span]) -> str:
    if not taken:
        return text
    parts, at = [], 0
    for span in taken:
        parts += [text[at : span.start], BLANK * (span.end - span.start)]
        at = span.end
    return "".join([*parts, text[at:]])
