"""The queue: its order, that nothing starves, filters, pages, and what a case shows."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.casebook import Casebook, CursorError
from riskmodel.records import RATINGS
from riskmodel.review import Desk, Filters, UnknownReviewError
from riskmodel.review.entering import expected_harm
from riskmodel.review.ordering import CREDIT_HOURS, order_at
from tests.riskmodel.casebook.made import NOON, TEXT, make_rated
from tests.riskmodel.review.made import answer, keep, minutes, waiting

EVERYTHING = Filters()
LONGEST_HOURS = 72

chances = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda found: sum(found) > 0.1)


def ids(desk: Desk, filters: Filters = EVERYTHING, now: datetime = NOON) -> list[str]:
    return [item.id for item in desk.queue.page(filters, None, 100, now).items]


def test_the_nearest_deadline_comes_first_and_harm_brings_it_forward(casebook: Casebook, desk: Desk) -> None:
    keep(
        casebook,
        waiting("late-low", hours=-1),
        waiting("soon-low", hours=3),
        waiting("later-high", hours=8, harm="high"),
        waiting("far-critical", hours=25, harm="critical"),
        waiting("far-low", hours=25),
    )

    assert ids(desk) == ["late-low", "far-critical", "later-high", "soon-low", "far-low"]


def test_an_item_explains_its_place_in_numbers(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a", hours=8, harm="high"))

    (item,) = desk.queue.page(EVERYTHING, None, 10, NOON).items

    assert item.why.harm == 0.25
    assert item.why.credit == timedelta(hours=6)
    assert item.why.act_by - item.why.credit == item.why.order_at == NOON + timedelta(hours=2)
    assert item.reasons == ("uncertain rating",)


@given(chances=chances)
def test_expected_harm_lies_between_certainly_low_and_certainly_critical(chances: list[float]) -> None:
    shares = dict(zip(RATINGS, (chance / sum(chances) for chance in chances), strict=True))

    assert -1e-9 <= expected_harm(shares) <= 1 + 1e-9


@given(
    wait=st.floats(LONGEST_HOURS + CREDIT_HOURS, 10_000),
    within=st.sampled_from([1, 4, 24, 72]),
    harm=st.floats(0, 1),
)
def test_nothing_starves(wait: float, within: int, harm: float) -> None:
    """Whatever arrives after an escalation waited for its time and the credit stands behind it, however harmful."""
    least_urgent = order_at(NOON + timedelta(hours=LONGEST_HOURS), 0.0)
    arrived_later = order_at(NOON + timedelta(hours=wait + within), harm)

    assert least_urgent < arrived_later


def test_only_what_a_person_must_see_enters_and_audits_stand_for_more(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("asked"), *(make_rated(f"auto-{number}") for number in range(40)))

    found = desk.queue.page(EVERYTHING, None, 100, NOON).items
    audits = [item for item in found if item.purpose == "audit"]

    assert [item.id for item in found if item.purpose == "review"] == ["asked"]
    assert 10 <= len(audits) <= 30
    assert {item.weight for item in audits} == {2.0}


def test_an_escalation_that_is_sent_again_enters_once(casebook: Casebook, desk: Desk) -> None:
    for _ in range(3):
        keep(casebook, waiting("a"))

    assert ids(desk) == ["a"]


def test_filters_pass_what_they_name_alone_and_together(casebook: Casebook, desk: Desk) -> None:
    reasons = {"route": "review", "reasons": ["may be rated too low", "uncertain rating"]}
    keep(
        casebook,
        waiting("pt"),
        waiting("es", language="es", market="MX", source="press"),
        waiting("es-low", language="es", rating="low", decision=reasons),
        waiting("fraud", categories=[{"name": "scams_fraud", "probability": 1.0, "dsa": None}]),
    )

    assert ids(desk, Filters(language="es")) == ["es", "es-low"]
    assert ids(desk, Filters(market="MX")) == ["es"]
    assert ids(desk, Filters(source="press")) == ["es"]
    assert ids(desk, Filters(rating="low")) == ["es-low"]
    assert ids(desk, Filters(category="scams_fraud")) == ["fraud"]
    assert ids(desk, Filters(reason="may be rated too low")) == ["es-low"]
    assert ids(desk, Filters(reason="%")) == []
    assert ids(desk, Filters(purpose="audit")) == []
    assert ids(desk, Filters(language="es", rating="high")) == ["es"]


def test_mine_shows_what_i_claimed_or_hold(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"), waiting("b"), waiting("c"))
    desk.claims.next("ana", EVERYTHING, NOON)
    held = desk.claims.next("bo", EVERYTHING, NOON)
    assert held is not None
    desk.claims.hold(held.number, "bo", NOON)

    assert ids(desk, Filters(mine="ana")) == ["a"]
    assert ids(desk, Filters(mine="bo")) == ["b"]
    page = desk.queue.page(EVERYTHING, None, 10, NOON)
    assert [item.state for item in page.items] == ["claimed", "held", "waiting"]
    assert (page.waiting, page.more_waiting) == (1, False)


def test_a_claim_without_a_heartbeat_is_shown_as_given_up(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    desk.claims.next("ana", EVERYTHING, NOON)

    (item,) = desk.queue.page(EVERYTHING, None, 10, NOON + minutes(3)).items

    assert (item.state, item.analyst) == ("waiting", None)


def test_pages_follow_one_another_without_gap_or_repetition(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, *(waiting(f"a-{number:02}", hours=number // 3) for number in range(25)))

    seen: list[str] = []
    cursor = None
    while True:
        page = desk.queue.page(EVERYTHING, cursor, 4, NOON)
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [f"a-{number:02}" for number in range(25)]
    with pytest.raises(CursorError):
        desk.queue.page(EVERYTHING, "nonsense", 4, NOON)


def test_a_case_shows_the_report_the_assessment_and_earlier_reviews_of_the_same_text(
    casebook: Casebook, desk: Desk
) -> None:
    keep(casebook, waiting("old", text="The same  text."), waiting("other", text="Another."))
    keep(casebook, waiting("new", text="the same text. ", hours=-5))
    first = desk.queue.page(EVERYTHING, None, 1, NOON).items[0]

    case = desk.queue.case(first.number)

    assert (case.item.id, case.case.text, case.assessment.id) == ("new", "the same text. ", "new")
    assert [item.id for item in case.earlier] == ["old"]
    assert case.verdicts == ()
    with pytest.raises(UnknownReviewError):
        desk.queue.case(9_999)


def test_forgetting_an_escalation_takes_its_review_and_verdicts_along(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"), waiting("b"))
    item = desk.claims.next("ana", EVERYTHING, NOON)
    assert item is not None
    desk.verdicts.decide(answer(item), NOON)

    casebook.forget(ids=["a"])

    assert ids(desk) == ["b"]
    assert desk.verdicts.of(item.escalation) == ()


def test_no_text_stands_in_a_repr(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = desk.claims.next("ana", EVERYTHING, NOON)
    assert item is not None
    new = answer(item, note="the secret words")

    shown = repr([item, new, desk.verdicts.decide(new, NOON), desk.queue.case(item.number)])

    assert "secret" not in shown
    assert TEXT not in shown
    assert json.dumps(TEXT) not in shown
