"""A question goes out once, its answer comes back once, and opens the case again."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casework import (
    Again,
    ClosedQuestionError,
    Contacts,
    NewAnswer,
    QuestionError,
    UnknownQuestionError,
)
from riskmodel.policy import Policy
from riskmodel.review import Desk, Filters, QueueItem, ReviewSettings
from tests.riskmodel.casebook.made import NOON, TEXT, make_assessment
from tests.riskmodel.casework.asking import ASKED, OUTSIDE, asked, asking, desk_file, event, keep_case, sent
from tests.riskmodel.review.made import answer as verdict

NEVER_TWICE = ReviewSettings(second_opinion_share=0.0)
SOON = NOON + timedelta(hours=1)
ANSWER = NewAnswer("link", "Yes, it sells tickets too; three buyers came to us.", "Eva")


def token_in(payload: Any) -> str:
    """Return the token of the link in a message."""
    text = json.dumps(payload)
    return text.partition("https://desk.example.org/questions/t/")[2][:32]


def queue(casebook: Casebook, policy: Policy) -> list[QueueItem]:
    return list(Desk(casebook.database, policy, NEVER_TWICE).queue.page(Filters(), None, 100, NOON).items)


def judge(casebook: Casebook, policy: Policy) -> None:
    """Have what waits decided."""
    desk = Desk(casebook.database, policy, NEVER_TWICE)
    for item in queue(casebook, policy):
        desk.verdicts.decide(verdict(item), NOON)


def test_a_question_to_somebody_outside_goes_out_by_email_with_a_link_and_an_address_for_the_reply(
    casebook: Casebook,
) -> None:
    question = asking(casebook).ask(asked(keep_case(casebook)), event())

    (message,) = sent(casebook)
    assert (message.channel, message.destination, message.kind) == ("email", OUTSIDE, "question")
    token = token_in(message.payload)
    assert asking(casebook).find(token, NOON) == question
    assert message.payload["reply_to"] == f"answers+{token}@example.org"
    assert f"[q-{token}]" in message.payload["subject"]
    assert "case-1" in message.payload["text"]
    assert "A equipe de confiança" in message.payload["text"]
    assert TEXT not in message.payload["text"]


def test_what_may_identify_a_person_is_masked_unless_the_analyst_wants_it_as_written(casebook: Casebook) -> None:
    number = keep_case(casebook)
    asking(casebook).ask(asked(number), event())
    asking(casebook).ask(asked(number, as_written=True), event())

    masked, written = (message.payload["text"] for message in sent(casebook))

    assert "eva@example.org" not in masked
    assert "Does this account also sell tickets?" in masked
    assert ASKED in written


def test_a_question_to_a_team_goes_by_its_own_channels_each_with_its_own_token(casebook: Casebook) -> None:
    number = keep_case(casebook)
    asking(casebook).ask(asked(number, "crisis_response"), event())
    asking(casebook).ask(asked(number, "fraud_operations"), event())
    asking(casebook).ask(asked(number, "user_support"), event())

    webhook, email = sent(casebook)

    assert (webhook.channel, webhook.payload["type"]) == ("webhook", "question.asked")
    assert webhook.payload["data"]["escalation"] == "case-1"
    assert webhook.payload["data"]["due_at"] == "2026-03-01T16:00:00Z"
    assert email.destination == "fraud_operations"
    assert token_in(webhook.payload) != token_in(email.payload)


def test_only_the_hash_of_a_token_is_kept_once_the_message_is_sent(casebook: Casebook) -> None:
    asking(casebook).ask(asked(keep_case(casebook)), event())
    (message,) = sent(casebook)

    def kept(connection: sa.Connection) -> list[str]:
        tables = ("questions", "links", "answers", "audit")
        return [str(row) for table in tables for row in connection.execute(sa.text(f"SELECT * FROM {table}"))]

    assert token_in(message.payload) not in "".join(casebook.database.read(kept))


def test_an_answer_opens_a_decided_case_again_for_a_purpose_of_its_own(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook)
    judge(casebook, policy)
    questions = asking(casebook)
    asked_ = questions.ask(asked(number), event())
    (message,) = sent(casebook)
    assert queue(casebook, policy) == []

    kept = questions.answer(token_in(message.payload), ANSWER, SOON)

    (item,) = queue(casebook, policy)
    assert (item.number, item.purpose, item.asked_as, item.escalation) == (kept.review, "answer", "answer", number)
    assert item.act_by == SOON + timedelta(hours=policy.ratings["high"].act_within_hours)
    found = questions.get(asked_.number)
    assert (found.state, found.ended_at, found.answers) == ("answered", SOON, (kept,))
    assert not found.is_late(SOON)
    # Whoever judged the case before may judge it again, knowing more.
    desk = Desk(casebook.database, policy, NEVER_TWICE)
    assert desk.claims.next("ana", Filters(), SOON) is not None
    assert desk.verdicts.decide(verdict(desk.queue.case(item.number).item, "ana"), SOON).purpose == "answer"


def test_an_answer_to_a_case_that_still_waits_is_shown_there_and_nothing_is_queued_twice(
    casebook: Casebook, policy: Policy
) -> None:
    questions = asking(casebook)
    questions.ask(asked(keep_case(casebook)), event())
    (waits,) = queue(casebook, policy)

    kept = questions.answer(token_in(sent(casebook)[0].payload), ANSWER, SOON)

    assert kept.review == waits.number
    assert len(queue(casebook, policy)) == 1


def test_by_link_a_question_is_answered_once_and_by_email_more_may_follow(casebook: Casebook) -> None:
    questions = asking(casebook)
    asked_ = questions.ask(asked(keep_case(casebook)), event())
    token = token_in(sent(casebook)[0].payload)
    first = questions.answer(token, ANSWER, SOON)

    assert questions.answer(token, ANSWER, SOON) == first  # sent twice by a nervous finger
    with pytest.raises(ClosedQuestionError):
        questions.answer(token, NewAnswer("link", "Something else."), SOON)
    questions.answer(token, NewAnswer("email", "And two more buyers.", OUTSIDE), SOON)

    assert [one.via for one in questions.get(asked_.number).answers] == ["link", "email"]


def test_two_who_answer_at_once_give_one_answer(casebook: Casebook) -> None:
    questions = asking(casebook)
    asked_ = questions.ask(asked(keep_case(casebook)), event())
    token = token_in(sent(casebook)[0].payload)

    def give(text: str) -> bool:
        try:
            questions.answer(token, NewAnswer("link", text), SOON)
        except ClosedQuestionError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(give, [f"Answer {number}." for number in range(4)]))

    assert taken.count(True) == 1
    assert len(questions.get(asked_.number).answers) == 1


@pytest.mark.parametrize("token", ["", "a" * 32, "no token", "A" * 5_000, "%00", "ф" * 32])
def test_a_token_that_was_made_up_opens_nothing(casebook: Casebook, token: str) -> None:
    asking(casebook).ask(asked(keep_case(casebook)), event())

    with pytest.raises(UnknownQuestionError):
        asking(casebook).find(token, NOON)
    with pytest.raises(UnknownQuestionError):
        asking(casebook).answer(token, ANSWER, SOON)


def test_a_link_lasts_two_weeks_longer_than_the_time_that_was_given(casebook: Casebook) -> None:
    questions = asking(casebook)
    due_at = questions.ask(asked(keep_case(casebook)), event()).due_at
    token = token_in(sent(casebook)[0].payload)

    assert questions.find(token, due_at + timedelta(days=13)).is_late(due_at + timedelta(days=13))
    with pytest.raises(UnknownQuestionError):
        questions.find(token, due_at + timedelta(days=15))


def test_what_is_withdrawn_is_not_sent_and_not_answered(casebook: Casebook) -> None:
    questions = asking(casebook)
    number = keep_case(casebook)
    asked_ = questions.ask(asked(number), event())
    token = token_in(sent(casebook)[0].payload)
    unsent = questions.ask(asked(number), event())

    questions.withdraw(asked_.number, event("withdraw"))
    questions.withdraw(unsent.number, event("withdraw"))

    assert sent(casebook) == []
    with pytest.raises(UnknownQuestionError):
        questions.answer(token, ANSWER, SOON)
    with pytest.raises(ClosedQuestionError):
        questions.withdraw(asked_.number, event("withdraw"))


def test_an_analyst_writes_down_what_came_by_telephone(casebook: Casebook) -> None:
    questions = asking(casebook)
    asked_ = questions.ask(asked(keep_case(casebook), "user_support"), event())

    kept = questions.write_down(asked_.number, "Yes, they called.", event("write answer", SOON))

    assert (kept.via, kept.sender) == ("desk", "ana")
    assert questions.get(asked_.number).state == "answered"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"destination": "nobody"}, "destination"),
        ({"text": "  "}, "text"),
        ({"text": "x" * 2_001}, "text"),
        ({"text": "nul \x00"}, "text"),
        ({"due_at": NOON}, "due_at"),
        ({"due_at": NOON + timedelta(days=91)}, "due_at"),
        ({"escalation": 999}, "escalation"),
    ],
)
def test_a_question_that_cannot_be_is_refused_by_field_and_nothing_is_sent(
    casebook: Casebook, changes: dict[str, Any], field: str
) -> None:
    new = asked(**({"escalation": keep_case(casebook)} | changes))

    with pytest.raises(QuestionError) as caught:
        asking(casebook).ask(new, event())

    assert caught.value.problem.field == field
    assert sent(casebook) == []


def test_nobody_outside_is_asked_who_could_not_answer(casebook: Casebook) -> None:
    number = keep_case(casebook)

    for contacts in (Contacts(), desk_file(base_url=None, answers=None)):
        with pytest.raises(QuestionError, match="destination"):
            asking(casebook, contacts).ask(asked(number), event())


def test_what_was_forgotten_takes_its_questions_and_answers_along(casebook: Casebook) -> None:
    questions = asking(casebook)
    asked_ = questions.ask(asked(keep_case(casebook)), event())
    token = token_in(sent(casebook)[0].payload)
    questions.answer(token, ANSWER, SOON)

    casebook.forget(ids=["case-1"])

    with pytest.raises(UnknownQuestionError):
        questions.get(asked_.number)
    with pytest.raises(UnknownQuestionError):
        questions.find(token, NOON)


def test_what_was_learnt_is_rated_beside_what_was_rated_before(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, harm="high", hours=20)
    questions, again = asking(casebook), Again(casebook.database, policy)
    questions.ask(asked(number), event())
    kept = questions.answer(token_in(sent(casebook)[0].payload), ANSWER, SOON)

    learnt = again.learnt(number)
    assert learnt.escalation.text == f"{TEXT}\n\n{ANSWER.text}"
    worse = make_assessment(
        "other",
        learnt.escalation.text,
        rating="critical",
        probabilities={"low": 0.0, "medium": 0.0, "high": 0.1, "critical": 0.9},
        explanation=make_assessment("x").explanation.model_dump(by_alias=True)
        | {
            "evidence": [
                {"start": 0, "end": 3, "text": "Vai", "weight": 0.5},
                {"start": len(TEXT) + 7, "end": len(TEXT) + 11, "text": "sell", "weight": 0.5},
            ]
        },
    )
    assert again.keep(learnt, worse, event("rate again", SOON)) > 0

    case = casebook.get("case-1")
    assert [one.assessment.rating for one in case.assessments] == ["critical", "high"]
    assert [one.learnt for one in case.assessments] == [(kept.number,), ()]
    assert case.assessments[0].assessment.id == "case-1"
    (item,) = queue(casebook, policy)
    assert (item.rating, item.act_by) == ("critical", SOON + timedelta(hours=1))
    assert item.order_at < item.act_by
    shown = Desk(casebook.database, policy, NEVER_TWICE).queue.case(item.number)
    assert [one.text for one in shown.assessment.explanation.evidence] == ["Vai"]
    assert "ana rate again" in [f"{one.event.actor} {one.event.action}" for one in casebook.trail.page()]


def test_a_rating_that_stays_puts_no_deadline_off(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook, hours=2)
    questions, again = asking(casebook), Again(casebook.database, policy)
    asked_ = questions.ask(asked(number, "user_support"), event())
    questions.write_down(asked_.number, "Nothing new.", event("write answer", SOON))

    again.keep(again.learnt(number), make_assessment("x", rating="low"), event("rate again", SOON))

    assert casebook.get("case-1").assessments[0].assessment.act_by == NOON + timedelta(hours=2)
    assert [item.act_by for item in queue(casebook, policy)] == [NOON + timedelta(hours=2)]


def test_where_nothing_was_answered_there_is_nothing_to_rate_again(casebook: Casebook, policy: Policy) -> None:
    number = keep_case(casebook)
    asking(casebook).ask(asked(number), event())

    with pytest.raises(UnknownQuestionError):
        Again(casebook.database, policy).learnt(number)
