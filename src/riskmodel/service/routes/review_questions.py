"""Questions at the desk, rating again with what was answered, and the board that a lead keeps open."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from riskmodel.casebook import AuditEvent
from riskmodel.casework import NewQuestion, QuestionError
from riskmodel.records import LANGUAGES
from riskmodel.review import ReviewCase
from riskmodel.review.records import BLIND, UnknownReviewError
from riskmodel.service.page import filtering
from riskmodel.service.page.problems import QUEUE, PageRoute
from riskmodel.service.page.visit import Visit, someone, whole_number
from riskmodel.service.rating_again import rate_again
from riskmodel.service.routes.review import Lead, Number, asked_of
from riskmodel.service.running import running

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

MOST_HOURS = 10_000  # that are counted at all; a question may wait for less
OTHER = "other"  # whom the form asks: an address that is written beside it

Visitor = Annotated[Visit, Depends(someone())]


@router.post("/cases/{number}/ask")
async def ask(visit: Visitor, number: Number) -> Response:
    """Ask a team or somebody outside about a case."""
    found = await _case(visit, number)
    language = next((one for one in LANGUAGES if one == visit.field("language")), None)
    if language is None:
        raise QuestionError("language", "another one", f"one of {', '.join(LANGUAGES)}")
    to = visit.field("to")
    new = NewQuestion(
        escalation=found.item.escalation,
        destination=visit.field("email").strip() if to == OTHER else to,
        text=visit.field("question"),
        due_at=visit.now + timedelta(hours=min(whole_number(visit.field("hours"), "hours"), MOST_HOURS)),
        language=language,
        as_written=visit.field("as_written") == "1",
    )
    event = _event(visit, "ask", f"about {found.case.client}/{found.case.id}")
    await asyncio.to_thread(running(visit.request).parts.questions.ask, new, event)
    return _back(visit, number)


@router.post("/cases/{number}/questions/{question}/answer")
async def write_down(visit: Visitor, number: Number, question: Number) -> Response:
    """Write down an answer that was given otherwise, such as by telephone."""
    event = _event(visit, "write answer", f"to question {question}")
    await _check(visit, number, question)
    write = running(visit.request).parts.questions.write_down
    await asyncio.to_thread(write, question, visit.field("answer"), event)
    return _back(visit, number)


@router.post("/cases/{number}/questions/{question}/withdraw")
async def withdraw(visit: Visitor, number: Number, question: Number) -> Response:
    """Take a question back."""
    await _check(visit, number, question)
    event = _event(visit, "withdraw question", str(question))
    await asyncio.to_thread(running(visit.request).parts.questions.withdraw, question, event)
    return _back(visit, number)


@router.post("/cases/{number}/rate-again")
async def again(visit: Visitor, number: Number) -> Response:
    """Have the model read a case with what was answered."""
    found = await _case(visit, number)
    event = _event(visit, "rate again", f"{found.case.client}/{found.case.id}")
    await asyncio.to_thread(partial(rate_again, running(visit.request), found.item.escalation, event))
    return _back(visit, number)


@router.get("/board")
async def board(visit: Lead) -> Response:
    """Show a lead how every place stands."""
    return visit.page("board.html", here="board", **await _board(visit))


@router.get("/board/places")
async def places(visit: Lead) -> Response:
    """Show how every place stands now."""
    return HTMLResponse(visit.fragment("board_places.html", **await _board(visit)))


async def _board(visit: Visit) -> dict[str, Any]:
    return {"board": await asyncio.to_thread(running(visit.request).parts.boards.now, visit.now)}


async def _case(visit: Visit, number: int) -> ReviewCase:
    """Return a case whose questions may be seen: on a test, nobody learns that others asked about it."""
    read = partial(running(visit.request).parts.desk.queue.case, number, as_lead=visit.is_lead)
    return await asyncio.to_thread(read)


async def _check(visit: Visit, number: int, question: int) -> None:
    """Check that a question is about a case, and that the visitor may know of it."""
    found, asked = await _case(visit, number), running(visit.request).parts.questions
    about = await asyncio.to_thread(asked.get, question)
    hidden = found.item.purpose in BLIND and not visit.is_lead and about.asked_by != visit.name
    if about.escalation != found.item.escalation or hidden:
        raise UnknownReviewError("A question: found one of another case, expected one of this.")


def _event(visit: Visit, action: str, subject: str) -> AuditEvent:
    person = visit.person
    return AuditEvent(
        visit.now, person.name, person.key_id, person.role, action, subject, visit.request.state.request_id
    )


def _back(visit: Visit, number: int) -> Response:
    return visit.go(filtering.address(f"{QUEUE}/cases/{number}", asked_of(visit)) + "#questions")
