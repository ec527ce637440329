import numpy as np
import pytest

from riskmodel.records import RATINGS
from riskmodel.stages.precedents import EXCERPT_CHARACTERS, Labelled, Precedents, excerpt, familiarity

ROWS, DIMENSIONS = 600, 64


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    found = np.random.default_rng(3).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def index(vectors: np.ndarray) -> Precedents:
    return Precedents.build(vectors, [Labelled(f"en-{at}", RATINGS[at % 4], f"text {at}") for at in range(ROWS)])


@pytest.mark.parametrize("count", [1, 3, 25])
@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_are_those_of_an_exact_search(
    vectors: np.ndarray, index: Precedents, count: int, seed: int
) -> None:
    query = vectors[seed] + np.random.default_rng(seed).normal(scale=0.1, size=DIMENSIONS).astype(np.float32)
    query /= np.linalg.norm(query)
    exact = vectors @ query

    found = index.nearest(query, count)

    ranked = np.sort(exact)[::-1][:count]
    assert found[0].id == f"en-{int(exact.argmax())}"
    np.testing.assert_allclose([precedent.similarity for precedent in found], ranked, atol=0.005)
    for precedent in found:
        assert precedent.similarity == pytest.approx(exact[int(precedent.id.removeprefix("en-"))], abs=0.005)


def test_the_nearest_come_first_and_each_once(vectors: np.ndarray, index: Precedents) -> None:
    found = index.nearest(vectors[5], 50)

    similarities = [precedent.similarity for precedent in found]
    assert similarities == sorted(similarities, reverse=True)
    assert len({precedent.id for precedent in found}) == 50


def test_an_escalation_is_its_own_nearest_precedent_with_its_rating_and_excerpt(
    vectors: np.ndarray, index: Precedents
) -> None:
    (found,) = index.nearest(vectors[42], 1)

    assert (found.id, found.rating, found.excerpt) == ("en-42", RATINGS[42 % 4], "text 42")
    assert 0.999 < found.similarity <= 1


@pytest.mark.parametrize(("rows", "count", "expected"), [(5, 9, 5), (5, 5, 5), (1, 3, 1), (0, 3, 0), (5, 0, 0)])
def test_no_more_come_back_than_there_are_or_were_asked_for(
    vectors: np.ndarray, rows: int, count: int, expected: int
) -> None:
    few = Precedents(
        np.rint(vectors[:rows] * 127).astype(np.int8),
        np.full(rows, 1 / 127, dtype=np.float32),
        [Labelled(str(at), "low", "") for at in range(rows)],
    )

    assert len(few.nearest(vectors[7], count)) == expected


def test_an_index_takes_a_byte_a_dimension_and_reads_back_the_same(vectors: np.ndarray, index: Precedents) -> None:
    again = Precedents(index.codes, index.scales, index.labelled)

    assert index.codes.dtype == np.int8
    assert again.nearest(vectors[9], 5) == index.nearest(vectors[9], 5)


def test_a_text_is_as_familiar_as_its_nearest_are_near_on_average(vectors: np.ndarray, index: Precedents) -> None:
    exact = np.sort(vectors @ vectors[8])[::-1]

    assert familiarity(index.nearest(vectors[8], 3)) == pytest.approx(exact[:3].mean(), abs=0.005)
    assert familiarity(index.nearest(vectors[8], 1)) == pytest.approx(1, abs=0.005)


def test_what_lies_opposite_to_all_is_less_familiar_than_anything(vectors: np.ndarray) -> None:
    alike = Precedents.build(vectors[:1].repeat(3, axis=0), [Labelled(str(at), "low", "") for at in range(3)])

    assert familiarity(alike.nearest(-vectors[0], 3)) == pytest.approx(-1, abs=0.005)


def test_nothing_is_familiar_where_nothing_is_labelled() -> None:
    assert familiarity([]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("short", "short", id="a short text as it is"),
        pytest.param(" two\r\n\r\nlines\u2028and\tmore ", "two lines and more", id="one line"),
        pytest.param("x" * 160, "x" * 160, id="just fits"),
        pytest.param("x" * 161, "x" * 159 + "…", id="cut"),
        pytest.param("y" * 158 + " zzz", "y" * 158 + "…", id="cut at a space"),
    ],
)
def test_an_excerpt_is_the_start_of_the_text_on_one_line(text: str, expected: str) -> None:
    assert excerpt(text) == expected
    assert len(excerpt(text)) <= EXCERPT_CHARACTERS
