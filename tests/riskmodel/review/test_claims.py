"""Claims: who works on what, what is given up and what is not, and that nobody gets another's case."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from riskmodel.casebook import Casebook
from riskmodel.review import Desk, Filters, NotForYouError, QueueItem, TakenError, UnknownReviewError
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.review.made import answer, keep, minutes, waiting

ANALYSTS, CASES = 20, 1_000
EVERYTHING = Filters()


def claimed(desk: Desk, analyst: str, now: datetime = NOON) -> QueueItem:
    item = desk.claims.next(analyst, EVERYTHING, now)
    assert item is not None
    return item


def test_the_first_that_waits_and_passes_is_claimed_until_nothing_is_left(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("later", hours=9), waiting("soon", hours=2), waiting("es", hours=3, language="es"))

    first, second = claimed(desk, "ana"), desk.claims.next("bo", Filters(language="es"), NOON)

    assert (first.id, first.state, first.analyst, first.version) == ("soon", "claimed", "ana", 2)
    assert first.claimed_at == first.heartbeat_at == first.assigned_at == first.last_claim_at == NOON
    assert second is not None
    assert second.id == "es"
    assert desk.claims.next("bo", Filters(language="es"), NOON) is None
    assert claimed(desk, "bo").id == "later"
    assert desk.claims.next("bo", EVERYTHING, NOON) is None


def test_a_particular_case_is_taken_once_and_its_owner_is_named(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    number = desk.queue.page(EVERYTHING, None, 1, NOON).items[0].number

    taken = desk.claims.take(number, "ana", NOON)
    again = desk.claims.take(number, "ana", NOON + minutes(1))

    assert again.version == taken.version
    assert again.heartbeat_at == NOON + minutes(1)
    with pytest.raises(TakenError, match=r"claimed and ana's") as caught:
        desk.claims.take(number, "bo", NOON + minutes(1))
    assert (caught.value.by, caught.value.state) == ("ana", "claimed")
    with pytest.raises(UnknownReviewError):
        desk.claims.take(9_999, "bo", NOON)


def test_a_claim_lives_by_its_heartbeat_and_is_given_up_without(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk, "ana")
    desk.claims.heartbeat(item.number, "ana", NOON + minutes(1.5))

    assert desk.claims.next("bo", EVERYTHING, NOON + minutes(3)) is None
    taken = claimed(desk, "bo", NOON + minutes(4))

    assert (taken.id, taken.analyst) == ("a", "bo")
    assert taken.last_claim_at == NOON + minutes(4)
    with pytest.raises(TakenError) as caught:
        desk.claims.heartbeat(item.number, "ana", NOON + minutes(4))
    assert caught.value.by == "bo"


def test_what_is_given_up_keeps_its_version_so_that_a_late_verdict_still_counts(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk, "ana")

    states = []
    for minute in (1, 3, 4):  # whoever looks for work gives up what is stale
        assert desk.claims.next("bo", Filters(language="und"), NOON + minutes(minute)) is None
        states.append(desk.queue.case(item.number).item.state)
    given_up = desk.queue.case(item.number).item

    assert states == ["claimed", "waiting", "waiting"]
    assert (given_up.analyst, given_up.version) == (None, item.version)
    assert given_up.last_claim_at == NOON
    assert desk.verdicts.decide(answer(item), NOON + minutes(5)).analyst == "ana"


def test_what_is_held_is_not_given_up_and_can_be_taken_up_again(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk, "ana")
    held = desk.claims.hold(item.number, "ana", NOON)

    assert desk.claims.next("bo", EVERYTHING, NOON + minutes(600)) is None
    with pytest.raises(TakenError, match="held and ana's"):
        desk.claims.take(item.number, "bo", NOON + minutes(600))
    taken = desk.claims.take(item.number, "ana", NOON + minutes(601))

    assert (held.state, taken.state) == ("held", "claimed")
    assert taken.assigned_at == NOON
    assert taken.claimed_at == NOON + minutes(601)


def test_a_released_case_goes_back_to_its_place(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a", hours=1), waiting("b", hours=2))
    item = claimed(desk, "ana")

    released = desk.claims.release(item.number, "ana", NOON + minutes(1))

    assert (released.state, released.analyst, released.version) == ("waiting", None, 3)
    assert claimed(desk, "bo").id == "a"
    with pytest.raises(TakenError):
        desk.claims.release(item.number, "ana", NOON)


def test_a_case_is_handed_to_a_colleague_for_whom_it_is_held(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk, "ana")

    given = desk.claims.hand_over(item.number, "ana", "bo", NOON + minutes(1))

    assert (given.state, given.analyst, given.claimed_at) == ("held", "bo", None)
    assert given.assigned_at == NOON + minutes(1)
    with pytest.raises(TakenError):
        desk.claims.heartbeat(item.number, "ana", NOON + minutes(1))
    assert desk.claims.take(item.number, "bo", NOON + minutes(90)).claimed_at == NOON + minutes(90)


def test_only_a_lead_hands_over_what_is_anothers(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, waiting("a"))
    item = claimed(desk, "ana")

    with pytest.raises(TakenError):
        desk.claims.hand_over(item.number, "lea", "bo", NOON)
    assert desk.claims.hand_over(item.number, "lea", "bo", NOON, as_lead=True).analyst == "bo"

    desk.claims.take(item.number, "bo", NOON)
    desk.verdicts.decide(answer(desk.queue.case(item.number).item, "bo"), NOON)
    with pytest.raises(TakenError, match="decided"):
        desk.claims.hand_over(item.number, "lea", "ana", NOON, as_lead=True)


def test_nobody_hands_a_blind_opinion_to_who_gave_the_first(casebook: Casebook, second_desk: Desk) -> None:
    keep(casebook, waiting("a"))
    second_desk.verdicts.decide(answer(claimed(second_desk, "ana")), NOON)
    second = claimed(second_desk, "bo")

    with pytest.raises(NotForYouError):
        second_desk.claims.hand_over(second.number, "bo", "ana", NOON)


def test_twenty_analysts_decide_a_thousand_cases_and_none_twice(casebook: Casebook, desk: Desk) -> None:
    keep(casebook, *(waiting(f"a-{number:04}", hours=number % 70) for number in range(CASES)))
    seen: list[int] = []
    slowest = [0.0]
    start = threading.Barrier(ANALYSTS)

    def work(analyst: str) -> int:
        count = 0
        start.wait()
        while True:
            begun = time.perf_counter()
            item = desk.claims.next(analyst, EVERYTHING, datetime.now(UTC))
            slowest[0] = max(slowest[0], time.perf_counter() - begun)
            if item is None:
                return count
            seen.append(item.number)
            verdict = desk.verdicts.decide(answer(item, analyst), datetime.now(UTC))
            assert (verdict.analyst, verdict.review) == (analyst, item.number)
            count += 1

    with ThreadPoolExecutor(ANALYSTS) as threads:
        counts = list(threads.map(work, [f"analyst-{number}" for number in range(ANALYSTS)]))

    assert sum(counts) == CASES
    assert len(set(seen)) == len(seen) == CASES
    assert desk.queue.page(EVERYTHING, None, 1, NOON).items == ()
    assert slowest[0] < 5.0  # in turn, however busy the others are
