"""A case with the answers to its questions in, a further assessment of it out; the ones before stay beside it.

The model reads the report and, behind it, what was answered. The time to act is never put off by that: it is the
earlier one of before, and of the new rating counted from the newest answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.keeping import assessment_values
from riskmodel.casebook.reading import load
from riskmodel.casebook.records import Case
from riskmodel.casebook.tables import ASSESSMENTS, IS_OPEN, QUESTIONS, REVIEWS
from riskmodel.casework.deadlines import wake
from riskmodel.casework.due import REVIEW
from riskmodel.casework.questions import REOPENED, Answer, UnknownQuestionError, questions
from riskmodel.policy import Policy
from riskmodel.records import MAX_TEXT_CHARACTERS, Assessment, Escalation
from riskmodel.review.entering import expected_harm
from riskmodel.review.ordering import order_at
from riskmodel.review.turns import InTurn

BETWEEN = "\n\n"


@dataclass(frozen=True)
class Learnt:
    """A case with what was learnt of it.

    Attributes:
        escalation: what the model reads: the report and the answers behind it, as far as a text may be long.
        answers: those that it holds, the oldest first.
    """

    case: Case
    escalation: Escalation = field(repr=False)
    answers: tuple[Answer, ...]


class Again:
    """Rates escalations again with what was learnt; threads and processes may share it.

    Args:
        database: of the casebook.
        policy: says by when someone must act.
    """

    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = InTurn(database)
        self._policy = policy

    def learnt(self, escalation: int) -> Learnt:
        """Return what is to be rated.

        Raises:
            UnknownQuestionError: if nothing was answered.
        """
        return self._database.read(lambda connection: _learnt(connection, escalation))

    def keep(self, learnt: Learnt, assessment: Assessment, event: AuditEvent) -> int:
        """Append the assessment of what was learnt, and return its number; what is open follows its rating.

        Args:
            learnt: what was rated.
            assessment: of it.
            event: who wanted it, and when.
        """
        before = learnt.case.assessments[0].assessment
        newest = learnt.answers[-1].answered_at
        act_by = min(before.act_by, self._policy.act_by(assessment.rating, newest, assessment.team))
        rated = assessment.model_copy(update={"id": learnt.case.id, "act_by": act_by})
        document = rated.model_dump_json(by_alias=True)
        row = assessment_values(rated, document, learnt.case.number, event.at)
        row["learnt"] = json.dumps([answer.number for answer in learnt.answers])

        def work(connection: sa.Connection) -> int:
            new = sa.insert(ASSESSMENTS).values(**row).returning(ASSESSMENTS.c.number)
            number: int = connection.execute(new).scalar_one()
            _follow(connection, learnt.case.number, rated, event.at)
            append(connection, [event])
            return number

        return self._database.write(work)


def text_of(report: str, answers: Sequence[str]) -> str:
    """Return what the model reads: the report, then each answer, cut where a text may be no longer."""
    return BETWEEN.join([report, *answers])[:MAX_TEXT_CHARACTERS]


def _learnt(connection: sa.Connection, escalation: int) -> Learnt:
    asked = questions(connection, QUESTIONS.c.escalation == escalation)
    answers = sorted((answer for one in asked for answer in one.answers), key=lambda answer: answer.number)
    if not answers:
        raise UnknownQuestionError("To rate again: found no answer, expected one to a question about the escalation.")
    (case,) = load(connection, [escalation])
    sent = {name: getattr(case, name) for name in ("source", "market", "reliability", "credibility", "received_at")}
    text = text_of(case.text, [answer.text for answer in answers])
    report = Escalation.model_validate(sent | {"text": text})
    return Learnt(case, report, tuple(answers))


def _follow(connection: sa.Connection, escalation: int, assessment: Assessment, now: datetime) -> None:
    """Give the reviews that are open the new rating and place, but for those that test who judges."""
    harm = expected_harm(assessment.probabilities)
    is_open = (REVIEWS.c.escalation == escalation) & REVIEWS.c.purpose.in_(REOPENED)
    rows = connection.execute(
        sa.select(REVIEWS.c.number, REVIEWS.c.act_by, REVIEWS.c.harm, REVIEWS.c.order_at)
        .where(is_open, sa.text(IS_OPEN))
        .order_by(REVIEWS.c.number)
    ).all()
    for row in rows:
        act_by = min(row.act_by, assessment.act_by)
        further = order_at(row.act_by, row.harm) - row.order_at  # what else brings it forward still does
        values = {
            "rating": assessment.rating,
            "category": assessment.categories[0].name,
            "reasons": json.dumps(assessment.decision.reasons),
            "harm": harm,
            "act_by": act_by,
            "order_at": order_at(act_by, harm) - further,
            "version": REVIEWS.c.version + 1,
        }
        connection.execute(sa.update(REVIEWS).where(REVIEWS.c.number == row.number).values(**values))
    wake(connection, REVIEW, [row.number for row in rows], now)
