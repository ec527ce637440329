"""Whatever the pages say, they say in three languages."""

import re
from itertools import pairwise

import pytest

from riskmodel.policy import Policy
from riskmodel.records import LANGUAGES, PROXIMITIES, RATINGS, SEVERITIES, SOURCES
from riskmodel.service.page.catalogue import catalogue, choose
from riskmodel.service.page.filtering import PURPOSES, REASONS
from riskmodel.service.page.rendering import FOLDER
from riskmodel.service.page.wording import SHORTCUTS

PLACES = re.compile(r"\{\w+\}")


def test_every_string_is_there_in_every_language() -> None:
    for one, other in pairwise(map(catalogue, LANGUAGES)):
        assert one.words.keys() == other.words.keys()
        assert not [key for key, words in other.words.items() if not words.strip()]


def test_a_string_is_filled_in_alike_in_every_language() -> None:
    for one, other in pairwise(map(catalogue, LANGUAGES)):
        for key in one.words:
            assert set(PLACES.findall(one.words[key])) == set(PLACES.findall(other.words[key])), key


def test_every_string_that_a_page_asks_for_is_there() -> None:
    asked = re.compile(r"\bt\('([a-z_0-9.]+)'")
    files = [*(FOLDER / "templates").glob("*.html"), *FOLDER.glob("*.py")]
    found = {key for file in files for key in asked.findall(file.read_text(encoding="utf-8").replace('"', "'"))}
    missing = {key for key in found if not key.endswith(".")} - catalogue("en").words.keys()
    assert not missing
    said = re.compile(r'say\("(\w+)"')
    script = (FOLDER / "static" / "review.js").read_text(encoding="utf-8")
    assert set(said.findall(script)) <= catalogue("en").group("script").keys()


def test_every_word_of_the_vocabularies_and_every_key_has_a_name(policy: Policy) -> None:
    groups = {
        "ratings": RATINGS,
        "severities": SEVERITIES,
        "proximities": PROXIMITIES,
        "sources": SOURCES,
        "categories": policy.category_names,
        "teams": policy.teams,
        "reasons": tuple(reason.replace(" ", "_") for reason in REASONS),
        "purposes": PURPOSES,
    }
    words = catalogue("en").words
    for group, values in groups.items():
        assert not [value for value in values if f"{group}.{value}" not in words]
    for group, shortcuts in SHORTCUTS.items():
        assert not [name for _, name in shortcuts if f"keys.{group}.{name}" not in words]


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "fr, pt-BR;q=0.8, es;q=0.9", "es"),
        ("pt", "es", "pt"),
        ("klingon", "es-MX", "es"),
        (None, "es;q=0, pt;q=0.1", "pt"),
        (None, "es;q=lots", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_first_of_ours_that_a_browser_accepts(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert choose(chosen, accepted) == language
