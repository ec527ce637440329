import time
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.stages.lexical import LexicalVector, LexicalVectorizer

TEXTS = [
    "The seller took the money and sent nothing to the buyer",
    "El vendedor cobró el dinero y no mandó nada: ¡estafa!",
    "O vendedor levou o dinheiro e não mandou nada",
    "cafe\u0301 con leche\r\nen la mañana 😀 y nada más",
    "The buyer wants the money back",
]


@pytest.fixture(scope="module")
def vectorizer() -> LexicalVectorizer:
    return LexicalVectorizer(min_documents=1).fit(TEXTS)


def totals(found: LexicalVector, width: int) -> np.ndarray:
    """Return (width,) the value of each feature, all its occurrences together."""
    values = np.zeros(width)
    np.add.at(values, found.features, found.values)
    return values


def words(text: str, found: LexicalVector) -> list[str]:
    return [text[start:end] for start, end in found.spans.tolist()]


def named(vectorizer: LexicalVectorizer, found: LexicalVector, feature: str) -> tuple[list[int], list[float]]:
    """Return the words and the values of each occurrence of a feature."""
    here = found.features == vectorizer.vocabulary_.index(feature)
    return found.words[here].tolist(), found.values[here].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "EL VENDEDOR COBRO EL DINERO Y NO MANDO NADA ESTAFA",
        "el vendedor cobro el dinero y no mando nada estafa",
        "el vende\u0301dor co\u0308bro el dinero y no mando nada estafa",
    ],
    ids=["capitals", "no accents", "accents as characters of their own"],
)
def test_case_and_accents_make_no_difference(vectorizer: LexicalVectorizer, text: str) -> None:
    width = len(vectorizer.idf_)

    as_written = vectorizer.transform(TEXTS[1])

    np.testing.assert_allclose(totals(vectorizer.transform(text), width), totals(as_written, width), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("¡Nada más!", ["Nada", "más"], id="accents and marks"),
        pytest.param("un cafe\u0301, ya", ["un", "cafe\u0301", "ya"], id="combining character"),
        pytest.param("uno\r\ndos\r\n\r\ntres", ["uno", "dos", "tres"], id="CRLF"),
        pytest.param("😀 the👍🏽buyer 👩‍👩‍👧 end", ["the", "buyer", "end"], id="emoji"),
        pytest.param("不 money 钱", ["不", "money", "钱"], id="another script"),
        pytest.param("a_b c-d e'f", ["a_b", "c", "d", "e", "f"], id="joined words"),
    ],
)
def test_spans_cut_the_words_out_of_the_text_as_sent(
    vectorizer: LexicalVectorizer, text: str, expected: list[str]
) -> None:
    assert words(text, vectorizer.transform(text)) == expected


@pytest.mark.parametrize("text", [*TEXTS, "the the the money", "buyer"])
def test_a_text_with_known_ngrams_has_unit_length(vectorizer: LexicalVectorizer, text: str) -> None:
    values = totals(vectorizer.transform(text), len(vectorizer.idf_))

    assert np.linalg.norm(values) == pytest.approx(1, abs=1e-5)


def test_a_pair_of_words_counts_half_in_each(vectorizer: LexicalVectorizer) -> None:
    found = vectorizer.transform("then the buyer paid")

    where, values = named(vectorizer, found, "p:the buyer")
    alone, whole = named(vectorizer, found, "w:buyer")
    idf = dict(zip(vectorizer.vocabulary_, vectorizer.idf_.tolist(), strict=True))

    assert where == [1, 2]
    assert alone == [2]
    assert values[0] == pytest.approx(values[1])
    assert sum(values) / whole[0] == pytest.approx(idf["p:the buyer"] / idf["w:buyer"])


def test_an_ngram_belongs_to_the_word_it_stands_in(vectorizer: LexicalVectorizer) -> None:
    found = vectorizer.transform("nobody saw money, money!")

    assert named(vectorizer, found, "w:money")[0] == [2, 3]
    assert named(vectorizer, found, "c:mone")[0] == [2, 3]


def test_an_ngram_in_too_few_texts_is_not_learnt() -> None:
    found = LexicalVectorizer(min_documents=2).fit(TEXTS)

    assert "w:buyer" in found.vocabulary_
    assert "w:seller" not in found.vocabulary_


def test_a_repeated_word_counts_as_one_document() -> None:
    found = LexicalVectorizer(min_documents=2).fit(["spam spam spam", "ham"])

    assert "w:spam" not in found.vocabulary_


def test_a_rarer_ngram_weighs_more(vectorizer: LexicalVectorizer) -> None:
    idf = dict(zip(vectorizer.vocabulary_, vectorizer.idf_.tolist(), strict=True))

    assert idf["w:seller"] > idf["w:buyer"] > 0


def test_what_was_restored_reads_as_what_was_fitted(vectorizer: LexicalVectorizer) -> None:
    restored = LexicalVectorizer().restore(vectorizer.vocabulary_, vectorizer.idf_)

    for text in [*TEXTS, "the unknown seller"]:
        one, other = vectorizer.transform(text), restored.transform(text)
        assert one.spans.tolist() == other.spans.tolist()
        assert one.words.tolist() == other.words.tolist()
        assert one.features.tolist() == other.features.tolist()
        assert one.values.tolist() == other.values.tolist()


@pytest.mark.parametrize("text", ["", " ", "😀", "zzqqxx", "…"], ids=["empty", "blank", "emoji", "unknown", "mark"])
def test_a_text_without_known_ngrams_has_no_features(text: str) -> None:
    found = LexicalVectorizer(min_documents=1).fit(["abc"]).transform(text)

    assert len(found.features) == len(found.values) == len(found.words) == 0


@pytest.mark.parametrize(
    ("text", "known"),
    [
        pytest.param("the buyer paid", 3, id="each word"),
        pytest.param("money money", 2, id="a word twice counts twice"),
        pytest.param("the zzqqxx", 1, id="an unknown word does not count"),
        pytest.param("不 钱 😀 …", 0, id="none"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_a_text_tells_how_many_of_its_words_are_known(vectorizer: LexicalVectorizer, text: str, known: int) -> None:
    assert vectorizer.transform(text).known_words == known


@pytest.mark.parametrize(
    ("hidden", "written", "expected"),
    [
        pytest.param("the s\u200beller", "the seller", ["the", "s\u200beller"], id="an unseen character"),
        pytest.param("the s3ll3r took", "the seller took", ["the", "s3ll3r", "took"], id="digits"),
        pytest.param("s.e.l.l.e.r took", "seller took", ["s.e.l.l.e.r", "took"], id="set apart by dots"),
        pytest.param("the s e l l e r", "the seller", ["the", "s e l l e r"], id="set apart by spaces"),
        pytest.param("the s\u0435ll\u0435r", "the seller", ["the", "s\u0435ll\u0435r"], id="look-alikes"),
    ],
)
def test_a_hidden_word_is_read_as_written_plainly_and_stands_where_it_was_sent(
    vectorizer: LexicalVectorizer, hidden: str, written: str, expected: list[str]
) -> None:
    found, plainly = vectorizer.transform(hidden), vectorizer.transform(written)

    assert words(hidden, found) == expected
    assert found.features.tolist() == plainly.features.tolist()
    assert found.values.tolist() == plainly.values.tolist()


def test_a_hidden_word_teaches_what_the_plain_word_teaches() -> None:
    hidden, plainly = (
        LexicalVectorizer(min_documents=1).fit([text]) for text in ("the s3ll3r m e n t i r", "the seller mentir")
    )

    assert hidden.vocabulary_ == plainly.vocabulary_


@pytest.mark.parametrize("letter", ["a", "é", "界", "e\u0301"])
def test_an_endless_word_is_read_in_no_time(vectorizer: LexicalVectorizer, letter: str) -> None:
    text = letter * (20_000 // len(letter))
    started = time.perf_counter()

    found = vectorizer.transform(text)

    assert time.perf_counter() - started < 1
    assert found.spans.tolist() == [[0, 20_000]]
    assert len(found.features) < 200


def test_endless_words_are_not_kept_in_memory_whole(vectorizer: LexicalVectorizer) -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200):
            vectorizer.transform(f"{number:05d}" * 4_000)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert kept < 1_000_000  # the words themselves are 4 MB


@given(text=st.one_of(st.text(max_size=120), st.text(alphabet="abcdef 0134.-\u200b\u0430\u0435", max_size=60)))
@settings(deadline=None, max_examples=150)
def test_every_occurrence_points_into_its_text(text: str) -> None:
    vectorizer = VECTORIZER

    found = vectorizer.transform(text)

    flat = found.spans.ravel().tolist()
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(text) for start, end in found.spans.tolist())
    assert all(0 <= word < len(found.spans) for word in found.words.tolist())
    assert all(second[0] >= first[1] for first, second in pairwise(found.spans.tolist()))
    assert not len(found.values) or np.linalg.norm(totals(found, len(vectorizer.idf_))) == pytest.approx(1, abs=1e-4)


VECTORIZER = LexicalVectorizer(min_documents=1).fit([*TEXTS, "a b c d e f 0 1 2 3"])
