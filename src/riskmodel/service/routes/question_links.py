"""The page that a question's link opens: whoever has the link answers once, without an account.

Looking changes nothing, as whatever checks e-mails looks too; only the form that is sent does.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from riskmodel.casework import ClosedQuestionError, NewAnswer, Question, QuestionError, Questions
from riskmodel.casework.letters import out_text
from riskmodel.casework.questions import MAX_ANSWER_CHARACTERS
from riskmodel.errors import FieldProblem
from riskmodel.service.errors import EnvelopeError, RateLimitError
from riskmodel.service.page.outside import Guest, OutsideRoute, guest
from riskmodel.service.running import running

router = APIRouter(prefix="/questions/t", include_in_schema=False, route_class=OutsideRoute)

PER_ADDRESS = parse("60/minute")  # requests; a person needs two, a program that guesses needs 10**40 minutes
_limiter = SlidingWindowCounterRateLimiter(MemoryStorage())


def paced(request: Request) -> None:
    """Let nobody ask again and again.

    Raises:
        RateLimitError: to an address that asks too often.
    """
    address = "" if request.client is None else request.client.host
    if not _limiter.hit(PER_ADDRESS, address):
        raise RateLimitError(60, FieldProblem("requests", "too many in a minute", f"at most {PER_ADDRESS.amount}"))


Came = Annotated[Guest, Depends(guest)]
Token = Annotated[str, Path(max_length=64)]
Done = Annotated[str | None, Query(max_length=16)]


@router.get("/{token}", dependencies=[Depends(paced)])
async def show(came: Came, token: Token, done: Done = None) -> Response:
    """Show a question."""
    return _page(came, await _question(came, token), done=done is not None)


@router.post("/{token}", dependencies=[Depends(paced)])
async def answer(came: Came, token: Token) -> Response:
    """Keep an answer."""
    question, questions = await _question(came, token), running(came.request).parts.questions
    try:
        await asyncio.to_thread(_keep, questions, came, token)
    except ClosedQuestionError:
        return _page(came, await _question(came, token), 409, problem="closed")
    except QuestionError:
        return _page(came, question, 422, problem="answer")
    except EnvelopeError as error:
        if error.problems[0].field != "name":
            raise
        return _page(came, question, 422, problem="name")
    return came.back(done="answered")


def _keep(questions: Questions, came: Guest, token: str) -> None:
    questions.answer(token, NewAnswer("link", came.field("answer"), came.name), came.now)


async def _question(came: Guest, token: str) -> Question:
    return await asyncio.to_thread(running(came.request).parts.questions.find, token, came.now)


def _page(came: Guest, question: Question, status: int = 200, *, problem: str = "", done: bool = False) -> Response:
    return came.page(
        "outside_question.html",
        status,
        question=question,
        text=out_text(question),
        most=MAX_ANSWER_CHARACTERS,
        problem=problem,
        done=done,
        name=came.field("name"),
        answer=came.field("answer"),
    )
