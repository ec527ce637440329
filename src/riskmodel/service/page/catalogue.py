"""A language in, the words of the interface out: one TOML file a language, the same keys in each."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from riskmodel.records import LANGUAGES, Language

FOLDER = Path(__file__).with_name("catalogues")
DEFAULT: Language = "en"


@dataclass(frozen=True)
class Catalogue:
    """The words of one language, by dotted keys."""

    language: Language
    words: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key, with values filled in.

        Raises:
            KeyError: if there is no such key: a fault of a template.
        """
        words = self.words[key]
        return words.format_map(values) if values else words

    def group(self, prefix: str) -> dict[str, str]:
        """Return the words of one table by their last keys."""
        return {key.rpartition(".")[2]: words for key, words in self.words.items() if key.startswith(f"{prefix}.")}

    def name(self, group: str, value: str | None) -> str:
        """Return what a value of a vocabulary is called, such as a source; the value itself where it has no name."""
        return "" if value is None else self.words.get(f"{group}.{value.replace(' ', '_')}", value)


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the catalogue of a language."""
    return Catalogue(language, flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the leaves of nested tables by dotted keys."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        leaves |= {prefix + key: value} if isinstance(value, str) else flat(value, f"{prefix}{key}.")
    return leaves


def choose(wanted: str | None, accept_language: str) -> Language:
    """Return the language that was asked for, else the first one of ours that a browser accepts."""
    for tag in (wanted or "", *_by_quality(accept_language)):
        for language in LANGUAGES:
            if tag.lower().partition("-")[0] == language:
                return language
    return DEFAULT


def _by_quality(accept_language: str) -> Sequence[str]:
    tags = [part.strip().partition(";q=") for part in accept_language.split(",")[:20]]
    return [tag for tag, _, quality in sorted(tags, key=lambda tag: -_number(tag[2])) if _number(quality) > 0]


def _number(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0
