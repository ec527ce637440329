"""Vectors are kept beside their assessments, and go with them."""

import numpy as np
import sqlalchemy as sa

from riskmodel.casebook import Casebook, digest_of, packed, unpacked
from riskmodel.casebook.tables import VECTORS
from riskmodel.records import Escalation
from tests.riskmodel.casebook.made import make_rated


def unit(seed: int) -> "np.typing.NDArray[np.float32]":
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
    return vector / np.linalg.norm(vector)


def kept(casebook: Casebook) -> "list[sa.Row[tuple[int, int, str, bytes]]]":
    return list(casebook.database.read(lambda connection: connection.execute(sa.select(VECTORS)).all()))


def test_a_vector_comes_back_with_its_cosines() -> None:
    vectors = [unit(1), unit(2)]

    found = unpacked([packed(vector) for vector in vectors]).astype(np.float32)

    assert found.shape == (2, 384)
    assert np.abs(found @ found.T - np.stack(vectors) @ np.stack(vectors).T).max() < 1e-3
    assert len(packed(vectors[0])) == 768


def test_a_vector_is_kept_with_its_assessment_and_the_version_that_made_it(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1", vector=packed(unit(1))), make_rated("a-2"), make_rated("a-3", vector=b"12")])

    first, last = kept(casebook)
    numbers = {id_: casebook.get(id_).assessments[0].number for id_ in ("a-1", "a-3")}

    assert (first.assessment, first.escalation) == (numbers["a-1"], casebook.get("a-1").number)
    assert (last.assessment, last.vector) == (numbers["a-3"], b"12")
    assert first.model_version == "v1"


def test_a_retry_keeps_no_second_vector(casebook: Casebook) -> None:
    for _ in range(2):
        casebook.keep([make_rated("a-1", vector=packed(unit(1)))])

    assert len(kept(casebook)) == 1


def test_a_forgotten_escalation_leaves_no_vector(casebook: Casebook) -> None:
    casebook.keep([make_rated("a-1", vector=packed(unit(1))), make_rated("a-2", vector=packed(unit(2)))])

    casebook.forget(ids=["a-1"])

    assert [row.escalation for row in kept(casebook)] == [casebook.get("a-2").number]


def test_an_escalation_without_the_new_fields_has_the_digest_it_had_before_there_were_any() -> None:
    before = bytes.fromhex("c79e091b2e59228d3872e2bd8a5b923735ffb7498daa3885c1045948718339a5")

    assert digest_of(Escalation(text="x", source="press", market="BR", id="a-1")) == before
    assert digest_of(Escalation(text="x", source="press", market="BR", id="a-1", reliability="A")) != before
