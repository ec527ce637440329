"""A language and a folder in, the words of what we show out: one TOML file a language, the same keys in each.

What the values of vocabularies are called (ratings, categories, sources, teams, ...) stands once, in ``vocabularies``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.records import Language

VOCABULARIES = Path(__file__).with_name("vocabularies")


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


def read_catalogue(folder: Path, language: Language) -> Catalogue:
    """Return the words of a folder in a language, with those of the vocabularies."""
    read = [tomllib.loads((path / f"{language}.toml").read_text(encoding="utf-8")) for path in (VOCABULARIES, folder)]
    return Catalogue(language, flat(read[0]) | flat(read[1]))


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the leaves of nested tables by dotted keys."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        leaves |= {prefix + key: value} if isinstance(value, str) else flat(value, f"{prefix}{key}.")
    return leaves
