"""Every change of a text keeps what it promises, and the seed decides it."""

import random
import unicodedata
from collections.abc import Callable

import pandas as pd
import pytest

from riskmodel.spelling import plain
from riskmodel.stages.lexical import WORD, normalise
from training.augment import (
    CHANGES,
    HIDDEN_WORDS,
    ZERO_WIDTH,
    add_emoji,
    augment,
    drop_accents,
    drop_points,
    hide,
    leet,
    lookalike,
    lower,
    spaced,
    typos,
    upper,
    zero_width,
)

TEXT = "¡Atenção! El niño dice: “mañana, a las 3.30, quemarán la tienda”, they said; não é uma brincadeira?"
SEEDS = range(8)


def changed_words(before: str, after: str) -> list[tuple[str, str]]:
    """Return the words that differ, of texts of as many words."""
    return [(old, new) for old, new in zip(before.split(), after.split(), strict=True) if old != new]


def test_without_accents_only_the_accents_are_gone() -> None:
    found = drop_accents(TEXT, random.Random(0))

    assert "Atencao! El nino dice" in found
    assert not any(unicodedata.combining(character) for character in unicodedata.normalize("NFKD", found))
    assert [normalise(word) for word in WORD.findall(found)] == [normalise(word) for word in WORD.findall(TEXT)]


def test_case_is_all_that_capitals_change() -> None:
    assert lower(TEXT, random.Random(0)) == TEXT.lower()
    assert upper(TEXT, random.Random(0)) == TEXT.upper()


@pytest.mark.parametrize("seed", SEEDS)
def test_emoji_come_after_a_text_that_stays_as_it_is(seed: int) -> None:
    found = add_emoji(TEXT, random.Random(seed))

    added = found.removeprefix(TEXT + " ")
    assert found.startswith(TEXT + " ")
    assert added
    assert not any(character.isalnum() for character in added)


def test_without_punctuation_the_words_stay() -> None:
    assert (
        drop_points('Hi! Did they? ¿Sí? No, wait; it\'s "fine".', random.Random(0)) == "Hi Did they Sí No wait its fine"
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slip_changes_one_letter_of_one_long_word_in_a_short_text(seed: int) -> None:
    found = typos(TEXT, random.Random(seed))

    slips = changed_words(TEXT, found)
    assert len(slips) <= 1  # two equal letters that are swapped show no slip
    for old, new in slips:
        assert len(old) > 3
        assert abs(len(new) - len(old)) <= 1
        assert len(set(old) ^ set(new)) <= 1


def test_slips_grow_in_number_with_the_text() -> None:
    long = " ".join(["escalation"] * 100)

    assert 4 <= len(changed_words(long, typos(long, random.Random(0)))) <= 6


@pytest.mark.parametrize("how", [leet, lookalike, zero_width], ids=lambda how: how.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_long_words_are_hidden_and_the_others_stay(how: Callable[[str], str], seed: int) -> None:
    hidden = changed_words(TEXT, hide(TEXT, random.Random(seed), how))

    assert len(hidden) <= HIDDEN_WORDS
    assert all(len(old) > 3 for old, _ in hidden)


@pytest.mark.parametrize(
    ("how", "hidden"),
    [(leet, "7h3y 5h4r3"), (spaced, "t h e y  s h a r e"), (zero_width, f"th{ZERO_WIDTH}ey sh{ZERO_WIDTH}are")],
    ids=["leet", "spaced", "zero width"],
)
def test_each_way_to_hide_a_word_leaves_it_readable(how: Callable[[str], str], hidden: str) -> None:
    first, second = (how(word) for word in ("they", "share"))

    assert f"{first}{'  ' if how is spaced else ' '}{second}" == hidden


def test_look_alikes_look_alike_and_are_other_letters() -> None:
    found = lookalike("space")

    assert found != "space"
    assert len(found) == 5
    assert "CYRILLIC" in unicodedata.name(found[2])


@pytest.mark.parametrize("how", [spaced, lookalike, zero_width], ids=lambda how: how.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_hidden_word_is_read_by_the_service_as_if_it_were_not(how: Callable[[str], str], seed: int) -> None:
    text = "They threatened to attack the market tonight"

    found = hide(text, random.Random(seed), how)

    assert found != text
    assert plain(found).text.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "😀", "no es él", "  ", "\n"])
def test_a_text_without_long_words_is_not_hidden_and_has_no_slips(text: str) -> None:
    assert hide(text, random.Random(0)) == text
    assert typos(text, random.Random(0)) == text


def test_a_seed_gives_the_same_changes_again_and_another_seed_others() -> None:
    def changed(seed: int) -> list[str]:
        draw = random.Random(seed)
        return [augment(TEXT, draw) for _ in range(20)]

    assert changed(1) == changed(1)
    assert changed(1) != changed(2)
    assert len(set(changed(1))) > 5


def test_no_change_makes_a_report_much_shorter_or_longer(sample_frame: pd.DataFrame) -> None:
    draw = random.Random(0)

    for text in sample_frame["text"].iloc[:100]:
        for change in set(CHANGES):
            assert 0.8 < len(change(text, draw)) / len(text) < 1.6, change.__name__
