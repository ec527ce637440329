"""Masking what may identify a person, and leaving alone what does not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.redaction import redact, redact_stretch

MASKED = {
    "write to ana.b+c@example.com.br.": "write to [e-mail].",
    "José@correo.es, por favor": "[e-mail], por favor",
    "see https://t.me/foo?x=1. Now": "see [link]. Now",
    "(www.example.org/a_(b))": "([link]))",
    "en t.me/abc y bit.ly/x-1, o example.com!": "en [link] y [link], o [link]!",
    "@maria_99 e @joão.": "[handle] e [handle].",
    "call 555-1234 or +55 (11) 98765-4321 now": "call [phone] or [phone] now",
    "llama al 912 345 678": "llama al [phone]",
    "ligue (11) 98765-4321 às 18:00": "ligue [phone] às 18:00",
    "+5511987654321": "[phone]",
    "CPF 123.456.789-09, CNPJ 12.345.678/0001-95": "CPF [CPF], CNPJ [CNPJ]",
    "card 4111 1111 1111 1111 or 4111111111111111": "card [card] or [card]",
    "from 192.168.1.12": "from [IP address]",
    "DNI 12345678": "DNI [DNI]",
    "at 18:00 on 2026-11-24 call 555 123 4567": "at 18:00 on 2026-11-24 call [phone]",
}
LEFT_ALONE = [
    "a las 18:00, de 18:00-19:30, 18:00:30",
    "2026-11-24, 24/11/2026, 24.11.2026, 1-2-26, 2026-11-24 2026-11-25",
    "2026-11-24T18:00:00Z",
    "R$ 1.500, R$ 1.500.000,00, $1500000, US$ 20,000.50, € 300",
    "1.500.000 people, 12,5%, 3.14, 1500000 votes, in 2024-2026",
    "v1.2.3 and etc.and so on",
    "a @ b, foo@ bar",
    "",
]


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_what_may_identify_a_person_is_replaced_by_its_kind(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_times_prices_dates_and_plain_words_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_a_text_of_letters_and_spaces_stays_and_no_text_is_masked_twice(text: str) -> None:
    words = "".join(character for character in text if character.isalpha() or character == " ")

    assert redact(words) == words
    assert redact(redact(words + " 555-1234")) == redact(words + " 555-1234")


@given(st.text(alphabet="a1 .-@(+/:é", max_size=40), st.data())
def test_a_stretch_is_what_stands_in_the_masked_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    masked = redact_stretch(text, start, end)

    assert redact(text)[masked.start : masked.start + len(masked.text)] == masked.text


def test_kinds_that_are_left_stay_as_they_are() -> None:
    assert redact("@ana, ring 555-1234", leave=["handle"]) == "@ana, ring [phone]"


def test_half_of_a_number_is_masked_as_the_whole_of_it() -> None:
    masked = redact_stretch("ring 555-1234 now", 9, 17)

    assert (masked.start, masked.text) == (5, "[phone] now")


UNKIND = [
    "a",
    "a.",
    "1 ",
    "1",
    "@",
    "http://",
    "1234 ",
    "a@",
    "a@a.",
    "www.",
    "1.",
    "(",
    "1,111",
    "123.",
    "a-",
    "+.",
    "é1-",
    "dni ",
    "CPF 1",
    "dni a. ",
    "ab12 ",
    "ES91 2100 ",
    "912 345 678 ",
    "555-1234 ",
    "call 5",
    "caso 1-",
    "one ",
    "user a_",
    "@ ",
    "a (at) ",
    "a dot b ",
    "::",
    "1 000 ",
    "2024-",
    "1-2 ",
    "placa A",
    "lei n. 1.",
    "\u200b1",
]


@pytest.mark.parametrize("piece", UNKIND)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    start = time.thread_time()

    redact(text)
    redact(text + "x")

    assert time.thread_time() - start < 0.5
