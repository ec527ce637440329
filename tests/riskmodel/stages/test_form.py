import numpy as np

from riskmodel.stages.form import FormHead

HEAD = FormHead(np.array([1.0, -1.0], dtype=np.float32), bias=-0.5)


def test_content_is_what_lies_beyond_the_border() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, -0.8], [0.6, 0.8]], dtype=np.float32)

    assert HEAD.is_content(vectors).tolist() == [True, False, True, False]


def test_what_lies_on_the_border_is_a_report() -> None:
    assert HEAD.is_content(np.array([[0.5, 0.0]], dtype=np.float32)).tolist() == [False]


def test_no_texts_are_neither() -> None:
    assert HEAD.is_content(np.empty((0, 2), dtype=np.float32)).tolist() == []
