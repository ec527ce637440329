"""Something one must ask about an escalation in, its answer out: by link, by e-mail, or written down by an analyst.

An answer opens the case again: a review of the purpose ``answer`` waits in the queue, unless one is open anyway.
"""

import hashlib
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT
from riskmodel.casebook.audit import AuditEvent, append
from riskmodel.casebook.database import Database
from riskmodel.casebook.reading import load
from riskmodel.casebook.tables import ANSWERS, ESCALATIONS, IS_OPEN, QUESTIONS, REVIEWS
from riskmodel.casework import letters
from riskmodel.casework.contacts import Contacts, is_address
from riskmodel.casework.links import UnknownLinkError, end_links, follow_link, make_link
from riskmodel.casework.outbox import put, withdraw
from riskmodel.errors import CasebookError, FieldProblem
from riskmodel.policy import Policy
from riskmodel.records import Language
from riskmodel.review.entering import row_for
from riskmodel.review.ordering import order_at
from riskmodel.review.records import FIRST, Purpose
from riskmodel.review.turns import InTurn

QUESTION = "question"
MAX_TEXT_CHARACTERS = 2_000
MAX_ANSWER_CHARACTERS = 10_000
MAX_SENDER_CHARACTERS = 254
LINK_LASTS = timedelta(days=14)  # behind the moment it is due: a late answer is still welcome
LONGEST = timedelta(days=90)  # that an answer may be given
REOPENED: tuple[Purpose, ...] = (*FIRST, "answer", "third")  # an open one of these shows the answer already

State = Literal["open", "answered", "withdrawn"]
Via = Literal["link", "email", "desk", "key"]


@dataclass(frozen=True)
class NewQuestion:
    """A question as an analyst asks it.

    Attributes:
        escalation: the number of the one it is about.
        destination: a team, or an e-mail address.
        as_written: whether it goes out as it is, and not with personal data masked.
    """

    escalation: int
    destination: str
    text: str = field(repr=False)
    due_at: datetime
    language: Language
    as_written: bool = False


@dataclass(frozen=True)
class NewAnswer:
    """An answer as it came.

    Attributes:
        sender: what is known of who gave it: an address, or a name.
    """

    via: Via
    text: str = field(repr=False)
    sender: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """An answer that was kept.

    Attributes:
        review: the number of the review that it waits in.
    """

    number: int
    question: int
    answered_at: datetime
    via: Via
    sender: str | None = field(repr=False)
    text: str = field(repr=False)
    review: int | None


@dataclass(frozen=True)
class Question:
    """A question with its answers, the oldest first.

    Attributes:
        escalation: the number of the one it is about; ``client`` and ``id`` are its names.
        expires_at: when its links end.
    """

    number: int
    escalation: int
    client: str
    id: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    expires_at: datetime
    destination: str
    language: Language
    text: str = field(repr=False)
    as_written: bool
    state: State
    ended_at: datetime | None
    answers: tuple[Answer, ...]

    def is_late(self, now: datetime) -> bool:
        """Return whether an answer is overdue, or came late."""
        return (self.ended_at or now) > self.due_at


class UnknownQuestionError(CasebookError):
    """No question has that number, or a token opens none."""


class ClosedQuestionError(CasebookError):
    """The question was answered or withdrawn; ``state`` says which."""

    def __init__(self, number: int, state: State) -> None:
        super().__init__(f"Question {number}: found one that is {state}, expected one that is open.")
        self.state = state


class QuestionError(CasebookError):
    """A question or an answer cannot be; ``problem`` names the field."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        self.problem = FieldProblem(field, found, expected)
        super().__init__(f"A question's {self.problem}.")


class Questions:
    """What is asked; threads and processes may share it.

    Args:
        database: of the casebook.
        policy: says by when somebody must look at an answer.
        contacts: where those who are asked are reached.
    """

    def __init__(self, database: Database, policy: Policy, contacts: Contacts) -> None:
        self._database = InTurn(database)
        self._policy = policy
        self._contacts = contacts

    def ask(self, new: NewQuestion, event: AuditEvent) -> Question:
        """Ask a question, and have it sent if whom it goes to can be reached; the event says who asks, and when.

        Raises:
            QuestionError: naming the field that cannot be.
        """
        self._check(new, event.at)

        def work(connection: sa.Connection) -> Question:
            row = {
                "escalation": new.escalation,
                "asked_by": event.actor,
                "asked_at": event.at,
                "due_at": new.due_at.astimezone(UTC),
                "expires_at": new.due_at.astimezone(UTC) + LINK_LASTS,
                "destination": new.destination,
                "language": new.language,
                "text": new.text.strip(),
                "as_written": new.as_written,
                "state": "open",
            }
            about = connection.execute(_ABOUT, {"escalation": new.escalation}).one_or_none()
            if about is None:
                raise QuestionError("escalation", "none that is kept", "the number of one that is")
            asked = connection.execute(sa.insert(QUESTIONS).values(**row).returning(*QUESTIONS.c)).one()
            # A case that was made to test ratings looks like others, but nobody is bothered about it.
            for channel in () if about.client == GOLDEN_CLIENT else self._channels(new.destination):
                token = make_link(connection, QUESTION, asked.number, new.escalation, asked.expires_at, event.at)
                put(connection, letters.question(asked, about.id, channel, self._contacts, token), event.at)
            append(connection, [event])
            return _found(connection, asked.number)

        return self._database.write(work)

    @property
    def can_be_answered(self) -> bool:
        """Whether somebody outside has a way to answer: by a link, or by e-mail."""
        return self._contacts.base_url is not None or self._contacts.answers is not None

    def find(self, token: str, now: datetime) -> Question:
        """Return the question that a token opens.

        Raises:
            UnknownQuestionError: if it opens none, or no longer.
        """
        return self._database.read(lambda connection: _found(connection, _opened(connection, token, now)))

    def get(self, number: int) -> Question:
        """Return a question.

        Raises:
            UnknownQuestionError: if there is none of that number.
        """
        return self._database.read(lambda connection: _found(connection, number))

    def of(self, escalation: int) -> tuple[Question, ...]:
        """Return the questions about an escalation, the newest first."""
        return self._database.read(lambda connection: questions(connection, QUESTIONS.c.escalation == escalation))

    def page(
        self, state: State | None, before: int | None, limit: int, destination: str | None = None
    ) -> tuple[Question, ...]:
        """Return questions, the newest first, older than a number, and only those to one place if that is named."""
        condition = sa.true() if state is None else QUESTIONS.c.state == state
        if destination is not None:
            condition &= QUESTIONS.c.destination == destination
        if before is not None:
            condition &= QUESTIONS.c.number < before
        return self._database.read(lambda connection: questions(connection, condition, limit))

    def answer(self, token: str, new: NewAnswer, now: datetime) -> Answer:
        """Keep the answer of whoever has a token, and open the case again.

        By link a question is answered once; an e-mail may bring more later. The same twice is kept once.

        Raises:
            UnknownQuestionError: if the token opens no question.
            ClosedQuestionError: if it was withdrawn, or answered and this comes by link.
            QuestionError: naming what of the answer cannot be.
        """
        _check_answer(new)

        def work(connection: sa.Connection) -> Answer:
            asked = _locked(connection, _opened(connection, token, now))
            return self._keep(connection, asked, new, now)

        return self._database.write(work)

    def write_down(self, number: int, text: str, event: AuditEvent, via: Via = "desk") -> Answer:
        """Keep an answer that an analyst was given otherwise, such as by telephone, or that a team gives by its key.

        Raises:
            UnknownQuestionError: if there is no such question.
            ClosedQuestionError: if it is not open.
            QuestionError: naming what of the answer cannot be.
        """
        new = NewAnswer(via, text, event.actor)
        _check_answer(new)

        def work(connection: sa.Connection) -> Answer:
            kept = self._keep(connection, _locked(connection, number), new, event.at)
            append(connection, [event])
            return kept

        return self._database.write(work)

    def withdraw(self, number: int, event: AuditEvent) -> Question:
        """Take a question back: its links end, and what was not sent yet is not sent.

        Raises:
            UnknownQuestionError: if there is no such question.
            ClosedQuestionError: if it is not open.
        """

        def work(connection: sa.Connection) -> Question:
            asked = _locked(connection, number)
            if asked.state != "open":
                raise ClosedQuestionError(number, asked.state)
            _end(connection, number, "withdrawn", event.at)
            end_links(connection, QUESTION, number)
            withdraw(connection, QUESTION, number, event.at)
            append(connection, [event])
            return _found(connection, number)

        return self._database.write(work)

    def _keep(self, connection: sa.Connection, asked: Any, new: NewAnswer, now: datetime) -> Answer:
        text = new.text.strip()
        digest = hashlib.sha256(text.encode()).digest()
        same = (ANSWERS.c.question == asked.number) & (ANSWERS.c.digest == digest)
        before = connection.execute(_ANSWERS.where(same)).one_or_none()
        if before is not None:
            return Answer(**before._mapping)
        if asked.state == "withdrawn" or (asked.state == "answered" and new.via != "email"):
            raise ClosedQuestionError(asked.number, asked.state)
        row = {"question": asked.number, "answered_at": now, "via": new.via, "sender": new.sender, "text": text}
        row |= {"digest": digest, "review": self._reopen(connection, asked.escalation, now)}
        kept = connection.execute(sa.insert(ANSWERS).values(**row).returning(*_ANSWERS.selected_columns)).one()
        if asked.state == "open":
            _end(connection, asked.number, "answered", now)
        return Answer(**kept._mapping)

    def _reopen(self, connection: sa.Connection, escalation: int, now: datetime) -> int:
        """Return the review that is open for an escalation, or a new one."""
        is_open = sa.select(REVIEWS.c.number).where(REVIEWS.c.escalation == escalation, sa.text(IS_OPEN))
        found = connection.execute(is_open.where(REVIEWS.c.purpose.in_(REOPENED)).order_by(REVIEWS.c.number)).scalar()
        if found is not None:
            return int(found)
        (case,) = load(connection, [escalation])
        assessment = case.assessments[0].assessment
        row = row_for(case, assessment, "answer", 1.0, now) | {"escalation": escalation}
        row["act_by"] = self._policy.act_by(assessment.rating, now, assessment.team)
        sources = sa.select(sa.func.max(REVIEWS.c.sources)).where(REVIEWS.c.escalation == escalation)
        row["sources"] = connection.execute(sources).scalar() or 1
        row["order_at"] = order_at(row["act_by"], row["harm"], row["sources"])
        number: int = connection.execute(sa.insert(REVIEWS).values(**row).returning(REVIEWS.c.number)).scalar_one()
        return number

    def _channels(self, destination: str) -> tuple[Any, ...]:
        return ("email",) if is_address(destination) else self._contacts.channels_of(destination)

    def _check(self, new: NewQuestion, now: datetime) -> None:
        if not is_address(new.destination) and new.destination not in self._policy.teams:
            raise QuestionError("destination", "neither team nor address", "a team of the policy or an e-mail address")
        if is_address(new.destination) and self._contacts.smtp is None:
            raise QuestionError("destination", "an address", "a team, as the desk file names no server for e-mail")
        if is_address(new.destination) and not self.can_be_answered:
            raise QuestionError("destination", "an address", "a team, as the desk file has no base_url and no answers")
        if not new.text.strip() or len(new.text) > MAX_TEXT_CHARACTERS or "\x00" in new.text:
            found = f"{len(new.text.strip()):,} characters"
            raise QuestionError("text", found, f"1 to {MAX_TEXT_CHARACTERS:,}, none NUL")
        if not now < new.due_at <= now + LONGEST:
            raise QuestionError("due_at", "a moment out of range", f"one to come, within {LONGEST.days} days")


def questions(
    connection: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None = None
) -> tuple[Question, ...]:
    """Return the questions that a condition on the table holds for, the newest first."""
    rows = connection.execute(_QUESTIONS.where(condition).order_by(QUESTIONS.c.number.desc()).limit(limit)).all()
    answers: dict[int, list[Answer]] = {row.number: [] for row in rows}
    if answers:
        given = _ANSWERS.where(ANSWERS.c.question.in_(list(answers))).order_by(ANSWERS.c.number)
        for row in connection.execute(given):
            answers[row.question].append(Answer(**row._mapping))
    return tuple(Question(**row._mapping, answers=tuple(answers[row.number])) for row in rows)


def _opened(connection: sa.Connection, token: str, now: datetime) -> int:
    try:
        return follow_link(connection, QUESTION, token, now)
    except UnknownLinkError:
        raise UnknownQuestionError("A question: found a token that opens none, expected one that does.") from None


def _found(connection: sa.Connection, number: int) -> Question:
    found = questions(connection, QUESTIONS.c.number == number)
    if not found:
        raise UnknownQuestionError("A question: found no such number, expected that of one that is kept.")
    return found[0]


def _locked(connection: sa.Connection, number: int) -> Any:
    """Return a question's row that nobody else changes until the transaction ends."""
    statement = sa.select(QUESTIONS).where(QUESTIONS.c.number == number).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise UnknownQuestionError("A question: found no such number, expected that of one that is kept.")
    return row


def _end(connection: sa.Connection, number: int, state: State, now: datetime) -> None:
    connection.execute(sa.update(QUESTIONS).where(QUESTIONS.c.number == number).values(state=state, ended_at=now))


def _check_answer(new: NewAnswer) -> None:
    if not new.text.strip() or len(new.text.strip()) > MAX_ANSWER_CHARACTERS or "\x00" in new.text:
        found = f"{len(new.text.strip()):,} characters"
        raise QuestionError("answer", found, f"1 to {MAX_ANSWER_CHARACTERS:,}, none NUL")
    if new.sender is not None and (len(new.sender) > MAX_SENDER_CHARACTERS or not new.sender.isprintable()):
        raise QuestionError(
            "sender", "a name of another kind", f"at most {MAX_SENDER_CHARACTERS} characters, printable"
        )


_ABOUT = sa.select(ESCALATIONS.c.id, ESCALATIONS.c.client).where(ESCALATIONS.c.number == sa.bindparam("escalation"))
_OF_ESCALATION = ("client", "id")
_QUESTIONS = sa.select(
    *(
        ESCALATIONS.c[field.name] if field.name in _OF_ESCALATION else QUESTIONS.c[field.name]
        for field in fields(Question)
        if field.name != "answers"
    )
).join_from(QUESTIONS, ESCALATIONS, QUESTIONS.c.escalation == ESCALATIONS.c.number)
_ANSWERS = sa.select(*(ANSWERS.c[field.name] for field in fields(Answer)))
