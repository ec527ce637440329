"""Undoing what hides words, and leaving ordinary writing alone."""

import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.spelling import plain

HANDFUL = 1 / 250  # of ordinary texts; a few do write words with digits, or letters apart
DIGITS = "013457@$"  # that stand for letters
UNSEEN = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u206f\ufeff"

UNDONE = {
    "a zero-width space": ("k\u200bill her", "kill her"),
    "a soft hyphen": ("ma\u00adtar", "matar"),
    "direction marks": ("\u202ekill\u202c", "kill"),
    "a byte order mark": ("\ufeffbomb", "bomb"),
    "a joiner between letters": ("k\u200dill", "kill"),
    "two unseen in a row": ("k\u200d\u200bill", "kill"),
    "Cyrillic letters in a Latin word": ("m\u0430t\u0430r", "matar"),
    "a Greek letter in a Latin word": ("b\u03bfmb", "bomb"),
    "Cyrillic capitals": ("\u0412OMB", "BOMB"),
    "digits between letters": ("h4ll0 w0rld", "hallo world"),
    "digits for most letters": ("m4t4r4", "matara"),
    "a dollar sign": ("a$$ets", "assets"),
    "an at sign": ("c@sa", "casa"),
    "a digit at the end of such a word": ("v4g4bund0, m", "vagabundo, m"),
    "letters set apart by dots": ("k.i.l.l", "kill"),
    "three letters set apart by dots": ("g.a.s", "gas"),
    "letters set apart by hyphens": ("K-I-L-L them", "KILL them"),
    "letters set apart by stars": ("m*a*t*a*r", "matar"),
    "letters set apart by spaces": ("para m a t a r hoje", "para matar hoje"),
    "four letters set apart by spaces": ("un g i l o así", "un gilo así"),
    "unseen among letters set apart": ("k.\u200bi.l.l", "kill"),
    "a look-alike among letters set apart": ("\u0441.a.s.a", "casa"),
    "a look-alike among letters set apart by spaces": ("\u0441 a s a", "casa"),
    "letters set apart beside a word with digits": ("s3ll3r m e n t i r a$$ets", "seller mentir assets"),
    "accents": ("v.ã.o", "vão"),
}
STAY = {
    "plain words": "He will come to the school tomorrow, at ten.",
    "accents": "Vão à escola amanhã; ¿quién más? Ñandú.",
    "combining characters": "un cafe\u0301 man\u0303ana",
    "Cyrillic words": "Он сказал, что убьёт её завтра",
    "Cyrillic words beside Latin ones": "the word хорошо means good",
    "a Cyrillic word with a digit in it": "дом4ик",
    "a Greek word": "το σπίτι καίγεται",
    "joined emoji": "👩\u200d👩\u200d👧 🏳️\u200d🌈 ❤️\u200d🔥 🧑🏽\u200d⚖️",
    "a flag of tags": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "clock times": "at 10:30, 3:45pm, 10am to 5pm, 5pm-7pm, às 14h, 8h15",
    "clock times in one word": "14h30min, 10h30m (7h05min)",
    "dates": "on 2026-01-31T18:00:00Z, 31/01/2026, the 1st and 3rd of March",
    "amounts": "$500, $100usd, US$300, R$ 1.500,00, 50k, 300mil, 20€",
    "amounts in one word": "US$300k R$500mil R$1,5mi (R$3mil/mês)",
    "amounts after a code": "USD300k, MXN500mil, BRL3mi",
    "plates, viruses and hashes": "placa ABC1D23, H1N1, H5N1, 1a2b3c4d",
    "handles beside signs": "by:@us3rn4me! (@us3rn4me), #h4sh",
    "telephone numbers": "+55 11 98765-4321, 1-800-555",
    "e-mail addresses": "write to m4rcos.p3z@example.com now",
    "e-mail addresses of single letters": "write to j.r.r@example.com now",
    "links": "https://example.org/a4b/t-o-p?x=c0de www.ex4mple.org",
    "handles and tags": "@us3rn4me #h4shtag #a.b.c",
    "an address of a wallet": "0x4ab3c1d",
    "models": "mp3, COVID-19, G7, 4x4, an AK47, two AK47s, PS5s, iPhone13s",
    "two letters set apart": "9 a.m. or e.g. p.m.",
    "short words in a row": "y o u, tú y yo e o a",
    "joined words": "Jean-Luc, e-mail, x-ray, snake_case",
    "a digit at the end": "covid19, level2, abc1",
    "short tokens": "b4 i5s 4u",
    "blank": " \r\n\t",
    "nothing": "",
}


def any_text() -> st.SearchStrategy[str]:
    """Return texts of any characters, and texts that hide words again and again."""
    hiding = st.text(
        alphabet=f"abkx .-_*:/#9\n😀❤\u200d\ufe0f\u0301\u0430\u0435\u0431\u03bf{DIGITS}{UNSEEN}", max_size=40
    )
    return st.one_of(st.text(max_size=60), hiding)


def pieces(text: str) -> list[str]:
    """Return what each character of the plain text is in the original."""
    read = plain(text)
    each = np.arange(len(read.text), dtype=np.int32)
    return [text[start:end] for start, end in read.spans(np.stack([each, each + 1], axis=1)).tolist()]


@pytest.mark.parametrize(("hidden", "expected"), UNDONE.values(), ids=UNDONE)
def test_what_hides_a_word_is_undone(hidden: str, expected: str) -> None:
    assert plain(hidden).text == expected


@pytest.mark.parametrize("text", STAY.values(), ids=STAY)
def test_ordinary_writing_stays_to_the_letter(text: str) -> None:
    assert plain(text).text == text


@pytest.mark.parametrize("character", UNSEEN, ids=unicodedata.name)
def test_every_character_that_nobody_sees_is_taken_out(character: str) -> None:
    assert plain(f"bo{character}mb {character}").text == "bomb "


def test_of_the_ordinary_texts_of_the_corpus_all_but_a_handful_stay_to_the_letter(train_frame: pd.DataFrame) -> None:
    changed = [text for text in train_frame["text"] if plain(text).text != text]

    assert 0 < len(changed) < HANDFUL * len(train_frame)


@given(text=any_text())
@settings(deadline=None, max_examples=300)
def test_every_letter_points_at_the_letter_it_was(text: str) -> None:
    read = plain(text)

    found = pieces(text)

    assert len(found) == len(read.text)
    assert all(len(piece) == 1 for piece in found)
    for piece, letter in zip(found, read.text, strict=True):
        assert piece == letter or (letter.isascii() and letter.isalpha() and (piece in DIGITS or not piece.isascii()))


@given(text=any_text(), data=st.data())
@settings(deadline=None, max_examples=200)
def test_a_stretch_points_at_the_original_from_its_first_letter_to_its_last(text: str, data: st.DataObject) -> None:
    read = plain(text)
    start = data.draw(st.integers(0, len(read.text)))
    end = data.draw(st.integers(start, len(read.text)))

    ((first, last),) = read.spans(np.array([[start, end]], dtype=np.int32)).tolist()

    if start == end:
        assert first == last
    else:
        each = read.spans(np.array([[start, start + 1], [end - 1, end]], dtype=np.int32))
        assert [first, last] == [each[0, 0], each[1, 1]]
        assert 0 <= first < last <= len(text)


def test_a_hidden_word_points_at_all_of_what_hid_it() -> None:
    text = "he will k.i.l.l her, s\u200bhe says"
    read = plain(text)
    found = [(read.text.index(word), read.text.index(word) + len(word)) for word in ("kill", "she")]

    spans = read.spans(np.array(found, dtype=np.int32)).tolist()

    assert [text[start:end] for start, end in spans] == ["k.i.l.l", "s\u200bhe"]


def test_no_stretches_stay_none() -> None:
    nothing = np.empty((0, 2), dtype=np.int32)

    assert plain("k.i.l.l").spans(nothing).tolist() == plain("kill").spans(nothing).tolist() == []


@given(text=any_text().map(lambda text: "".join(letter for letter in text if letter not in DIGITS)))
@settings(deadline=None, max_examples=300)
def test_what_is_plain_stays_plain(text: str) -> None:
    once = plain(text).text

    assert plain(once).text == once


def test_a_digit_that_stood_alone_among_letters_set_apart_is_not_joined_with_them() -> None:
    once = plain("a0b.4.c.d").text  # the one place where undoing twice undoes more

    assert once == "aob.a.c.d"
    assert plain(once).text == "aob.acd"


@given(text=st.text(alphabet="абвгдежзийклмнопрстуфхцчшщъыьэюя А", max_size=60))
@settings(deadline=None, max_examples=100)
def test_cyrillic_words_written_together_stay(text: str) -> None:
    words = " ".join(word for word in text.split() if len(word) > 1)

    assert plain(words).text == words


@pytest.mark.parametrize(
    "text",
    ["\u200b" * 20_000, "a." * 10_000, "a " * 10_000, "а" * 10_000 + "a", "1a" * 10_000, "@" * 20_000, "$1" * 10_000],
    ids=["unseen", "dots", "spaces", "look-alikes", "digits", "at signs", "amounts"],
)
def test_a_long_text_is_read_in_no_time(text: str) -> None:
    started = time.perf_counter()

    plain(text)

    assert time.perf_counter() - started < 1
