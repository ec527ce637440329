"""What is found has a kind, a place in the text as sent, and a value that is the same for every spelling of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.redaction import find, redact


def found(text: str, market: str | None = None) -> list[tuple[str, str]]:
    return [(finding.kind, finding.value) for finding in find(text, market)]


def test_each_finding_says_where_it_stands() -> None:
    text = "Ligue (11) 98765-4321 ou escreva a ana@correo.example"

    places = [text[finding.start : finding.end] for finding in find(text)]

    assert places == ["(11) 98765-4321", "ana@correo.example"]


SPELLINGS = [
    ("phone", "+55 (11) 98765-4321", "tel (11) 98765-4321", "+5511987654321"),
    ("phone", "+52 55 1234 5678", "mi cel es cinco cinco uno dos tres cuatro cinco seis siete ocho", None),
    ("e-mail", "Ana.Paz@Correo.example", "ana.paz (arroba) correo (punto) example", "ana.paz@correo.example"),
    ("e-mail", "ana@correo.com", "ana arroba correo punto com", "ana@correo.com"),
    ("handle", "@Maria_99", "usuario maria_99", "maria_99"),
    ("link", "https://www.Rifas.example/A", "hxxp://rifas[.]example/A/", "rifas.example/A"),
    ("IP address", "2001:db8:0:0::1", "2001:DB8::1", "2001:db8::1"),
    ("CPF", "529.982.247-25", "CPF 5 2 9 9 8 2 2 4 7 2 5", "52998224725"),
    ("RUT", "12.345.678-5", "rut 12345678-5", "123456785"),
    ("card", "4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"),
    ("case", "expediente 25/011873", "exp. 25-011873", "25-011873"),
]


@pytest.mark.parametrize(("kind", "one", "other", "value"), SPELLINGS)
def test_two_spellings_of_the_same_thing_have_one_value(kind: str, one: str, other: str, value: str | None) -> None:
    market = "MX" if value is None else "BR"

    assert found(one, market) == found(other, market) == [(kind, value or "+525512345678")]


def test_a_phone_number_without_a_country_is_its_digits() -> None:
    assert found("call 555-1234") == [("phone", "5551234")]


def test_characters_that_nobody_sees_and_wide_digits_hide_nothing() -> None:
    text = "cart\u200bão 4111\u200b1111\u200b1111\u200b1111 e ５２９.９８２.２４７-２５."

    assert redact(text) == "cart\u200bão [card] e [CPF]."


@given(st.text(alphabet="a1٣ .-@(+/:é\u200b\u200d\u00ad５", max_size=40))
def test_findings_are_in_order_and_never_overlap_or_leave_the_text(text: str) -> None:
    ends = [0]
    for finding in find(text):
        assert ends[-1] <= finding.start < finding.end <= len(text)
        ends.append(finding.end)
