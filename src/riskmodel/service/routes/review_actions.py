"""What a person does with a case in, where the browser goes next out: take, hold, hand over, decide, undo."""

import asyncio
import time
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse, JSONResponse

from riskmodel.errors import FieldProblem
from riskmodel.review import Claims, TakenError, UnknownReviewError, Verdict
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.page import filtering
from riskmodel.service.page.judging import read_verdict
from riskmodel.service.page.problems import QUEUE, PageRoute
from riskmodel.service.page.session import Done
from riskmodel.service.page.visit import Visit, asks_by_script, pages, someone
from riskmodel.service.routes.review import Number, asked_of
from riskmodel.service.running import running

router = APIRouter(prefix="/review", include_in_schema=False, route_class=PageRoute)

Visitor = Annotated[Visit, Depends(someone())]


@router.post("/next")
async def take_next(visit: Visitor) -> Response:
    """Take the first case that waits and passes the filters."""
    return visit.go(await _next(visit))


@router.post("/cases/{number}/take")
async def take(visit: Visitor, number: Number) -> Response:
    """Take a particular case."""
    await asyncio.to_thread(running(visit.request).parts.desk.claims.take, number, visit.name, visit.now)
    return visit.go(_case(visit, number))


@router.post("/cases/{number}/heartbeat")
async def heartbeat(visit: Visitor, number: Number) -> Response:
    """Say that somebody still works on a case; answer whether it is still theirs."""
    claims = running(visit.request).parts.desk.claims
    lost = await asyncio.to_thread(how_lost, claims, number, visit.name, visit.now)
    return Response(status_code=204) if lost is None else HTMLResponse(visit.fragment("lock.html", lost=lost))


@router.post("/cases/{number}/hold")
async def hold(visit: Visitor, number: Number) -> Response:
    """Keep a case while help is asked for."""
    await asyncio.to_thread(running(visit.request).parts.desk.claims.hold, number, visit.name, visit.now)
    return visit.go(_case(visit, number))


@router.post("/cases/{number}/release")
async def release(visit: Visitor, number: Number) -> Response:
    """Put a case back."""
    await asyncio.to_thread(running(visit.request).parts.desk.claims.release, number, visit.name, visit.now)
    return visit.go(filtering.address(QUEUE, asked_of(visit), note="released"))


@router.post("/cases/{number}/hand-over")
async def hand_over(visit: Visitor, number: Number) -> Response:
    """Give a case to a colleague: one's own, or, as a lead, anybody's."""
    desk, to = running(visit.request).parts.desk, visit.field("to")
    if to not in pages(visit.request).colleagues.names():
        raise EnvelopeError(FieldProblem("to", "nobody of that name", "a colleague with a key"))
    give = partial(desk.claims.hand_over, as_lead=visit.is_lead)
    await asyncio.to_thread(give, number, visit.name, to, visit.now)
    return visit.go(filtering.address(QUEUE, asked_of(visit), note="handed"))


@router.post("/cases/{number}/verdict")
async def decide(visit: Visitor, number: Number) -> Response:
    """Record a verdict and take the next case."""
    desk = running(visit.request).parts.desk
    verdict = await asyncio.to_thread(desk.verdicts.decide, read_verdict(visit, number), visit.now)
    session = replace(visit.session, done=_done(verdict))
    response = visit.go(await _next(visit), session)
    if asks_by_script(visit.request):
        answer = JSONResponse({"go": response.headers["location"]})
        pages(visit.request).sessions.write(visit.request, answer, session)
        return answer
    return response


@router.post("/verdicts/{number}/undo")
async def undo(visit: Visitor, number: Number) -> Response:
    """Take a verdict back; its case is the analyst's again."""
    desk = running(visit.request).parts.desk
    verdict = await asyncio.to_thread(desk.verdicts.undo, number, visit.name, visit.now)
    return visit.go(_case(visit, verdict.review), replace(visit.session, done=_done(verdict)))


def how_lost(claims: Claims, number: int, name: str, now: datetime) -> str | None:
    """Say that an analyst still works on a case; return the word for what became of it if it is no longer theirs."""
    try:
        claims.heartbeat(number, name, now)
    except UnknownReviewError:
        return "deleted"
    except TakenError:
        return "lost"
    return None


async def _next(visit: Visit) -> str:
    """Take the next case and return its address; the queue's if nothing else waits."""
    asked, claims = asked_of(visit), running(visit.request).parts.desk.claims
    item = await asyncio.to_thread(claims.next, visit.name, filtering.filters(asked, visit.name), visit.now)
    return filtering.address(QUEUE, asked, note="nothing") if item is None else _case(visit, item.number)


def _case(visit: Visit, number: int) -> str:
    return filtering.address(f"{QUEUE}/cases/{number}", asked_of(visit))


def _done(verdict: Verdict) -> Done:
    return Done(verdict.number, verdict.review, verdict.rating, verdict.kind, time.time())
