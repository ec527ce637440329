"""Reports of one event in, those of independent sources out: none a copy of another, none from the same origin."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_SOURCES = 10  # counted no further: nobody does anything else at eleven
MOST_COMPARED = 100  # reports of an incident that are looked at
COPIED = 0.6  # of the pieces of the shorter of two texts; a story told by somebody else has a tenth
PIECE = 3  # words
UNRELIABLE, IMPROBABLE = "E", 5  # on the Admiralty scale: they corroborate nothing
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Origin:
    """Where a report comes from, and what it says."""

    escalation: int
    client: str
    source: str | None
    reporter: str | None = field(repr=False)
    reliability: str | None
    credibility: int | None
    text: str = field(repr=False)

    @property
    def counts(self) -> bool:
        """Return whether it can corroborate anything."""
        return self.reliability != UNRELIABLE and self.credibility != IMPROBABLE


def independent(origins: Sequence[Origin]) -> list[Origin]:
    """Return reports of which every two are independent, as many as are found going through them once.

    Those whose reporter is known come first, as they are told apart best.
    """
    chosen: list[tuple[Origin, frozenset[tuple[str, ...]]]] = []
    in_order = sorted(origins[:MOST_COMPARED], key=lambda one: (one.reporter is None, one.escalation))
    for origin in in_order:
        if len(chosen) == MOST_SOURCES:
            break
        if not origin.counts:
            continue
        pieces = pieces_of(origin.text)
        if all(_are_apart(origin, other) and not _is_copy(pieces, theirs) for other, theirs in chosen):
            chosen.append((origin, pieces))
    return [origin for origin, _ in chosen]


def pieces_of(text: str) -> frozenset[tuple[str, ...]]:
    """Return the runs of three words of a text; the whole of a shorter one."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return frozenset(tuple(words[at : at + PIECE]) for at in range(max(1, len(words) - PIECE + 1)))


def _are_apart(one: Origin, other: Origin) -> bool:
    """Return whether two reports come from different people: of one client and kind only where both are known."""
    if one.client != other.client:
        return True
    if one.reporter is not None and other.reporter is not None:
        return one.reporter != other.reporter
    return one.source != other.source and None not in (one.source, other.source)


def _is_copy(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    return len(one & other) >= COPIED * min(len(one), len(other))
