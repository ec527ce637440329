import json

import numpy as np
import pytest

from riskmodel import Policy
from riskmodel.records import RATINGS
from riskmodel.stages.decision import CRITICAL
from training.doubt import DoubtFigures, Record, Unseen, doubt_figures, look, markdown, signs

TEXTS = [
    "A user writes that he will come to the school on Monday with his father's rifle.",
    "Ce compte menace de mort une famille à Lyon et publie leur adresse depuis ce matin.",
    "Un usuario escribe que irá el lunes a la escuela con el rifle de su padre y nadie lo va a detener. "
    "A user writes that he will come to the school on Monday with his father's rifle and nobody will stop him.",
    "😀",
]
RANKS, TRUTH = np.array([0, 1, 2, 2, 3, 0]), np.array([0, 2, 2, 1, 3, 1])  # right, low, right, high, right, low
REASONS: list[list[str]] = [
    [],
    ["near critical", "uncertain rating"],
    ["uncertain rating"],
    [],
    ["near critical"],
    [],
]


@pytest.fixture(scope="module")
def unseen() -> Unseen:
    return look(
        TEXTS, np.array([12, 9, 31, 0]), np.array([0.9, 0.8, 0.7, 0.1], dtype=np.float32), np.zeros(4, dtype=bool)
    )


@pytest.fixture
def figures() -> DoubtFigures:
    return doubt_figures(REASONS, RANKS, TRUTH)


def test_texts_are_looked_at_as_the_service_looks_at_them(unseen: Unseen) -> None:
    assert unseen.languages[:2] == ["en", "fr"]
    assert unseen.languages[3] == "und"
    assert unseen.mixed.tolist() == [False, False, True, False]
    assert unseen.words.tolist() == [12, 9, 31, 0]


def test_each_row_gives_the_signs_that_the_decision_looks_at(unseen: Unseen, policy: Policy) -> None:
    chances = np.array(
        [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.4, 0.1], [0.0, 0.5, 0.5, 0.0]], dtype=np.float32
    )
    names = policy.category_names
    main = np.array([names.index(name) for name in ("child_safety", "hate", "child_safety", "child_safety")])

    found = signs(unseen, chances, np.array([3, 0, 2, 1]), np.array([True, False, True, True]), main, policy)

    assert [each.language for each in found] == unseen.languages
    assert [each.mixed for each in found] == [False, False, True, False]
    assert [each.words for each in found] == [12, 9, 31, 0]
    assert [each.rank for each in found] == [3, 0, 2, 1]
    assert [each.confidence for each in found] == pytest.approx([0.4, 0.7, 0.4, 0.5])
    assert [each.safety for each in found] == pytest.approx([1.0, 0.7, 0.9, 0.5])
    assert [each.critical for each in found] == pytest.approx(chances[:, CRITICAL].tolist())
    assert [each.agreed for each in found] == [True, False, True, True]
    assert [each.familiarity for each in found] == pytest.approx([0.9, 0.8, 0.7, 0.1])
    assert [each.for_person for each in found] == [True, False, False, False]


@pytest.mark.parametrize("rating", RATINGS)
def test_whether_a_category_needs_a_person_depends_on_the_rating_that_was_chosen(
    unseen: Unseen, policy: Policy, rating: str
) -> None:
    ranks, main = np.full(4, RATINGS.index(rating)), np.full(4, policy.category_names.index("child_safety"))

    found = signs(unseen, np.full((4, 4), 0.25, dtype=np.float32), ranks, np.ones(4, dtype=bool), main, policy)

    assert {each.for_person for each in found} == {policy.needs_person("child_safety", rating)}


def test_outcomes_of_all_and_of_what_was_accepted_are_counted(figures: DoubtFigures) -> None:
    assert figures.all == Record(6, wrong=3 / 6, too_low=2 / 6)
    assert figures.accepted == Record(3, wrong=2 / 3, too_low=1 / 3)


def test_outcomes_are_counted_where_each_reason_spoke_alone_or_not(figures: DoubtFigures) -> None:
    assert figures.reasons == {
        "near critical": Record(2, wrong=1 / 2, too_low=1 / 2),
        "uncertain rating": Record(2, wrong=1 / 2, too_low=1 / 2),
    }


def test_of_nothing_nothing_is_wrong() -> None:
    nothing = np.empty(0, dtype=np.int64)

    assert Record.of(nothing, nothing) == Record(0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("low", "rows", "bound"),
    [
        pytest.param(0, 100, 1 - 0.05 ** (1 / 100), id="none too low: the rule of three"),
        pytest.param(1, 2, 1 - 0.025320565519103666, id="one of two"),
        pytest.param(3, 3, 1.0, id="all"),
        pytest.param(0, 0, 1.0, id="nothing was accepted"),
    ],
)
def test_the_bound_is_that_of_clopper_and_pearson(low: int, rows: int, bound: float) -> None:
    truth = np.ones(rows + 1, dtype=np.int64)
    ranks = np.where(np.arange(rows + 1) < low, 0, 1)
    reasons: list[list[str]] = [*([] for _ in range(rows)), ["near critical"]]

    assert doubt_figures(reasons, ranks, truth).bound == pytest.approx(bound)


def test_figures_that_were_kept_as_json_come_back_the_same(figures: DoubtFigures) -> None:
    kept = json.dumps(figures.as_record())

    assert DoubtFigures.from_record(json.loads(kept)) == figures


def test_a_table_has_a_row_for_each_reason_of_any_part_and_a_gap_where_it_never_spoke(figures: DoubtFigures) -> None:
    silent = doubt_figures([[], ["unfamiliar text"]], np.array([1, 1]), np.array([1, 2]))

    head, line, *rows = markdown({"out of fold": figures, "test split": silent}).splitlines()

    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert "out of fold: n | wrong | too low | test split: n | wrong | too low" in head
    assert head.count("|") == line.count("|") == rows[0].count("|")
    assert cells == [
        ["every escalation", "6", "50.0%", "33.3%", "2", "50.0%", "50.0%"],
        ["**accepted**", "3", "66.7%", "33.3%", "1", "0.0%", "0.0%"],
        ["near critical", "2", "50.0%", "50.0%", "0", "", ""],
        ["uncertain rating", "2", "50.0%", "50.0%", "0", "", ""],
        ["unfamiliar text", "0", "", "", "1", "100.0%", "100.0%"],
    ]
