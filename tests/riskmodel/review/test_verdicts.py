"""Verdicts: by the table, appended only, never over a changed case, taken back by another; second and third ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.errors import CasebookError
from riskmodel.policy import Policy, load_policy
from riskmodel.records import PROXIMITIES, SEVERITIES, Proximity, Severity
from riskmodel.review import (
    ChangedError,
    Desk,
    Filters,
    NotForYouError,
    QueueItem,
    TakenError,
    UnknownReviewError,
    VerdictError,
)
from tests.riskmodel.casebook.made import NOON, TEXT
from tests.riskmodel.review.made import answer, keep, minutes, waiting

EVERYTHING = Filters()


def claimed(desk: Desk, analyst: str = "ana", filters: Filters = EVERYTHING) -> QueueItem:
    item = desk.claims.next(analyst, filters, NOON)
    assert item is not None
    return item


def purposes(desk: Desk) -> list[str]:
    return [item.purpose for item in desk.queue.page(EVERYTHING, None, 10, NOON).items]


def test_a_confirmed_verdict_says_who_when_how_long_and_of_what_model(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk)

    verdict = desk.verdicts.decide(answer(item, evidence=((4, 10), (0, 3)), note="clear"), NOON + minutes(2))

    assert (verdict.kind, verdict.rating, verdict.analyst) == ("confirmed", "high", "ana")
    assert (verdict.decided_at, verdict.seconds) == (NOON + minutes(2), 12.5)
    assert (verdict.model_version, verdict.policy_version) == ("v1", load_policy().version)
    assert verdict.evidence == ((0, 3), (4, 10))
    assert (verdict.purpose, verdict.weight, verdict.retracts) == ("review", 1.0, None)
    assert desk.verdicts.of(item.escalation) == (verdict,)
    decided = desk.queue.case(item.number)
    assert (decided.item.state, decided.item.analyst, decided.item.version) == ("decided", "ana", 3)
    assert decided.verdicts == (verdict,)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("proximity", PROXIMITIES)
def test_the_rating_is_the_tables(sqlite_url: str, policy: Policy, severity: Severity, proximity: Proximity) -> None:
    from riskmodel.casebook import open_casebook
    from riskmodel.review import Entering, ReviewSettings

    casebook = open_casebook(sqlite_url, lambda: NOON, Entering(ReviewSettings()))
    desk = Desk(casebook.database, policy, ReviewSettings(second_opinion_share=0))
    keep(casebook, waiting("plain"), waiting("lifted", source="press"))
    plain, lifted = claimed(desk), claimed(desk)

    said = desk.verdicts.decide(answer(plain, severity=severity, proximity=proximity), NOON)
    raised = desk.verdicts.decide(answer(lifted, severity=severity, proximity=proximity, lifted=True), NOON)
    casebook.close()

    cell = policy.table[severity][proximity]
    assert said.rating == cell
    assert raised.rating == max(cell, policy.floor.at_least[severity], key=["low", "medium", "high", "critical"].index)
    assert said.kind == ("confirmed" if (severity, proximity) == ("severe", "plausible") else "changed")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"severity": "terrible"}, "severity"),
        ({"proximity": "near"}, "proximity"),
        ({"lifted": True}, "lifted"),
        ({"categories": ()}, "categories"),
        ({"categories": ("gossip",)}, "categories"),
        ({"categories": ("hate", "hate")}, "categories"),
        ({"categories": ("none", "hate")}, "categories"),
        ({"evidence": ((0, len(TEXT) + 1),)}, "evidence"),
        ({"evidence": ((-1, 4),)}, "evidence"),
        ({"evidence": ((4, 4),)}, "evidence"),
        ({"evidence": ((0, 5), (4, 9))}, "evidence"),
        ({"note": "secret" * 1_000}, "note"),
        ({"seconds": -1.0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    casebook: Casebook, desk: Desk, changes: dict[str, Any], field: str
) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk)

    with pytest.raises(VerdictError) as caught:
        desk.verdicts.decide(answer(item, **changes), NOON)

    assert caught.value.problem.field == field
    assert "secret" not in str(caught.value)
    assert desk.verdicts.of(item.escalation) == ()
    assert desk.queue.case(item.number).item.state == "claimed"


def test_a_case_that_changed_is_shown_and_not_overwritten(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk)
    theirs = desk.claims.take(item.number, "bo", NOON + minutes(5))
    decided = desk.verdicts.decide(answer(theirs, "bo"), NOON + minutes(6))

    with pytest.raises(ChangedError) as caught:
        desk.verdicts.decide(answer(item, severity="minor"), NOON + minutes(7))

    assert caught.value.current.item.state == "decided"
    assert caught.value.current.verdicts == (decided,)
    assert desk.verdicts.of(item.escalation) == (decided,)


def test_the_same_sending_again_gives_the_same_verdict_also_at_once(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    new = answer(claimed(desk))

    with ThreadPoolExecutor(6) as threads:
        sent = list(threads.map(lambda _: desk.verdicts.decide(new, NOON), range(6)))

    assert len({verdict.number for verdict in sent}) == 1
    assert len(desk.verdicts.of(sent[0].escalation)) == 1


def test_an_undo_is_appended_and_gives_the_case_back(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk)
    first = desk.verdicts.decide(answer(item, note="mine"), NOON)

    undone = desk.verdicts.undo(first.number, "ana", NOON + minutes(1))
    again = desk.queue.case(item.number).item
    second = desk.verdicts.decide(answer(again, severity="minor"), NOON + minutes(2))

    assert (undone.kind, undone.retracts, undone.note) == ("retracted", first.number, "")
    assert (again.state, again.analyst, again.heartbeat_at) == ("claimed", "ana", NOON + minutes(1))
    assert second.rating == "low"
    assert desk.verdicts.of(item.escalation) == (first, undone, second)


def test_only_ones_own_verdict_that_stands_can_be_taken_back(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    verdict = desk.verdicts.decide(answer(claimed(desk)), NOON)

    with pytest.raises(TakenError):
        desk.verdicts.undo(verdict.number, "bo", NOON)
    undone = desk.verdicts.undo(verdict.number, "ana", NOON)
    for number in (verdict.number, undone.number):
        with pytest.raises(TakenError):
            desk.verdicts.undo(number, "ana", NOON)
    with pytest.raises(UnknownReviewError):
        desk.verdicts.undo(9_999, "ana", NOON)


@pytest.mark.parametrize(
    "change", ["UPDATE verdicts SET rating = 'low'", "DELETE FROM verdicts", "DELETE FROM reviews", "TRUNCATE verdicts"]
)
def test_the_database_itself_refuses_to_change_a_verdict(casebook: Casebook, desk: Desk, change: str) -> None:
    keep(casebook, waiting("a"))
    verdict = desk.verdicts.decide(answer(claimed(desk)), NOON)
    if casebook.database.is_sqlite and change.startswith("TRUNCATE"):
        change = "DELETE FROM verdicts WHERE 1"

    with pytest.raises(CasebookError):
        casebook.database.write(lambda connection: connection.execute(sa.text(change)))

    assert desk.verdicts.of(verdict.escalation) == (verdict,)


def test_a_second_opinion_is_blind_and_another_analysts(casebook: Casebook, second_desk: Desk) -> None:
    keep(casebook, waiting("a"))
    first = second_desk.verdicts.decide(answer(claimed(second_desk)), NOON)

    assert purposes(second_desk) == ["second"]
    assert second_desk.claims.next("ana", EVERYTHING, NOON) is None
    assert second_desk.queue.page(Filters(analyst="ana"), None, 10, NOON).items == ()
    item = claimed(second_desk, "bo")
    assert item.asked_as == "review"
    assert second_desk.queue.case(item.number).verdicts == ()
    with pytest.raises(NotForYouError):
        second_desk.claims.release(item.number, "bo", NOON)
        second_desk.claims.take(item.number, "ana", NOON)
    with pytest.raises(NotForYouError):
        second_desk.verdicts.decide(answer(second_desk.queue.case(item.number).item, "ana"), NOON)

    second = second_desk.verdicts.decide(answer(second_desk.queue.case(item.number).item, "bo"), NOON)

    assert second.purpose == "second"
    assert second_desk.queue.case(item.number).verdicts == (second,)
    assert second_desk.queue.case(first.review).verdicts == (first,)
    assert second_desk.queue.case(item.number, as_lead=True).verdicts == (first, second)
    assert second_desk.queue.case(first.review, as_lead=True).verdicts == (first, second)
    assert purposes(second_desk) == []


def test_a_second_opinion_waits_as_the_first_did(casebook: Casebook, second_desk: Desk) -> None:
    keep(casebook, waiting("a", hours=2, harm="critical"))
    (first,) = second_desk.queue.page(EVERYTHING, None, 10, NOON).items
    second_desk.verdicts.decide(answer(claimed(second_desk)), NOON + timedelta(hours=1))

    (second,) = second_desk.queue.page(EVERYTHING, None, 10, NOON + timedelta(hours=1)).items

    assert second.purpose == "second"
    assert second.why == first.why and second.why.harm == 1.0
    assert replace(second, number=first.number, purpose=first.purpose) == first


def test_whoever_may_not_give_a_second_opinion_is_named_to_no_one_but_the_desk(
    casebook: Casebook, second_desk: Desk
) -> None:
    keep(casebook, waiting("a"))
    first = second_desk.verdicts.decide(answer(claimed(second_desk)), NOON)
    (second,) = second_desk.queue.page(EVERYTHING, None, 10, NOON).items

    assert second_desk.queue.case(second.number).barred == {"ana"}
    assert second_desk.queue.case(first.review).barred == frozenset()


def test_where_two_differ_a_third_decides_and_sees_both(casebook: Casebook, second_desk: Desk) -> None:
    keep(casebook, waiting("a"))
    first = second_desk.verdicts.decide(answer(claimed(second_desk)), NOON)
    second = second_desk.verdicts.decide(answer(claimed(second_desk, "bo"), "bo", severity="minor"), NOON)

    assert purposes(second_desk) == ["third"]
    for analyst in ("ana", "bo"):
        assert second_desk.claims.next(analyst, EVERYTHING, NOON) is None
    third = claimed(second_desk, "cy")
    assert second_desk.queue.case(third.number).verdicts == (first, second)
    assert second_desk.verdicts.decide(answer(third, "cy"), NOON).purpose == "third"
    assert purposes(second_desk) == []


def test_a_third_is_no_longer_asked_when_the_two_come_to_agree(casebook: Casebook, second_desk: Desk) -> None:
    keep(casebook, waiting("a"))
    first = second_desk.verdicts.decide(answer(claimed(second_desk)), NOON)
    second_desk.verdicts.decide(answer(claimed(second_desk, "bo"), "bo", severity="minor"), NOON)

    second_desk.verdicts.undo(first.number, "ana", NOON)
    assert "third" in purposes(second_desk)
    again = second_desk.queue.case(first.review).item
    second_desk.verdicts.decide(answer(again, severity="minor"), NOON)

    assert purposes(second_desk) == []


def test_deciding_again_after_an_undo_gives_chance_no_second_draw(casebook: Casebook, policy: Policy) -> None:
    from random import Random

    from riskmodel.review import ReviewSettings

    keep(casebook, waiting("a"))
    never, always = (
        Desk(casebook.database, policy, ReviewSettings(second_opinion_share=share), Random(1)) for share in (0.0, 1.0)
    )
    verdict = never.verdicts.decide(answer(claimed(never)), NOON)
    always.verdicts.undo(verdict.number, "ana", NOON)
    always.verdicts.decide(answer(always.queue.case(verdict.review).item), NOON)

    assert purposes(always) == []
