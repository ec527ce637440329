import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES
from riskmodel.stages.heads import Heads, columns, sigmoid, softmax

CATEGORIES = 15
WIDTH = 12 + CATEGORIES


@pytest.fixture
def heads() -> Heads:
    draw = np.random.default_rng(0)
    return Heads(*(draw.normal(size=shape).astype(np.float32) for shape in ((8, WIDTH), (20, WIDTH), (WIDTH,))))


def test_the_columns_of_all_heads_together_are_all_columns_once() -> None:
    found = columns(WIDTH)

    assert [at for where in found.values() for at in range(where.start, where.stop)] == list(range(WIDTH))
    assert {name: where.stop - where.start for name, where in found.items()} == {
        "severity": len(SEVERITIES),
        "proximity": len(PROXIMITIES),
        "rating": len(RATINGS),
        "floor": 1,
        "categories": CATEGORIES,
    }


def test_a_logit_is_the_sum_of_vector_ngrams_and_bias(heads: Heads) -> None:
    vector = np.arange(8, dtype=np.float32)

    found = heads.logits(vector, np.array([3, 3, 7], dtype=np.int32), np.array([0.5, 0.25, 2], dtype=np.float32))

    expected = vector @ heads.dense + 0.75 * heads.lexical[3] + 2 * heads.lexical[7] + heads.bias
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_text_without_ngrams_is_read_from_its_vector_alone(heads: Heads) -> None:
    vector = np.ones(8, dtype=np.float32)

    found = heads.logits(vector, np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))

    np.testing.assert_allclose(found, heads.dense.sum(axis=0) + heads.bias, rtol=1e-5)


@pytest.mark.parametrize(
    ("head", "at"),
    [("severity", at) for at in range(4)]
    + [("proximity", at) for at in range(3)]
    + [("rating", at) for at in range(4)],
)
def test_the_highest_logit_of_a_head_is_its_likeliest_answer_and_moves_no_other_head(
    heads: Heads, head: str, at: int
) -> None:
    logits = np.zeros(WIDTH, dtype=np.float32)
    logits[heads.columns[head].start + at] = 5

    found = heads.probabilities(logits)

    assert int(getattr(found, head).argmax()) == at
    for other in {"severity", "proximity", "rating"} - {head}:
        assert np.ptp(getattr(found, other)) == pytest.approx(0, abs=1e-6)
    assert found.floor == pytest.approx(0.5)
    np.testing.assert_allclose(found.categories, 0.5)


def test_the_floor_and_each_category_have_chances_of_their_own(heads: Heads) -> None:
    logits = np.zeros(WIDTH, dtype=np.float32)
    logits[11], logits[12], logits[-1] = 2, -2, 4

    found = heads.probabilities(logits)

    assert found.floor == pytest.approx(1 / (1 + np.exp(-2)))
    assert found.categories[0] == pytest.approx(1 / (1 + np.exp(2)))
    assert found.categories[-1] == pytest.approx(1 / (1 + np.exp(-4)))
    np.testing.assert_allclose(found.categories[1:-1], 0.5)


@given(
    logits=arrays.arrays(
        np.float32, WIDTH, elements=st.floats(-1e4, 1e4, width=32, allow_nan=False, allow_infinity=False)
    )
)
@settings(deadline=None, max_examples=100)
def test_chances_stay_chances_for_logits_of_any_size(logits: np.ndarray) -> None:
    nothing = np.zeros((1, WIDTH), dtype=np.float32)

    found = Heads(nothing, nothing, nothing[0]).probabilities(logits)

    for chances in (found.severity, found.proximity, found.rating):
        assert chances.sum() == pytest.approx(1, abs=1e-5)
        assert (chances >= 0).all()
    assert 0 <= found.floor <= 1
    assert ((found.categories >= 0) & (found.categories <= 1)).all()


def test_softmax_works_row_by_row() -> None:
    logits = np.array([[0, 0, 0], [0, np.log(2), np.log(5)]], dtype=np.float32)

    np.testing.assert_allclose(softmax(logits), [[1 / 3] * 3, [1 / 8, 2 / 8, 5 / 8]], rtol=1e-5)


def test_sigmoid_is_a_half_at_nought_and_symmetric() -> None:
    found = sigmoid(np.array([0, 3, -3], dtype=np.float32))

    np.testing.assert_allclose(found, [0.5, 0.95257413, 1 - 0.95257413], rtol=1e-5)
