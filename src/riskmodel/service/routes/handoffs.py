"""Hand-offs for machines: what a team has to do out, what it did in; a team's key sees its own only."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from riskmodel.casework import ACTIONS, Actor, Handoff, HandoffFilters, Listed, WholeHandoff
from riskmodel.casework.handoff_records import Action, Delivery, EventKind, State, Way
from riskmodel.errors import FieldProblem
from riskmodel.records import Rating, Record
from riskmodel.service.envelope import JsonBody
from riskmodel.service.errors import ForbiddenError
from riskmodel.service.openapi import problems
from riskmodel.service.reading import body_of, read_record
from riskmodel.service.routes.escalations import NO_NUL, record
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

router = APIRouter(prefix="/handoffs", tags=["hand-offs"])

MOST_ON_A_PAGE, ON_A_PAGE = 200, 50
MOST_NUMBER = 2**63 - 1
STEP_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
Text = Annotated[str, Field(max_length=2_000, pattern=NO_NUL)]
Version = Annotated[int | None, Field(ge=1, le=2**31 - 1, description="that was seen; refused if it changed since")]


class HandoffRow(Record):
    """A hand-off as it stands."""

    number: int
    client: str
    id: str
    team: str
    rating: Rating
    category: str
    market: str | None
    language: str
    opened_at: datetime
    act_by: datetime
    late: bool
    state: State
    delivery: Delivery
    acknowledged_at: datetime | None
    ended_at: datetime | None
    actions: list[Action]
    follows: int | None
    version: int


class HandoffEvent(Record):
    """One thing that happened to a hand-off; of the desk's people a team is not told the names."""

    at: datetime
    kind: EventKind
    way: Way
    actor: str | None
    actions: list[Action]
    note: str


class HandoffAnswer(Record):
    """A hand-off with what its team was given, and what happened to it."""

    handoff: HandoffRow
    document: Annotated[
        dict[str, Any], Field(description="escalation, assessment and verdict, as the webhook has them")
    ]
    events: list[HandoffEvent]


class HandoffRows(Record):
    """Hand-offs, the newest first, and where the next page begins, if there is one."""

    handoffs: list[HandoffRow]
    next: Annotated[str | None, Field(description="send it as cursor for the next page")]


class Asked(BaseModel):
    """Which hand-offs a page shows."""

    model_config = ConfigDict(extra="forbid")

    team: str | None = Field(None, max_length=64, pattern=NO_NUL)
    state: State | None = None
    late: bool = False
    needs_desk: bool = Field(False, description="only those that nobody has: refused, or never delivered")
    cursor: str | None = Field(None, max_length=256)
    limit: int = Field(ON_A_PAGE, ge=1, le=MOST_ON_A_PAGE)


class Opening(Record):
    """Which escalation goes to whom."""

    client: Annotated[str, Field(max_length=64, pattern=NO_NUL, description="that sent the escalation")]
    id: Annotated[str, Field(max_length=128, pattern=NO_NUL)]
    team: Annotated[str | None, Field(max_length=64, description="the policy's if absent")] = None
    note: Text = ""
    follows: Annotated[int | None, Field(ge=1, le=MOST_NUMBER, description="a hand-off that was refused")] = None


class Acknowledgement(Record):
    """The team has it."""

    version: Version = None


class Refusal(Record):
    """The team gives it back."""

    reason: Text
    version: Version = None


class Mitigation(Record):
    """What was done."""

    actions: Annotated[list[Action], Field(min_length=1, max_length=len(ACTIONS))]
    note: Annotated[Text, Field(description="why, where no action was taken")] = ""
    version: Version = None


async def worker(caller: Annotated[Caller, Depends(needs("team"))]) -> Caller:
    """Admit a team, and the desk.

    Raises:
        ForbiddenError: to a client, which sends escalations and does nothing else.
    """
    if caller.role == "client":
        raise ForbiddenError(FieldProblem("role", caller.role, "team, analyst, lead or admin"))
    return caller


Worker = Annotated[Caller, Depends(worker)]


@router.get("", response_model=HandoffRows, responses=problems(401, 403, 422, 429, 503))
async def page(request: Request, caller: Worker, asked: Annotated[Asked, Query()]) -> HandoffRows:
    """Return hand-offs, the newest first. A team sees its own; analysts and those above them see all."""
    parts, now = running(request).parts, datetime.now(UTC)
    parts.door.count(caller, 1)
    own = team_of(caller)
    given = asked.model_dump(exclude={"cursor", "limit"}) | ({} if own is None else {"team": own})
    found = await asyncio.to_thread(parts.handoffs.page, HandoffFilters(**given), asked.cursor, asked.limit, now)
    return HandoffRows(handoffs=[_row(item, now) for item in found.items], next=found.next_cursor)


@router.get("/{number}", response_model=HandoffAnswer, responses=problems(401, 403, 404, 422, 429, 503))
async def one(request: Request, caller: Worker, number: Number) -> HandoffAnswer:
    """Return a hand-off with what its team was given. Who read it is recorded."""
    parts = running(request).parts
    parts.door.count(caller, 1)
    found = await asyncio.to_thread(parts.handoffs.whole, number, team_of(caller))
    await record(request, caller, "read hand-off", str(number))
    return _answer(found, caller)


@router.post(
    "",
    status_code=201,
    response_model=HandoffAnswer,
    responses=STEP_PROBLEMS,
    openapi_extra=body_of(Opening),
)
async def open_(request: Request, caller: Annotated[Caller, Depends(needs("analyst"))], raw: JsonBody) -> HandoffAnswer:
    """Hand over an escalation that was decided, or whose rating was accepted; for analysts."""
    parts, given = running(request).parts, read_record(raw, Opening)
    parts.door.count(caller, 1)
    case = await asyncio.to_thread(parts.casebook.get, given.id, given.client)
    team = given.team or (await asyncio.to_thread(parts.handoffs.offer, case.number)).team
    act = partial(parts.handoffs.open, note=given.note, follows=given.follows)
    opened = await asyncio.to_thread(act, case.number, team, _actor(caller), datetime.now(UTC))
    return await _after(request, caller, opened)


@router.post(
    "/{number}/acknowledge",
    response_model=HandoffAnswer,
    responses=STEP_PROBLEMS,
    openapi_extra=body_of(Acknowledgement),
)
async def acknowledge(request: Request, caller: Worker, number: Number, raw: JsonBody) -> HandoffAnswer:
    """Say that the team has it; said again it changes nothing."""
    parts, given = running(request).parts, read_record(raw, Acknowledgement)
    parts.door.count(caller, 1)
    act = partial(parts.handoffs.acknowledge, version=given.version, team=team_of(caller))
    return await _after(request, caller, await asyncio.to_thread(act, number, _actor(caller), datetime.now(UTC)))


@router.post("/{number}/refuse", response_model=HandoffAnswer, responses=STEP_PROBLEMS, openapi_extra=body_of(Refusal))
async def refuse(request: Request, caller: Worker, number: Number, raw: JsonBody) -> HandoffAnswer:
    """Give it back to the desk, with a reason."""
    parts, given = running(request).parts, read_record(raw, Refusal)
    parts.door.count(caller, 1)
    act = partial(parts.handoffs.refuse, version=given.version, team=team_of(caller))
    return await _after(
        request, caller, await asyncio.to_thread(act, number, _actor(caller), given.reason, datetime.now(UTC))
    )


@router.post(
    "/{number}/mitigate", response_model=HandoffAnswer, responses=STEP_PROBLEMS, openapi_extra=body_of(Mitigation)
)
async def mitigate(request: Request, caller: Worker, number: Number, raw: JsonBody) -> HandoffAnswer:
    """Record what was done, which ends it."""
    parts, given = running(request).parts, read_record(raw, Mitigation)
    parts.door.count(caller, 1)
    act = partial(parts.handoffs.mitigate, version=given.version, team=team_of(caller))
    mitigated = await asyncio.to_thread(act, number, _actor(caller), given.actions, given.note, datetime.now(UTC))
    return await _after(request, caller, mitigated)


@router.post(
    "/{number}/withdraw", response_model=HandoffAnswer, responses=STEP_PROBLEMS, openapi_extra=body_of(Refusal)
)
async def withdraw(
    request: Request, caller: Annotated[Caller, Depends(needs("analyst"))], number: Number, raw: JsonBody
) -> HandoffAnswer:
    """Take back what its team did not acknowledge yet; for analysts."""
    parts, given = running(request).parts, read_record(raw, Refusal)
    parts.door.count(caller, 1)
    act = partial(parts.handoffs.withdraw, version=given.version)
    return await _after(
        request, caller, await asyncio.to_thread(act, number, _actor(caller), given.reason, datetime.now(UTC))
    )


def team_of(caller: Caller) -> str | None:
    """Return the team whose hand-offs alone a caller sees; None for the desk, which sees all."""
    return caller.name if caller.role == "team" else None


def _actor(caller: Caller) -> Actor:
    return Actor(caller.name, "desk" if team_of(caller) is None else "key")


async def _after(request: Request, caller: Caller, changed: Handoff) -> HandoffAnswer:
    found = await asyncio.to_thread(running(request).parts.handoffs.whole, changed.number, team_of(caller))
    return _answer(found, caller)


def _answer(found: WholeHandoff, caller: Caller) -> HandoffAnswer:
    hidden = ("desk",) if team_of(caller) is not None else ()
    events = [
        HandoffEvent(
            at=event.at,
            kind=event.kind,
            way=event.way,
            actor=None if event.way in hidden else event.actor,
            actions=list(event.actions),
            note=event.note,
        )
        for event in found.events
    ]
    row = _row(Listed(found.handoff, found.delivery), datetime.now(UTC))
    return HandoffAnswer(handoff=row, document=found.document, events=events)


def _row(item: Listed, now: datetime) -> HandoffRow:
    handoff = item.handoff
    return HandoffRow(
        number=handoff.number,
        client=handoff.client,
        id=handoff.id,
        team=handoff.team,
        rating=handoff.rating,
        category=handoff.category,
        market=handoff.market,
        language=handoff.language,
        opened_at=handoff.opened_at,
        act_by=handoff.act_by,
        late=handoff.is_late(now),
        state=handoff.state,
        delivery=item.delivery,
        acknowledged_at=handoff.acknowledged_at,
        ended_at=handoff.ended_at,
        actions=list(handoff.actions),
        follows=handoff.follows,
        version=handoff.version,
    )
