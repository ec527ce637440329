from itertools import permutations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.records import LANGUAGES, UNDETERMINED
from riskmodel.stages.language import LEAST_WORDS_OF_A_HALF, LanguageDetector


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector()


REPORTS = {
    "en": [
        "A user writes that he will come to the school on Monday with his father's rifle.",
        "he will kill her",
        "help me",
        "bomb at school",
        "My account was hacked and they are asking my friends for money",
    ],
    "es": [
        "Un usuario escribe que irá el lunes a la escuela con el rifle de su padre.",
        "Me quieren matar",
        "ayuda",
        "bomba en la escuela",
        "me robaron la cuenta y piden plata a mis contactos",
    ],
    "pt": [
        "Um usuário escreve que vai à escola na segunda-feira com o rifle do pai.",
        "Vão me matar",
        "vao matar ela hoje",
        "socorro, ele está aqui em casa",
        "roubaram minha conta e pedem dinheiro pros meus amigos",
    ],
}
OTHERS = {
    "fr": "Ce compte menace de mort une famille à Lyon et publie leur adresse depuis ce matin.",
    "de": "Dieses Konto droht einer Familie in Berlin und veröffentlicht ihre Adresse.",
    "it": "Questo account minaccia di morte una famiglia a Napoli e pubblica il loro indirizzo.",
    "ru": "Этот аккаунт угрожает семье и публикует их адрес.",
    "zh": "这个账号威胁一个家庭并公布他们的地址。",
    "ja": "このアカウントは家族を脅迫し、住所を公開しています。",
    "ar": "هذا الحساب يهدد عائلة وينشر عنوانها.",
    "pl": "To konto grozi rodzinie i publikuje jej adres.",
    "ht": "Kont sa a ap menase yon fanmi nan Pòtoprens e li pibliye adrès yo.",
    "nl": "Dit account bedreigt een gezin en publiceert hun adres.",
    "uk": "Цей акаунт погрожує родині та публікує їхню адресу.",
    "hi": "यह खाता एक परिवार को धमकी दे रहा है।",
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in REPORTS.items() for text in texts])
def test_a_report_in_one_of_our_languages_is_recognised(detector: LanguageDetector, language: str, text: str) -> None:
    assert detector.detect(text) == language


@pytest.mark.parametrize(("language", "text"), OTHERS.items(), ids=OTHERS)
def test_another_language_is_recognised_as_itself(detector: LanguageDetector, language: str, text: str) -> None:
    assert detector.detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ovo je tekst koji se tiče grada i ljudi koji žive u njemu.", id="Serbian, Croatian or Bosnian"),
        pytest.param("Ovaj račun prijeti porodici i objavljuje adresu.", id="Bosnian"),
        pytest.param("Denne kontoen truer en familie og legger ut adressen deres.", id="Norwegian or Danish"),
        pytest.param("Akun ini mengancam sebuah keluarga dan menyebarkan alamat.", id="Indonesian or Malay"),
        pytest.param("Tento účet vyhrožuje rodine a zverejňuje ich adresu.", id="Slovak or Czech"),
    ],
)
def test_a_language_whose_neighbours_share_its_chance_is_still_not_ours(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) not in LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        "Dem a threaten fi kill mi bredda, police haffi come now now, mi fraid.",
        "Yuh see dat man deh? Him seh him a go shoot up di school tomorrow mawnin.",
        "De man say he go bun down de shop tonight, we frighten bad eh.",
        "Dem page a sell fake visa to people weh desperate fi leave, me cousin lose all him money.",
    ],
)
def test_caribbean_english_is_english(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("😀😀😀", id="emoji"),
        pytest.param("👩‍👩‍👧 🔥 🏴󠁧󠁢󠁥󠁮󠁧󠁿", id="joined emoji and a flag"),
        pytest.param("https://example.org/kill/them?all=true", id="a URL"),
        pytest.param("www.example.org", id="a URL without scheme"),
        pytest.param("0800 123 456, 24/7", id="digits"),
        pytest.param("@someone #somewhere", id="handles and tags"),
        pytest.param("...?!", id="punctuation"),
        pytest.param("a b c", id="single letters"),
        pytest.param(" \r\n", id="white space"),
        pytest.param("https://x.org 2024 😀 @user", id="all of them"),
    ],
)
def test_a_text_without_words_has_no_language(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text) == UNDETERMINED


def test_links_handles_and_digits_do_not_hide_the_language_of_the_words(detector: LanguageDetector) -> None:
    text = "https://example.org/the/house/is/on/fire @the_english_man 112 me quieren matar, ayuda por favor #help"

    assert detector.detect(text) == "es"


def test_the_same_text_gets_the_same_answer_every_time_and_from_every_detector() -> None:
    texts = ["ok", "no", "spam", "ajuda", "scam urgente", "hola", "Me robaram la cuenta", *OTHERS.values()]
    first, second = LanguageDetector(), LanguageDetector()

    answers = [[first.detect(text) for text in texts] for _ in range(5)]
    backwards = [second.detect(text) for text in reversed(texts)][::-1]

    assert all(answer == answers[0] for answer in answers)
    assert backwards == answers[0]


def test_the_end_of_a_very_long_text_costs_no_time_and_changes_nothing(detector: LanguageDetector) -> None:
    start = "Me quieren matar y nadie responde. " * 60

    assert detector.detect(start + "We are the others. " * 900) == detector.detect(start) == "es"


LONG = {
    "en": "A user writes that he will come to the school on Monday with his father's rifle and nobody will stop him.",
    "es": "Un usuario escribe que irá el lunes a la escuela con el rifle de su padre y nadie lo va a detener.",
    "pt": "Um usuário escreve que vai à escola na segunda-feira com o rifle do pai e ninguém vai conseguir impedir.",
}


@pytest.mark.parametrize(("first", "second"), list(permutations(LANGUAGES, 2)))
def test_a_text_that_goes_on_in_another_of_our_languages_is_mixed(
    detector: LanguageDetector, first: str, second: str
) -> None:
    assert detector.is_mixed(f"{LONG[first]} {LONG[second]}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_stays_in_its_language_is_not_mixed(detector: LanguageDetector, language: str) -> None:
    assert not detector.is_mixed(f"{LONG[language]} {LONG[language]}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("😀 " * 20, id="emoji"),
        pytest.param("0800 - 24/7 ! " * 9, id="no letters"),
        pytest.param("help me ayuda por favor", id="too few words to tell"),
        pytest.param(f"{LONG['en']} the words 'vamos a matarlos' stood there", id="a quotation"),
        pytest.param(f"{LONG['en']} {OTHERS['fr']}", id="another language than ours"),
        pytest.param(f"{LONG['es']} @the_english_man https://example.org/the/house/is/on/fire #help", id="links"),
    ],
)
def test_what_is_not_surely_of_two_of_our_languages_is_not_mixed(detector: LanguageDetector, text: str) -> None:
    assert not detector.is_mixed(text)


def test_hardly_any_text_of_the_corpus_is_mixed(detector: LanguageDetector, sample_frame: pd.DataFrame) -> None:
    assert sum(map(detector.is_mixed, sample_frame["text"])) < 0.01 * len(sample_frame)


@given(text=st.text(min_size=1, max_size=80))
@settings(deadline=None, max_examples=60)
def test_any_text_has_a_language_code_or_none(text: str) -> None:
    found = DETECTOR.detect(text)

    assert found == UNDETERMINED or (found.isalpha() and found.islower() and 2 <= len(found) <= 3)
    assert not DETECTOR.is_mixed(text) or len(text.split()) >= 2 * LEAST_WORDS_OF_A_HALF


DETECTOR = LanguageDetector()
