"""Rules: what is trusted or decided is handed over within its own transaction; what was taken back is withdrawn."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casebook.cases import Casebook as Book
from riskmodel.casework import Actor, Automatic, Contacts, Handoff, HandoffFilters, Handoffs, Outbox
from riskmodel.casework.delivery import Ended
from riskmodel.policy import Policy
from riskmodel.review import Desk, Entering, Filters, Golden, Known, ReviewSettings, Verdict
from tests.riskmodel.casebook.made import NOON, Clock, make_rated
from tests.riskmodel.casework.made import SECRET
from tests.riskmodel.review.made import REVIEW, answer

ROSA = Actor("Rosa", "link")
RULES = {"accepted_from": "high", "decided_from": "medium"}


def contacts(**rules: Any) -> Contacts:
    team = {"webhook": "https://crisis.example.org/", "secrets": [SECRET], "language": "pt"}
    return Contacts.model_validate({"handoffs": RULES | rules, "teams": {"crisis_response": team}})


@pytest.fixture
def automatic(policy: Policy) -> Automatic:
    return Automatic(policy, contacts())


@pytest.fixture
def book(casebook: Casebook, automatic: Automatic) -> Iterator[Casebook]:
    """Return a casebook in which all that is accepted is audited too."""
    yield Book(casebook.database, Clock(), Entering(ReviewSettings(audit_share=1.0)), automatic.kept)


@pytest.fixture
def desk(casebook: Casebook, policy: Policy, automatic: Automatic) -> Desk:
    return Desk(casebook.database, policy, ReviewSettings(second_opinion_share=0), told=automatic.decided)


@pytest.fixture
def handoffs(casebook: Casebook, policy: Policy) -> Handoffs:
    return Handoffs(casebook.database, policy, contacts())


def decide(desk: Desk, **changes: Any) -> Verdict:
    item = desk.claims.next("ana", Filters(), NOON)
    assert item is not None
    return desk.verdicts.decide(answer(item, **changes), NOON)


def everything(handoffs: Handoffs) -> list[Handoff]:
    return [item.handoff for item in handoffs.page(HandoffFilters(), None, 99, NOON).items]


def test_what_is_trusted_is_handed_over_from_a_rating_on_as_it_is_kept(book: Casebook, handoffs: Handoffs) -> None:
    book.keep([make_rated("high"), make_rated("medium", rating="medium"), make_rated("review", decision=REVIEW)])
    book.keep([make_rated("high")])  # a retry

    (only,) = everything(handoffs)
    assert (only.id, only.team, only.opened_by, only.verdict) == ("high", "crisis_response", None, None)
    whole = handoffs.whole(only.number)
    assert [(event.kind, event.way) for event in whole.events] == [("opened", "rule")]
    assert whole.delivery == "on its way"


def test_without_rules_nothing_is_handed_over(casebook: Casebook, policy: Policy, handoffs: Handoffs) -> None:
    quiet = Automatic(policy, Contacts())
    book = Book(casebook.database, Clock(), told=quiet.kept)
    book.keep([make_rated("a", rating="critical")])
    assert everything(handoffs) == []


def test_a_case_that_is_not_kept_is_not_handed_over(
    casebook: Casebook, automatic: Automatic, handoffs: Handoffs
) -> None:
    def fail(connection: sa.Connection, *rest: Any) -> None:
        automatic.kept(connection, *rest)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Book(casebook.database, Clock(), told=fail).keep([make_rated("a")])
    assert everything(handoffs) == [] and Outbox(casebook.database).counts()["waiting"] == 0


def test_a_verdict_hands_over_from_a_rating_on_and_its_undo_takes_that_back_visibly(
    book: Casebook, desk: Desk, handoffs: Handoffs
) -> None:
    book.keep([make_rated("r", decision=REVIEW)])
    verdict = decide(desk)
    (opened,) = everything(handoffs)
    assert (opened.verdict, opened.state) == (verdict.number, "open")

    desk.verdicts.undo(verdict.number, "ana", NOON + timedelta(minutes=5))

    whole = handoffs.whole(opened.number)
    assert whole.handoff.state == "withdrawn"
    assert [(event.kind, event.way, event.note) for event in whole.events][1:] == [
        ("withdrawn", "rule", "o veredito foi desfeito")
    ]
    assert [message.state for message in whole.messages] == ["withdrawn"]


def test_a_team_that_may_have_got_it_is_told_that_it_was_withdrawn(
    book: Casebook, desk: Desk, handoffs: Handoffs
) -> None:
    book.keep([make_rated("r", decision=REVIEW)])
    verdict = decide(desk)
    outbox = Outbox(book.database)
    message = outbox.take(NOON)
    assert message is not None
    outbox.end(message, Ended("delivered", 200), NOON)

    desk.verdicts.undo(verdict.number, "ana", NOON)

    withdrawal = outbox.take(NOON)
    assert withdrawal is not None and withdrawal.kind == "withdrawal"
    assert withdrawal.payload["type"] == "handoff.withdrawn"
    assert withdrawal.payload["data"]["reason"] == "o veredito foi desfeito"


def test_what_was_acknowledged_stays_with_its_team_and_says_that_the_verdict_was_undone(
    book: Casebook, desk: Desk, handoffs: Handoffs
) -> None:
    book.keep([make_rated("r", decision=REVIEW)])
    verdict = decide(desk)
    (opened,) = everything(handoffs)
    handoffs.acknowledge(opened.number, ROSA, NOON)

    desk.verdicts.undo(verdict.number, "ana", NOON)

    whole = handoffs.whole(opened.number)
    assert whole.handoff.state == "acknowledged" and whole.events[-1].kind == "verdict undone"


def test_a_verdict_below_the_level_hands_nothing_over(book: Casebook, desk: Desk, handoffs: Handoffs) -> None:
    book.keep([make_rated("r", decision=REVIEW)])
    decide(desk, severity="minor", proximity="contained")
    assert everything(handoffs) == []


def test_an_audit_that_confirms_adds_nothing_and_one_that_differs_replaces_what_was_not_acknowledged(
    book: Casebook, desk: Desk, handoffs: Handoffs
) -> None:
    book.keep([make_rated("confirmed"), make_rated("changed")])
    decide(desk)
    decide(desk, proximity="active", categories=("harassment",))

    states = [(one.id, one.rating, one.state, one.verdict is None) for one in everything(handoffs)]
    assert states == [
        ("changed", "critical", "open", False),
        ("changed", "high", "withdrawn", True),
        ("confirmed", "high", "open", True),
    ]


def test_a_case_whose_rating_was_known_is_judged_and_never_handed_over(
    book: Casebook, desk: Desk, handoffs: Handoffs
) -> None:
    desk.add_golden([Golden(make_rated("g"), Known("severe", "plausible", "high"))], 1, NOON)
    decide(desk)
    assert everything(handoffs) == []
