"""Of a reply only what its sender wrote is taken, whatever program wrote it, and in time that grows with its length."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.casework.replies import text_of_html, written


@pytest.mark.parametrize(
    "marker",
    [
        "On Sun, 1 Mar 2026 at 12:00, Desk <desk@example.org> wrote:",
        "On Sun, 1 Mar 2026 at 12:00, Desk\n<desk@example.org> wrote:",
        "El dom, 1 mar 2026 a las 12:00, Desk (<desk@example.org>) escribió:",
        "Em dom., 1 de mar. de 2026 às 12:00, Desk <desk@example.org> escreveu:",
        "Em 01/03/2026 12:00, Desk escreveu:",
        "-----Original Message-----\nFrom: Desk",
        "-----Mensaje original-----\nDe: Desk",
        "-----Mensagem original-----\nDe: Desk",
        "________________________________\nDe: Desk\nEnviada em: domingo",
        "From: Desk <desk@example.org>\nSent: Sunday\nTo: Eva",
        "*De:* Desk\n*Enviado el:* domingo\n*Para:* Eva",
        "-- \nEva, press office",
        "Sent from my phone",
        "Enviado desde mi iPhone",
        "Enviado do meu celular",
    ],
)
def test_what_is_answered_to_and_signatures_are_cut_off(marker: str) -> None:
    assert written(f"Yes, it does.\n\nTwo of them.\n\n{marker}\n\nDoes it sell tickets?\n") == (
        "Yes, it does.\n\nTwo of them."
    )


@pytest.mark.parametrize(
    "text",
    [
        "On Monday he wrote to me.",
        "De: tres personas lo sabemos.",
        "From: what I heard, nothing is true.",
        "El vendedor me escribió: ven mañana.",
        "A list:\n- one\n- two",
        "Prices went from 1 > 2.",
        "Em casa escreveram tudo.",
    ],
)
def test_sentences_that_look_alike_stay(text: str) -> None:
    assert written(text) == text


def test_answers_between_what_is_quoted_are_all_taken() -> None:
    text = "On Sunday Desk wrote:\n> Does it sell tickets?\nYes.\n> And shirts?\nNo.\n"

    assert written(text) == "Yes.\nNo."


@given(st.text(st.sampled_from("> \n-_abOnElEm:wrote*"), max_size=200))
def test_nothing_is_added_and_no_line_is_changed(text: str) -> None:
    assert set(written(text).split("\n")) <= {line.rstrip() for line in text.split("\n")} | {
        line.strip() for line in text.split("\n")
    } | {""}


@pytest.mark.parametrize(
    "piece", ["On ", "From: a\n", "> ", "On a\n", "_", "-", "De: \n", "wrote:\n", "<div>", "<blockquote>"]
)
def test_a_letter_that_was_made_to_be_slow_is_not(piece: str) -> None:
    text = piece * (400_000 // len(piece))

    started = time.perf_counter()
    written(text_of_html(text) if piece.startswith("<") else text)

    assert time.perf_counter() - started < 10


def test_the_text_of_html_is_read_without_what_it_quotes_hides_or_runs() -> None:
    html = (
        "<style>p{}</style><p>One&nbsp;&amp;<br>two</p><script>alert(1)</script>"
        "<div class='gmail_quote'><p>old<br></p></div><p>three</p><blockquote>older</blockquote>"
    )

    assert [line for line in text_of_html(html).split("\n") if line] == ["One &", "two", "three"]


@settings(deadline=None)
@given(st.text(st.sampled_from("<>/dibqp \"'&;#x0abc"), max_size=200))
def test_html_that_is_broken_is_read_all_the_same(html: str) -> None:
    assert isinstance(text_of_html(html), str)
