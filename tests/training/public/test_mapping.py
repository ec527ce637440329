"""What a row of a public set says of our categories, and what it leaves open."""

import pytest

from riskmodel import Policy
from tests.training.public.made import NO_VOTES, Row, convabuse_row, edos_row, olid_row, told_row
from training.public.mapping import (
    OTHER_HATE,
    PUBLIC_SETS,
    convabuse,
    edos,
    olid,
    own_side,
    text_hash,
    told,
    told_side,
    told_text,
)

THREATS = "1. threats, plans to harm and incitement"
CLEAN = {"hate": 0.0, "harassment": 0.0, "none": 1.0}


@pytest.mark.parametrize(
    ("row", "categories"),
    [
        pytest.param(edos_row(), {"hate": OTHER_HATE}, id="not sexist, but perhaps against another group"),
        pytest.param(edos_row(category="2. derogation"), {"hate": 1.0, "none": 0.0}, id="sexist"),
        pytest.param(edos_row(category=THREATS), {"hate": 1.0, "none": 0.0, "violence": 1.0}, id="a threat"),
    ],
)
def test_sexism_is_hate_and_its_absence_says_little(row: Row, categories: dict[str, float]) -> None:
    assert edos(row).categories == categories


def test_each_kind_of_sexism_is_a_question_of_its_own() -> None:
    found = edos(edos_row(category="3. animosity")).tasks

    assert {name for name, chance in found.items() if chance} == {"edos.animosity", "edos.sexist"}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("row", "categories"),
    [
        pytest.param(told_row(), CLEAN, id="nobody minds"),
        pytest.param(told_row(racism=2), {"hate": 1.0, "none": 0.0}, id="two of three see hate"),
        pytest.param(told_row(racism=1), {}, id="one of three sees hate"),
        pytest.param(told_row(obscene=3), {"hate": 0.0}, id="obscene, and against no group"),
        pytest.param(told_row(insult=3), {"hate": 0.0}, id="an insult of nobody in particular"),
        pytest.param(
            told_row("@User que feio", insult=2), {"harassment": 1.0, "none": 0.0, "hate": 0.0}, id="an insult of one"
        ),
        pytest.param(told_row("@user que feio", insult=1), {"hate": 0.0}, id="one of three sees an insult"),
        pytest.param(
            told_row("@user que feio", insult=2, racism=1), {"harassment": 1.0, "none": 0.0}, id="and perhaps hate"
        ),
        pytest.param(
            told_row("@user que feio", insult=3, misogyny=2), {"hate": 1.0, "none": 0.0}, id="an insult and hate"
        ),
    ],
)
def test_votes_of_three_decide_by_majority_and_a_single_vote_leaves_it_open(
    row: Row, categories: dict[str, float]
) -> None:
    assert told(row).categories == categories


def test_votes_become_chances_of_the_sets_own_questions() -> None:
    found = told(told_row(obscene=1, insult=3)).tasks

    assert found["told.obscene"] == pytest.approx(1 / 3)
    assert found["told.insult"] == 1
    assert set(found) == {f"told.{name}" for name in NO_VOTES}


def test_one_text_in_five_is_kept_for_testing_and_equal_texts_fall_on_one_side() -> None:
    sides = [told_side(told_row(f"comentário {number}")) for number in range(2_000)]

    assert sides.count("test") == pytest.approx(400, abs=60)
    for number in range(20):
        again = told_side(told_row(f"  COMENTÁRIO\n {number} "))
        assert again == sides[number]


def test_where_the_source_broke_its_accents_the_mended_text_is_read() -> None:
    broken = told_row("nÃ£o") | {"text_fixed": "não"}

    assert told_text(broken) == "não"
    assert told_text(told_row("não")) == "não"


@pytest.mark.parametrize(
    ("row", "categories"),
    [
        pytest.param(olid_row(), CLEAN, id="not offensive"),
        pytest.param(olid_row("racism", "insult"), {"hate": 1.0, "none": 0.0}, id="against a group"),
        pytest.param(
            olid_row("insult", target_type="IND"), {"hate": 0.0, "harassment": 1.0, "none": 0.0}, id="insult of one"
        ),
        pytest.param(
            olid_row("insult", "sexism", target_type="IND"),
            {"hate": 1.0, "harassment": 1.0, "none": 0.0},
            id="insult of one for their group",
        ),
        pytest.param(olid_row("insult", target_type="GRP"), {"hate": 0.0}, id="insult of many"),
        pytest.param(olid_row("profanity_obscene", target_type="IND"), {"hate": 0.0}, id="obscene"),
    ],
)
def test_an_offence_is_hate_by_its_kind_and_harassment_by_its_target(row: Row, categories: dict[str, float]) -> None:
    assert olid(row).categories == categories


def test_every_kind_of_offence_is_a_question_of_its_own() -> None:
    found = olid(olid_row("health", "insult")).tasks

    assert {name for name, chance in found.items() if chance} == {"olid.health", "olid.insult", "olid.offensive"}
    assert set(olid(olid_row()).tasks.values()) == {0.0}


@pytest.mark.parametrize(
    ("row", "categories", "abuse"),
    [
        pytest.param(convabuse_row(1), CLEAN, 0.0, id="no annotator minds"),
        pytest.param(convabuse_row(0.667), {}, 0.0, id="most do not mind"),
        pytest.param(convabuse_row(0), {}, 0.0, id="not settled"),
        pytest.param(convabuse_row(-1, "general"), {}, 1.0, id="abuse of no kind of ours"),
        pytest.param(convabuse_row(-1, "sex_harassment"), {"harassment": 1.0}, 1.0, id="harassment"),
        pytest.param(convabuse_row(-2, "sexist", "sex_harassment"), {"hate": 1.0, "none": 0.0}, 1.0, id="hate"),
        pytest.param(convabuse_row(0.333, "sexist"), {}, 0.0, id="hate in the eyes of few"),
    ],
)
def test_abuse_of_a_bot_is_ours_only_where_it_is_of_our_kinds(
    row: Row, categories: dict[str, float], abuse: float
) -> None:
    found = convabuse(row)

    assert found.categories == categories
    assert found.tasks == {"convabuse.abuse": abuse}


@pytest.mark.parametrize(("split", "side"), [("train", "train"), ("dev", "test"), ("valid", "test"), ("test", "test")])
def test_what_the_source_does_not_train_on_is_for_testing(split: str, side: str) -> None:
    assert own_side(edos_row(split=split)) == side


def test_a_text_is_the_same_whatever_its_case_and_white_space() -> None:
    assert text_hash(" Olá,\tMUNDO\n") == text_hash("olá, mundo")
    assert text_hash("olá, mundo") != text_hash("ola, mundo")


def test_sets_speak_of_categories_of_the_policy_and_of_questions_by_their_own_names(policy: Policy) -> None:
    rows = {
        "edos": edos_row(category=THREATS),
        "told_br": told_row("@user que feio", insult=2),
        "olid_br": olid_row("insult", target_type="IND"),
        "convabuse": convabuse_row(1),
    }

    assert set(rows) == set(PUBLIC_SETS)
    for name, row in rows.items():
        found = PUBLIC_SETS[name].read(row)
        assert set(found.categories) <= set(policy.category_names)
        assert all(task.startswith(f"{name.removesuffix('_br')}.") for task in found.tasks)
