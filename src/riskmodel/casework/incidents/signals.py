"""A report in, what it names that another report of the same event may name too out: links, handles, numbers, names."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from riskmodel.redaction import find

NAME, REPORTER, HANDLE, LINK, SITE = "name", "reporter", "handle", "link", "site"
SOFT = frozenset({NAME, REPORTER, SITE})  # any other kind identifies something by itself
MAX_VALUE_CHARACTERS = 200
LEAST_DIGITS = 3  # of a number that may tell one event from another; ages and times are shorter
_WORD = re.compile(r"[^\W_]+(?:[._'’,-]*[^\W]+)*")
_BEGINS = re.compile(r"(?:^|[.!?…:]\s*|\n\s*|[\"“«(]\s*)$")
_SEPARATORS = re.compile(r"[.,'’-]")
_ACCOUNT = re.compile(
    r"(?=.{6})(?=.*[^\W\d_])\w+(?:[._]\w+)*[._]\w{2,}"
)  # an account's name without a word that says so
# English writes them with a capital, as if they were names.
_CALENDAR = frozenset(
    (
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    )
)


@dataclass(frozen=True)
class Signal:
    """Something that a report names; ``value`` is the same for every spelling of it."""

    kind: str
    value: str


def signals(text: str, market: str | None = None) -> list[Signal]:
    """Return what a text names, each value once; what identifies by itself speaks before names."""
    found: dict[str, str] = {}
    findings = find(text, market)
    for one in findings:
        found.setdefault(_plain(one.value)[:MAX_VALUE_CHARACTERS], one.kind)
    for one in findings:
        site, _, path = one.value.partition("/")
        if one.kind == LINK and path:
            found.setdefault(_plain(site)[:MAX_VALUE_CHARACTERS], SITE)
    rest = list(text)
    for one in findings:
        rest[one.start : one.end] = "\n" * (one.end - one.start)
    for value, kind in _names("".join(rest)):
        found.setdefault(value[:MAX_VALUE_CHARACTERS], kind)
    return [Signal(kind, value) for value, kind in found.items() if value]


def reporter_signal(client: str, reporter: str) -> Signal:
    """Return the signal of who reported; an identifier is the client's own."""
    return Signal(REPORTER, f"{client}/{reporter}"[:MAX_VALUE_CHARACTERS])


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Yield words with a capital that does not begin a sentence, names of accounts, and longer numbers."""
    for match in _WORD.finditer(text):
        word, plain = match[0], _plain(match[0])
        digits = sum(map(str.isdigit, word))
        if _ACCOUNT.fullmatch(word):
            yield plain, HANDLE
        elif digits and not any(map(str.isalpha, word)):
            number = _SEPARATORS.sub("", word)
            if digits >= LEAST_DIGITS and number.isdigit():
                yield number, NAME
        elif len(word) > 1 and plain not in _CALENDAR and (digits or _is_name(word, text, match.start())):
            yield plain, NAME


def _is_name(word: str, text: str, start: int) -> bool:
    return word[0].isupper() and not _BEGINS.search(text[max(0, start - 4) : start])


def _plain(word: str) -> str:
    """Return a word without capitals and accents."""
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))
