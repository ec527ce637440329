"""Questions for machines: ask, read, answer; a team's key sees and answers those to its own team only."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from riskmodel.casebook import AuditEvent
from riskmodel.casework import NewQuestion, Question, UnknownQuestionError
from riskmodel.casework.questions import MAX_ANSWER_CHARACTERS, MAX_TEXT_CHARACTERS, State, Via
from riskmodel.records import Assessment, Language, Record
from riskmodel.service.envelope import JsonBody
from riskmodel.service.openapi import problems
from riskmodel.service.rating_again import rate_again
from riskmodel.service.reading import body_of, read_record
from riskmodel.service.routes.escalations import NO_NUL
from riskmodel.service.routes.handoffs import MOST_NUMBER, STEP_PROBLEMS, Number, Worker, team_of
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(prefix="/questions", tags=["questions"])

MOST_ON_A_PAGE, ON_A_PAGE = 200, 50


class AnswerRow(Record):
    """An answer, and the review that it waits in."""

    answered_at: datetime
    via: Via
    sender: str | None
    text: str
    review: int | None


class QuestionRow(Record):
    """A question with its answers, the oldest first."""

    number: int
    client: str
    id: str
    to: Annotated[str, Field(description="a team, or an e-mail address")]
    text: str
    language: Language
    asked_by: str
    asked_at: datetime
    due_at: datetime
    late: bool
    state: State
    ended_at: datetime | None
    answers: list[AnswerRow]


class QuestionRows(Record):
    """Questions, the newest first, and where the next page begins, if there is one."""

    questions: list[QuestionRow]
    next: Annotated[int | None, Field(description="send it as before for the next page")]


class RatedAgain(Record):
    """What the model says now, having read the answers behind the report, and what it said before."""

    assessment: Assessment
    before: Assessment


class Asked(BaseModel):
    """Which questions a page shows."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    before: int | None = Field(None, ge=1, le=MOST_NUMBER, description="only those with a lower number")
    limit: int = Field(ON_A_PAGE, ge=1, le=MOST_ON_A_PAGE)


class Asking(Record):
    """What is asked, of whom, about which escalation."""

    client: Annotated[str, Field(max_length=64, pattern=NO_NUL, description="that sent the escalation")]
    id: Annotated[str, Field(max_length=128, pattern=NO_NUL)]
    to: Annotated[str, Field(max_length=254, pattern=NO_NUL, description="a team of the policy, or an e-mail address")]
    text: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS, pattern=NO_NUL)]
    due_at: Annotated[AwareDatetime, Field(strict=False, description="RFC 3339, such as 2026-01-31T18:00:00Z")]
    language: Language = "en"
    as_written: Annotated[bool, Field(description="whether personal data in the text is left as it is")] = False


class Answering(Record):
    """What is answered."""

    text: Annotated[str, Field(max_length=MAX_ANSWER_CHARACTERS, pattern=NO_NUL)]


Analyst = Annotated[Caller, Depends(needs("analyst"))]


@router.get("", response_model=QuestionRows, responses=problems(401, 403, 422, 429, 503))
async def page(request: Request, caller: Worker, asked: Annotated[Asked, Query()]) -> QuestionRows:
    """Return questions, the newest first. A team sees those to itself; analysts and those above them see all."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    find = partial(parts.questions.page, asked.state, asked.before, asked.limit, team_of(caller))
    found = await asyncio.to_thread(find)
    more = found[-1].number if len(found) == asked.limit else None
    return QuestionRows(questions=[_row(one) for one in found], next=more)


@router.get("/{number}", response_model=QuestionRow, responses=problems(401, 403, 404, 422, 429, 503))
async def one(request: Request, caller: Worker, number: Number) -> QuestionRow:
    """Return a question with its answers."""
    running(request).parts.door.count(caller, 1)
    return _row(await _own(request, caller, number))


@router.post("", status_code=201, response_model=QuestionRow, responses=STEP_PROBLEMS, openapi_extra=body_of(Asking))
async def ask(request: Request, caller: Analyst, raw: JsonBody) -> QuestionRow:
    """Ask a team or somebody outside about an escalation; for analysts."""
    parts, given = running(request).parts, read_record(raw, Asking)
    parts.door.count(caller, 1)
    case = await asyncio.to_thread(parts.casebook.get, given.id, given.client)
    new = NewQuestion(case.number, given.to, given.text, given.due_at, given.language, given.as_written)
    event = _event(request, caller, "ask", f"about {case.client}/{case.id}")
    return _row(await asyncio.to_thread(parts.questions.ask, new, event))


@router.post("/{number}/answer", response_model=QuestionRow, responses=STEP_PROBLEMS, openapi_extra=body_of(Answering))
async def answer(request: Request, caller: Worker, number: Number, raw: JsonBody) -> QuestionRow:
    """Answer for one's team; as an analyst, write down what was answered otherwise."""
    parts, given = running(request).parts, read_record(raw, Answering)
    parts.door.count(caller, 1)
    await _own(request, caller, number)
    via: Via = "desk" if team_of(caller) is None else "key"
    event = _event(request, caller, "write answer", f"to question {number}")
    await asyncio.to_thread(parts.questions.write_down, number, given.text, event, via)
    return _row(await _own(request, caller, number))


@router.post("/{number}/withdraw", response_model=QuestionRow, responses=problems(401, 403, 404, 409, 422, 429, 503))
async def withdraw(request: Request, caller: Analyst, number: Number) -> QuestionRow:
    """Take a question back: its links end; for analysts."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    event = _event(request, caller, "withdraw question", str(number))
    return _row(await asyncio.to_thread(parts.questions.withdraw, number, event))


@router.post("/{number}/rate-again", response_model=RatedAgain, responses=problems(401, 403, 404, 422, 429, 503))
async def again(request: Request, caller: Analyst, number: Number) -> RatedAgain:
    """Have the model read the escalation with all that was answered about it; both assessments are kept."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await _own(request, caller, number)
    event = _event(request, caller, "rate again", f"{found.client}/{found.id}")
    await asyncio.to_thread(rate_again, running(request), found.escalation, event)
    case = await asyncio.to_thread(parts.casebook.get, found.id, found.client)
    newest, before = (kept.assessment for kept in case.assessments[:2])
    return RatedAgain(assessment=newest, before=before)


async def _own(request: Request, caller: Caller, number: int) -> Question:
    """Return a question that a caller may see.

    Raises:
        UnknownQuestionError: if there is none of that number, or it is another team's.
    """
    found = await asyncio.to_thread(running(request).parts.questions.get, number)
    if team_of(caller) not in (None, found.destination):
        raise UnknownQuestionError("A question: found another team's, expected one's own.")
    return found


def _event(request: Request, caller: Caller, action: str, subject: str) -> AuditEvent:
    now, request_id = datetime.now(UTC), request.state.request_id
    return AuditEvent(now, caller.name, caller.key_id, caller.role, action, subject, request_id)


def _row(question: Question) -> QuestionRow:
    return QuestionRow(
        number=question.number,
        client=question.client,
        id=question.id,
        to=question.destination,
        text=question.text,
        language=question.language,
        asked_by=question.asked_by,
        asked_at=question.asked_at,
        due_at=question.due_at,
        late=question.is_late(datetime.now(UTC)),
        state=question.state,
        ended_at=question.ended_at,
        answers=[
            AnswerRow(
                answered_at=given.answered_at,
                via=given.via,
                sender=given.sender,
                text=given.text,
                review=given.review,
            )
            for given in question.answers
        ],
    )
