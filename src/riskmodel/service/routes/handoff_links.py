"""The page that a link in a message opens: a team sees its hand-off, and acts on it without an account.

Looking changes nothing, as whatever checks e-mails looks too; only a form that is sent does.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from riskmodel.casebook import AuditEvent
from riskmodel.casework import ACTIONS, Actor, HandoffError, Handoffs, HandoffStateError
from riskmodel.errors import FieldProblem
from riskmodel.service.errors import EnvelopeError
from riskmodel.service.page import wording
from riskmodel.service.page.outside import Guest, OutsideRoute, guest
from riskmodel.service.page.visit import whole_number
from riskmodel.service.running import running

router = APIRouter(prefix="/handoffs/t", include_in_schema=False, route_class=OutsideRoute)

Came = Annotated[Guest, Depends(guest)]
Token = Annotated[str, Path(max_length=64)]
STEPS = ("acknowledge", "refuse", "mitigate")


@router.get("/{token}")
async def show(came: Came, token: Token, done: Annotated[str | None, Query(max_length=16)] = None) -> Response:
    """Show a hand-off to its team. That it was read is recorded."""
    number = await _number(came, token)
    return await _page(came, number, done=done in STEPS)


@router.post("/{token}")
async def act(came: Came, token: Token) -> Response:
    """Do what the form says: acknowledge, refuse, or record what was done."""
    number, handoffs = await _number(came, token), running(came.request).parts.handoffs
    taken = came.field("step")
    try:
        await asyncio.to_thread(_step, handoffs, came, number, taken)
    except HandoffStateError:
        return await _page(came, number, 409, problem="state")
    except HandoffError as error:
        return await _page(came, number, 422, problem=error.problem.field)
    except EnvelopeError as error:
        if error.problems[0].field != "name":
            raise
        return await _page(came, number, 422, problem="name")
    return came.back(done=taken)


def _step(handoffs: Handoffs, came: Guest, number: int, step: str) -> None:
    actor, version = Actor(came.name, "link"), whole_number(came.field("version"), "version")
    if step == "acknowledge":
        handoffs.acknowledge(number, actor, came.now, version=version)
    elif step == "refuse":
        handoffs.refuse(number, actor, came.field("reason"), came.now, version=version)
    elif step == "mitigate":
        actions = came.form.get("action", [])
        handoffs.mitigate(number, actor, actions, came.field("note"), came.now, version=version)
    else:
        raise EnvelopeError(FieldProblem("step", "another one", f"one of {', '.join(STEPS)}"))


async def _number(came: Guest, token: str) -> int:
    return await asyncio.to_thread(running(came.request).parts.handoffs.by_link, token, came.now)


async def _page(came: Guest, number: int, status: int = 200, *, problem: str = "", done: bool = False) -> Response:
    parts = running(came.request).parts
    whole = await asyncio.to_thread(parts.handoffs.whole, number)
    event = AuditEvent(
        came.now, whole.handoff.team, None, None, "read hand-off by link", str(number), came.request.state.request_id
    )
    await asyncio.to_thread(parts.casebook.trail.append, [event])
    return came.page(
        "outside_handoff.html",
        status,
        whole=whole,
        veiled=wording.is_severe(whole.assessment, parts.desk.settings.blur_from),
        actions=ACTIONS,
        problem=problem,
        done=done,
        name=came.field("name"),
    )
