"""Hand-offs: from a decided case to a recorded mitigation, each step appended, nothing done over a changed one."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casebook.tables import HANDOFF_EVENTS, MESSAGES
from riskmodel.casework import (
    Actor,
    Contacts,
    Handoff,
    HandoffError,
    HandoffFilters,
    Handoffs,
    HandoffStateError,
    Outbox,
    UnknownHandoffError,
    UnknownLinkError,
)
from riskmodel.casework.delivery import Ended
from riskmodel.casework.handoff_records import State
from riskmodel.errors import CasebookError
from riskmodel.policy import Policy
from riskmodel.review import Desk, Entering, Filters, Golden, Known, ReviewSettings
from tests.riskmodel.casebook.made import NOON, TEXT, make_rated
from tests.riskmodel.casework.made import SECRET
from tests.riskmodel.review.made import REVIEW, answer

ANA, TEAM, LINK = Actor("ana", "desk"), Actor("crisis_response", "key"), Actor("Rosa", "link")
REACHED = Contacts.model_validate(
    {
        "base_url": "https://desk.example.org",
        "smtp": {"host": "localhost", "sender": "desk@example.org"},
        "teams": {
            "crisis_response": {
                "webhook": "https://crisis.example.org/",
                "secrets": [SECRET],
                "email": "crisis@example.org",
                "language": "es",
            },
            "abuse_response": {"email": "abuse@example.org", "masked": False},
        },
    }
)


@pytest.fixture
def handoffs(casebook: Casebook, policy: Policy) -> Handoffs:
    return Handoffs(casebook.database, policy, REACHED)


@pytest.fixture
def desk(casebook: Casebook, policy: Policy) -> Desk:
    return Desk(casebook.database, policy, ReviewSettings(second_opinion_share=0))


def accepted(casebook: Casebook, id_: str = "a", **changes: Any) -> int:
    """Keep a case whose rating, high, is accepted, and return its number."""
    casebook.keep([make_rated(id_, **changes)])
    return casebook.get(id_).number


def opened(casebook: Casebook, handoffs: Handoffs, id_: str = "a", team: str = "crisis_response") -> Handoff:
    return handoffs.open(accepted(casebook, id_), team, ANA, NOON)


def payloads(casebook: Casebook, kind: str = "handoff") -> dict[str, Any]:
    """Return what waits to be sent, by channel."""
    statement = sa.select(MESSAGES.c.channel, MESSAGES.c.payload).where(MESSAGES.c.kind == kind)
    rows = casebook.database.read(lambda connection: connection.execute(statement).all())
    return {channel: json.loads(payload) for channel, payload in rows if payload is not None}


def token(casebook: Casebook) -> str:
    return str(payloads(casebook)["webhook"]["data"]["link"]).rpartition("/")[2]


def kinds(handoffs: Handoffs, number: int) -> list[tuple[str, str | None, str]]:
    return [(event.kind, event.actor, event.way) for event in handoffs.whole(number).events]


def test_a_risk_is_handed_over_acknowledged_and_mitigated_and_each_step_says_who_and_when(
    casebook: Casebook, handoffs: Handoffs
) -> None:
    escalation = accepted(casebook)
    handoff = handoffs.open(escalation, "crisis_response", ANA, NOON, note="please look at once")
    assert (handoff.state, handoff.rating, handoff.category, handoff.market) == ("open", "high", "violence", "BR")
    assert handoff.act_by == NOON + timedelta(hours=4) and (handoff.id, handoff.client) == ("a", "desk")

    seen = handoffs.acknowledge(handoff.number, LINK, NOON + timedelta(hours=1), version=handoff.version)
    done = handoffs.mitigate(
        handoff.number, TEAM, ["removed", "account suspended"], "", NOON + timedelta(hours=2), version=seen.version
    )

    assert (done.state, done.actions) == ("mitigated", ("removed", "account suspended"))
    assert (done.acknowledged_at, done.ended_at) == (NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    events = handoffs.whole(handoff.number).events
    assert [(event.kind, event.actor, event.way) for event in events] == [
        ("opened", "ana", "desk"),
        ("acknowledged", "Rosa", "link"),
        ("mitigated", "crisis_response", "key"),
    ]
    assert events[0].note == "please look at once" and events[2].actions == done.actions
    assert [event.at for event in events] == [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2)]


def test_the_team_gets_the_whole_assessment_with_personal_data_masked(casebook: Casebook, handoffs: Handoffs) -> None:
    escalation = accepted(casebook)
    handoffs.open(escalation, "crisis_response", ANA, NOON, note="call 11 98765-4321")

    sent = payloads(casebook)["webhook"]
    data = sent["data"]

    assert (sent["type"], sent["timestamp"]) == ("handoff.opened", "2026-03-01T12:00:00Z")
    assert (data["team"], data["rating"], data["act_by"]) == ("crisis_response", "high", "2026-03-01T16:00:00Z")
    assert data["dsa"] == "STATEMENT_CATEGORY_VIOLENCE" and data["verdict"] is None
    assert data["escalation"]["text"] == "Vai na escola amanhã às 18:00, ligue [phone]."
    assert data["assessment"]["probabilities"] == {"low": 0.0, "medium": 0.05, "high": 0.75, "critical": 0.2}
    assert data["assessment"]["explanation"]["evidence"][0]["text"] == "ligue [phone]."
    assert "98765" not in json.dumps(payloads(casebook)) and "eu@exemplo.org" not in json.dumps(payloads(casebook))


def test_the_letter_speaks_the_teams_language_and_carries_the_link(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number

    letter = payloads(casebook)["email"]

    assert letter["subject"] == f"Traspaso {number}: alta, violencia, actuar antes de 2026-03-01 16:00 UTC"
    assert f"https://desk.example.org/handoffs/t/{token(casebook)}" in letter["text"]
    assert letter["text"].index("enlace") < letter["text"].index("Vai na escola")


def test_a_team_whose_settings_say_so_gets_personal_data_as_it_is(casebook: Casebook, handoffs: Handoffs) -> None:
    opened(casebook, handoffs, team="abuse_response")
    assert TEXT in payloads(casebook)["email"]["text"]


def test_a_team_that_cannot_be_reached_sees_it_on_the_page_only(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs, team="user_support").number
    assert handoffs.whole(number).delivery == "page" and payloads(casebook) == {}


def test_it_is_delivered_only_when_a_channel_took_it(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number
    outbox = Outbox(casebook.database)
    seen = [handoffs.whole(number).delivery]
    for outcome in ("timeout", "refused for good", "delivered"):
        message = outbox.take(NOON)
        if message is None:
            message = outbox.take(NOON + timedelta(minutes=1))
        assert message is not None
        outbox.end(message, Ended(outcome), NOON)
        seen.append(handoffs.whole(number).delivery)

    assert seen == ["on its way", "failing", "failing", "delivered"]


def test_what_was_given_up_is_dead_and_needs_the_desk(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs, team="abuse_response").number
    outbox = Outbox(casebook.database)
    message = outbox.take(NOON)
    assert message is not None
    outbox.end(message, Ended("refused for good", 550), NOON)

    (listed,) = handoffs.page(HandoffFilters(needs_desk=True), None, 10, NOON).items
    assert (listed.handoff.number, listed.delivery, listed.handoff.state) == (number, "dead", "open")


def test_a_link_opens_its_hand_off_for_thirty_days(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number
    found = token(casebook)

    assert handoffs.by_link(found, NOON + timedelta(days=29)) == number
    with pytest.raises(UnknownLinkError):
        handoffs.by_link(found, NOON + timedelta(days=30))


def test_a_refused_one_goes_back_to_the_desk_and_can_be_handed_to_another_team_once(
    casebook: Casebook, handoffs: Handoffs
) -> None:
    first = opened(casebook, handoffs)
    handoffs.refuse(first.number, LINK, "not ours: no threat", NOON)
    assert [item.handoff.number for item in handoffs.page(HandoffFilters(needs_desk=True), None, 9, NOON).items] == [
        first.number
    ]

    second = handoffs.open(first.escalation, "abuse_response", ANA, NOON, follows=first.number)

    assert second.follows == first.number and handoffs.whole(first.number).followed_by == second.number
    assert handoffs.page(HandoffFilters(needs_desk=True), None, 9, NOON).items == ()
    with pytest.raises(HandoffStateError):
        handoffs.open(first.escalation, "user_support", ANA, NOON, follows=first.number)
    other = accepted(casebook, "b")
    with pytest.raises(UnknownHandoffError):
        handoffs.open(other, "user_support", ANA, NOON, follows=first.number)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2_001, "nul\x00"])
def test_refusing_withdrawing_and_doing_nothing_need_a_reason_that_can_be_kept(
    casebook: Casebook, handoffs: Handoffs, reason: str
) -> None:
    number = opened(casebook, handoffs).number
    for step in (
        lambda: handoffs.refuse(number, LINK, reason, NOON),
        lambda: handoffs.withdraw(number, ANA, reason, NOON),
        lambda: handoffs.mitigate(number, LINK, ["no action"], reason, NOON),
    ):
        with pytest.raises(HandoffError):
            step()
    assert kinds(handoffs, number) == [("opened", "ana", "desk")]


@pytest.mark.parametrize("actions", [[], ["removed", "removed"], ["deleted"], ["no action", "removed"]])
def test_a_mitigation_is_what_the_vocabulary_has(casebook: Casebook, handoffs: Handoffs, actions: list[str]) -> None:
    number = opened(casebook, handoffs).number
    with pytest.raises(HandoffError, match="actions"):
        handoffs.mitigate(number, LINK, actions, "because", NOON)


def test_nothing_is_done_over_a_changed_one_and_it_is_said_what_it_is_now(
    casebook: Casebook, handoffs: Handoffs
) -> None:
    handoff = opened(casebook, handoffs)
    handoffs.acknowledge(handoff.number, LINK, NOON, version=handoff.version)

    with pytest.raises(HandoffStateError) as caught:
        handoffs.mitigate(handoff.number, TEAM, ["removed"], "", NOON, version=handoff.version)

    assert (caught.value.current.state, caught.value.current.version) == ("acknowledged", 2)
    assert handoffs.acknowledge(handoff.number, TEAM, NOON).version == 2  # again: nothing new
    assert len(handoffs.whole(handoff.number).events) == 2


@pytest.mark.parametrize("state", ["refused", "mitigated", "withdrawn"])
def test_what_has_ended_stays_ended(casebook: Casebook, handoffs: Handoffs, state: State) -> None:
    number = opened(casebook, handoffs).number
    {
        "refused": lambda: handoffs.refuse(number, LINK, "no", NOON),
        "mitigated": lambda: handoffs.mitigate(number, LINK, ["limited"], "", NOON),
        "withdrawn": lambda: handoffs.withdraw(number, ANA, "a mistake", NOON),
    }[state]()
    for step in (
        lambda: handoffs.acknowledge(number, LINK, NOON),
        lambda: handoffs.refuse(number, LINK, "no", NOON),
        lambda: handoffs.mitigate(number, LINK, ["limited"], "", NOON),
        lambda: handoffs.withdraw(number, ANA, "a mistake", NOON),
    ):
        with pytest.raises(HandoffStateError):
            step()
    assert handoffs.whole(number).handoff.state == state


def test_what_was_acknowledged_is_not_withdrawn(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number
    handoffs.acknowledge(number, LINK, NOON)
    with pytest.raises(HandoffStateError):
        handoffs.withdraw(number, ANA, "a mistake", NOON)


def test_a_team_touches_its_own_only(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number
    for step in (
        lambda: handoffs.acknowledge(number, TEAM, NOON, team="abuse_response"),
        lambda: handoffs.refuse(number, TEAM, "no", NOON, team="abuse_response"),
        lambda: handoffs.whole(number, "abuse_response"),
    ):
        with pytest.raises(UnknownHandoffError):
            step()
    assert handoffs.acknowledge(number, TEAM, NOON, team="crisis_response").state == "acknowledged"


def test_a_team_has_a_risk_once_until_it_ends(casebook: Casebook, handoffs: Handoffs) -> None:
    first = opened(casebook, handoffs)
    with pytest.raises(HandoffError, match="has it already"):
        handoffs.open(first.escalation, "crisis_response", ANA, NOON)
    with pytest.raises(HandoffError, match="an unknown one"):
        handoffs.open(first.escalation, "nobody", ANA, NOON)
    handoffs.mitigate(first.number, LINK, ["removed"], "", NOON)
    assert handoffs.open(first.escalation, "crisis_response", ANA, NOON).number > first.number
    assert [listed.handoff.state for listed in handoffs.of(first.escalation)] == ["open", "mitigated"]


def test_what_nobody_decided_is_not_handed_over_and_a_verdict_counts_more_than_the_model(
    casebook: Casebook, handoffs: Handoffs, desk: Desk
) -> None:
    Casebook(casebook.database, enter=Entering(ReviewSettings())).keep([make_rated("r", decision=REVIEW)])
    escalation = casebook.get("r").number
    with pytest.raises(HandoffError, match="nobody decided yet"):
        handoffs.offer(escalation)
    item = desk.claims.next("ana", Filters(), NOON)
    assert item is not None
    new = answer(item, proximity="active", categories=("hate",), note="call 11 98765-4321", evidence=((31, 36),))
    verdict = desk.verdicts.decide(new, NOON)

    offer = handoffs.offer(escalation)
    handoff = handoffs.open(escalation, offer.team, ANA, NOON)

    assert (offer.rating, offer.category, offer.team) == ("critical", "hate", "crisis_response")  # by the routing
    assert (handoff.verdict, handoff.rating) == (verdict.number, "critical")
    told = payloads(casebook)["webhook"]["data"]["verdict"]
    assert (told["rating"], told["categories"], told["note"]) == ("critical", ["hate"], "call [phone]")
    assert told["evidence"] == [{"start": 31, "end": 36, "text": "ligue"}] and "ana" not in json.dumps(told)


def test_a_case_made_to_test_ratings_is_never_handed_over(casebook: Casebook, handoffs: Handoffs, desk: Desk) -> None:
    desk.add_golden([Golden(make_rated("g"), Known("severe", "plausible", "high"))], 1, NOON)
    with pytest.raises(HandoffError, match="made to test ratings"):
        handoffs.open(casebook.get("g").number, "crisis_response", ANA, NOON)


def test_pages_are_filtered_and_go_on_from_a_cursor(casebook: Casebook, handoffs: Handoffs) -> None:
    numbers = [opened(casebook, handoffs, f"a-{at}").number for at in range(5)]
    late = opened(casebook, handoffs, "b", "user_support").number
    handoffs.mitigate(numbers[0], LINK, ["removed"], "", NOON)

    def page(cursor: str | None = None, hours: float = 0, **filters: Any) -> tuple[list[int], str | None]:
        found = handoffs.page(HandoffFilters(**filters), cursor, 3, NOON + timedelta(hours=hours))
        return [item.handoff.number for item in found.items], found.next_cursor

    first, cursor = page()
    assert first == [late, *numbers[:2:-1]] and page(cursor) == (numbers[2::-1], None)
    assert page(state="mitigated") == ([numbers[0]], None) and page(team="user_support") == ([late], None)
    assert page(late=True, hours=3.9)[0] == [] and page(late=True, hours=4)[0] == first
    assert numbers[0] not in page(page(late=True, hours=4)[1], 4, late=True)[0]


def test_events_cannot_be_changed_and_all_goes_with_the_escalation(casebook: Casebook, handoffs: Handoffs) -> None:
    number = opened(casebook, handoffs).number
    found = token(casebook)
    for change in (sa.update(HANDOFF_EVENTS).values(note="other"), sa.delete(HANDOFF_EVENTS)):
        with pytest.raises(CasebookError):
            casebook.database.write(lambda connection, change=change: connection.execute(change))

    casebook.forget(ids=["a"])

    with pytest.raises(UnknownHandoffError):
        handoffs.whole(number)
    with pytest.raises(UnknownLinkError):
        handoffs.by_link(found, NOON)
    assert payloads(casebook) == {}
    left = sa.select(sa.func.count()).select_from(HANDOFF_EVENTS)
    assert casebook.database.read(lambda connection: connection.execute(left).scalar()) == 0


def test_nothing_that_was_written_stands_in_a_repr(casebook: Casebook, handoffs: Handoffs) -> None:
    handoff = handoffs.open(accepted(casebook), "crisis_response", ANA, NOON, note="secret words")
    shown = repr([handoff, handoffs.whole(handoff.number), handoffs.page(HandoffFilters(), None, 9, NOON)])
    assert "secret" not in shown and "escola" not in shown
