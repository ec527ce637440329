"""A language in, the words of the review pages out; and what a browser asks for in, a language out."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from riskmodel.catalogue import Catalogue, read_catalogue
from riskmodel.records import LANGUAGES, Language

FOLDER = Path(__file__).with_name("catalogues")
DEFAULT: Language = "en"

__all__ = ["DEFAULT", "FOLDER", "Catalogue", "catalogue", "choose"]


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the catalogue of a language."""
    return read_catalogue(FOLDER, language)


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
