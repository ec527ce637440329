"""A report is shown as it is, character for character, with whatever hides or steers made visible."""

from hypothesis import given
from hypothesis import strategies as st

from riskmodel.records import Evidence
from riskmodel.service.page.marking import glyphs, pieces


def stood_for(shown: str, stands_for: int | None) -> int:
    return len(shown) if stands_for is None else stands_for


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_shown_stands_for_every_character(text: str) -> None:
    shown = list(glyphs(text))
    assert sum(stood_for(glyph.text, glyph.stands_for) for glyph in shown) == len(text)
    at = 0
    for glyph in shown:
        if glyph.stands_for is None:
            assert text[at : at + len(glyph.text)] == glyph.text
        at += stood_for(glyph.text, glyph.stands_for)


def test_what_steers_or_hides_is_shown_by_its_number() -> None:
    shown = [(glyph.text, glyph.stands_for) for glyph in glyphs("a\u202eb\x07\x07\x07\u200b")]
    assert shown == [("a", None), ("U+202E", 1), ("b", None), ("U+0007 ×3", 3), ("U+200B", 1)]


def test_lines_and_emoji_are_left_whole() -> None:
    assert [glyph.text for glyph in glyphs("a\n\tb 👩\u200d👩\u200d👧")] == ["a\n\tb 👩\u200d👩\u200d👧"]


def test_a_line_break_of_two_characters_counts_two() -> None:
    assert [(glyph.text, glyph.stands_for) for glyph in glyphs("a\r\nb")] == [("a", None), ("", 1), ("\nb", None)]


def test_evidence_is_marked_by_weight_where_it_lies() -> None:
    evidence = [
        Evidence(start=2, end=4, text="cd", weight=0.5),
        Evidence(start=3, end=6, text="def", weight=0.05),
        Evidence(start=8, end=99, text="", weight=0.2),
    ]
    shown = [(piece.glyphs[0].text, piece.weight) for piece in pieces("abcdefghij", evidence)]
    assert shown == [("ab", 0), ("c", 3), ("d", 3), ("ef", 1), ("gh", 0), ("ij", 2)]


def test_evidence_of_a_text_with_emoji_is_counted_in_characters() -> None:
    (before, marked) = pieces("🔪🔪 now", [Evidence(start=3, end=6, text="now", weight=0.4)])
    assert (before.glyphs[0].text, marked.glyphs[0].text) == ("🔪🔪 ", "now")
