from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskmodel.policy import Policy, load_policy
from riskmodel.records import PROXIMITIES, RATINGS, SEVERITIES
from riskmodel.stages.rating import Blend, blend_chances, choose_ranks, joint_chances, rate, table_chances

POLICY = load_policy()
NO_DOUBT = Blend(table_weight=1.0, temperature=1.0, critical_chance=1.01)


def chances(size: int, least: float = 0.0) -> st.SearchStrategy[np.ndarray]:
    values = arrays.arrays(np.float64, size, elements=st.floats(least, 1))
    return values.filter(lambda found: found.sum() > 0.01).map(lambda found: (found / found.sum()).astype(np.float32))


def blends() -> st.SearchStrategy[Blend]:
    return st.builds(
        Blend,
        table_weight=st.floats(0, 1),
        temperature=st.floats(0.2, 5),
        critical_chance=st.floats(0.25, 1.0),
    )


def one_hot(size: int, at: int) -> np.ndarray:
    return np.eye(size, dtype=np.float32)[[at]]


@given(severity=chances(4), proximity=chances(3), floor=st.floats(0, 1, width=32))
@settings(deadline=None, max_examples=100)
def test_the_chances_of_all_rows_and_of_all_ratings_sum_to_one(
    severity: np.ndarray, proximity: np.ndarray, floor: float
) -> None:
    joint = joint_chances(severity[None], proximity[None], np.array([floor], dtype=np.float32))
    table = table_chances(joint, POLICY.rating_ranks)

    assert joint.shape == (1, 4, 3, 2)
    assert joint.sum() == pytest.approx(1, abs=1e-4)
    assert table.shape == (1, 4)
    assert table.sum() == pytest.approx(1, abs=1e-4)
    assert (table >= 0).all()


@pytest.mark.parametrize("cell", list(product(range(4), range(3), (0.0, 1.0))), ids=str)
def test_where_every_answer_is_sure_the_table_gives_the_rating(policy: Policy, cell: tuple[int, int, float]) -> None:
    s, p, floor = cell
    joint = joint_chances(one_hot(4, s), one_hot(3, p), np.array([floor], dtype=np.float32))
    table = table_chances(joint, policy.rating_ranks)[0]

    found = rate(table, joint[0], NO_DOUBT, policy)

    plain = RATINGS.index(policy.table[SEVERITIES[s]][PROXIMITIES[p]])
    least = RATINGS.index(policy.floor.at_least[SEVERITIES[s]])
    rank = max(plain, least) if floor else plain
    assert table.tolist() == np.eye(4)[rank].tolist()
    assert (found.rating, found.severity, found.proximity) == (RATINGS[rank], SEVERITIES[s], PROXIMITIES[p])
    assert found.lifted == (rank > plain)


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ((3, 2, 0.0), "severe × active → critical"),
        ((0, 0, 0.0), "minor × contained → low"),
        ((2, 0, 1.0), "serious × contained + floor → high"),
        ((3, 2, 1.0), "severe × active → critical"),
    ],
)
def test_the_rule_reads_as_a_row_of_the_table(policy: Policy, answers: tuple[int, int, float], rule: str) -> None:
    s, p, floor = answers
    joint = joint_chances(one_hot(4, s), one_hot(3, p), np.array([floor], dtype=np.float32))

    found = rate(table_chances(joint, policy.rating_ranks)[0], joint[0], NO_DOUBT, policy)

    assert found.rule == rule


@given(severity=chances(4), proximity=chances(3), direct=chances(4), floor=st.floats(0, 1, width=32), blend=blends())
@settings(deadline=None, max_examples=200)
def test_the_row_that_was_decided_always_gives_the_rating(
    severity: np.ndarray, proximity: np.ndarray, direct: np.ndarray, floor: float, blend: Blend
) -> None:
    joint = joint_chances(severity[None], proximity[None], np.array([floor], dtype=np.float32))
    blended = blend_chances(table_chances(joint, POLICY.rating_ranks), direct[None], blend)[0]

    found = rate(blended, joint[0], blend, POLICY)

    plain = POLICY.table[found.severity][found.proximity]
    least = POLICY.floor.at_least[found.severity]
    assert found.rating == (least if found.lifted else plain)
    assert not found.lifted or RATINGS.index(least) > RATINGS.index(plain)


@given(severity=chances(4), proximity=chances(3), direct=chances(4), blend=blends())
@settings(deadline=None, max_examples=200)
def test_what_the_floor_cannot_lift_is_never_lifted(
    severity: np.ndarray, proximity: np.ndarray, direct: np.ndarray, blend: Blend
) -> None:
    joint = joint_chances(severity[None], proximity[None], np.zeros(1, dtype=np.float32))
    blended = blend_chances(table_chances(joint, POLICY.rating_ranks), direct[None], blend)[0]

    assert not rate(blended, joint[0], blend, POLICY).lifted


def test_a_sure_table_against_a_surer_direct_rating_is_still_not_lifted_where_the_floor_does_not_apply() -> None:
    joint = joint_chances(one_hot(4, 0), one_hot(3, 0), np.zeros(1, dtype=np.float32))
    blended = np.array([0.1, 0.8, 0.05, 0.05], dtype=np.float32)

    found = rate(blended, joint[0], NO_DOUBT, POLICY)

    assert found.rating == "medium"
    assert not found.lifted


def test_of_the_rows_that_give_the_rating_the_likeliest_is_told(policy: Policy) -> None:
    severity = np.array([[0.05, 0.1, 0.5, 0.35]], dtype=np.float32)
    proximity = np.array([[0.3, 0.6, 0.1]], dtype=np.float32)
    joint = joint_chances(severity, proximity, np.zeros(1, dtype=np.float32))

    found = rate(np.array([0.1, 0.2, 0.6, 0.1], dtype=np.float32), joint[0], NO_DOUBT, policy)

    assert found.rule == "severe × plausible → high"


@given(table=chances(4), direct=chances(4), blend=blends())
@settings(deadline=None, max_examples=100)
def test_blended_chances_sum_to_one(table: np.ndarray, direct: np.ndarray, blend: Blend) -> None:
    found = blend_chances(table[None], direct[None], blend)

    assert found.sum() == pytest.approx(1, abs=1e-4)
    assert (found >= 0).all()


@pytest.mark.parametrize(
    ("weight", "expected"), [(1.0, [0.7, 0.3, 0, 0]), (0.0, [0, 0, 0.4, 0.6]), (0.5, [0.35, 0.15, 0.2, 0.3])]
)
def test_the_table_weighs_as_much_as_was_learnt(weight: float, expected: list[float]) -> None:
    table, direct = np.array([[0.7, 0.3, 0, 0]]), np.array([[0, 0, 0.4, 0.6]])

    found = blend_chances(table, direct, Blend(weight, 1.0, 1.0))

    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_a_temperature_above_one_softens_and_below_one_sharpens() -> None:
    table = np.array([[0.1, 0.2, 0.6, 0.1]])

    softer, as_is, sharper = (blend_chances(table, table, Blend(0.5, t, 1.0))[0, 2] for t in (2.0, 1.0, 0.5))

    assert as_is == pytest.approx(0.6)
    assert softer < as_is < sharper


@pytest.mark.parametrize(
    ("found", "rank"),
    [([0.5, 0.1, 0.1, 0.3], 3), ([0.5, 0.1, 0.11, 0.29], 0), ([0, 0.6, 0.4, 0], 1), ([0, 0, 0, 1], 3)],
    ids=["enough for critical", "not enough", "the likeliest", "sure"],
)
def test_critical_is_chosen_where_its_chance_is_enough_though_another_is_likelier(
    found: list[float], rank: int
) -> None:
    assert choose_ranks(np.array([found]), Blend(0.5, 1.0, critical_chance=0.3)).tolist() == [rank]


@given(first=chances(4), second=chances(4), blend=blends())
@settings(deadline=None, max_examples=60)
def test_each_text_is_rated_by_itself(first: np.ndarray, second: np.ndarray, blend: Blend) -> None:
    both = choose_ranks(np.stack([first, second]), blend)

    assert both.tolist() == [int(choose_ranks(one[None], blend)[0]) for one in (first, second)]
