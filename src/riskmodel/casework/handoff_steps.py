"""A hand-off and what somebody does with it in, the next state and its event out, within a transaction that is open."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.tables import HANDOFF_EVENTS, HANDOFFS
from riskmodel.casework import handoff_reading as reading
from riskmodel.casework.announcing import announce
from riskmodel.casework.basis import Basis, check_came_in
from riskmodel.casework.contacts import Contacts
from riskmodel.casework.handoff_records import (
    ACTIONS,
    MAX_NOTE_CHARACTERS,
    NO_ACTION,
    WITH_TEAM,
    Actor,
    EventKind,
    Handoff,
    HandoffError,
    HandoffStateError,
)
from riskmodel.casework.snapshot import snapshot
from riskmodel.policy import Policy

# From which states each step can be taken.
_FROM: dict[str, tuple[str, ...]] = {
    "acknowledged": ("open",),
    "refused": WITH_TEAM,
    "mitigated": WITH_TEAM,
    "withdrawn": ("open",),
}


def open_handoff(
    connection: sa.Connection,
    basis: Basis,
    team: str,
    actor: Actor,
    note: str,
    follows: int | None,
    policy: Policy,
    contacts: Contacts,
    now: datetime,
) -> Handoff:
    """Hand a risk over to a team, and put down the messages that bring it there.

    Raises:
        HandoffError: if the case is a test, there is no such team, it has the risk already, or the note is too long.
    """
    check_came_in(basis)
    if team not in policy.teams:
        raise HandoffError("team", "an unknown one", f"one of {', '.join(policy.teams)}")
    check_note(note)
    same = (HANDOFFS.c.escalation == basis.case.number) & (HANDOFFS.c.team == team)
    if reading.handoffs(connection, same, HANDOFFS.c.state.in_(WITH_TEAM)):
        raise HandoffError("team", "one that has it already", "another one")
    document = snapshot(basis, note, policy, masked=contacts.is_masked(team))
    row = {
        "escalation": basis.case.number,
        "assessment": basis.assessment.number,
        "verdict": None if basis.verdict is None else basis.verdict.number,
        "team": team,
        "rating": basis.rating,
        "category": basis.category,
        "market": basis.case.market,
        "language": basis.language,
        "opened_at": now,
        "opened_by": actor.name,
        "follows": follows,
        "act_by": policy.act_by(basis.rating, basis.case.received_at, team),
        "state": "open",
        "version": 1,
        "document": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
    }
    number = connection.execute(sa.insert(HANDOFFS).values(**row).returning(HANDOFFS.c.number)).scalar_one()
    opened = reading.handoff(connection, number)
    append(connection, opened, "opened", actor, now, note)
    announce(connection, opened, document, contacts, policy)
    return opened


def step(
    connection: sa.Connection,
    found: Handoff,
    kind: EventKind,
    actor: Actor,
    now: datetime,
    *,
    note: str = "",
    actions: Sequence[str] = (),
    version: int | None = None,
) -> Handoff:
    """Take a hand-off a step on, if it is as it was seen.

    Raises:
        HandoffStateError: if it changed since, or is past that step.
    """
    if found.state not in _FROM[kind] or (version is not None and version != found.version):
        raise HandoffStateError(found)
    values: dict[str, Any] = {"state": kind, "version": HANDOFFS.c.version + 1}
    if kind == "acknowledged" or (kind == "mitigated" and found.acknowledged_at is None):
        values["acknowledged_at"] = now
    if kind != "acknowledged":
        values["ended_at"] = now
    if actions:
        values["actions"] = json.dumps(list(actions))
    connection.execute(sa.update(HANDOFFS).where(HANDOFFS.c.number == found.number).values(values))
    append(connection, found, kind, actor, now, note, actions)
    return reading.handoff(connection, found.number)


def append(
    connection: sa.Connection,
    found: Handoff,
    kind: EventKind,
    actor: Actor,
    now: datetime,
    note: str = "",
    actions: Sequence[str] = (),
) -> None:
    """Append what happened to a hand-off."""
    row = {
        "handoff": found.number,
        "escalation": found.escalation,
        "at": now,
        "actor": actor.name,
        "way": actor.way,
        "kind": kind,
        "actions": json.dumps(list(actions)) if actions else None,
        "note": note,
    }
    connection.execute(sa.insert(HANDOFF_EVENTS).values(**row))


def check_note(note: str) -> None:
    """Check what somebody wrote.

    Raises:
        HandoffError: if it is too long, or PostgreSQL would not take it.
    """
    if len(note) > MAX_NOTE_CHARACTERS or "\x00" in note:
        raise HandoffError("note", f"{len(note):,} characters", f"at most {MAX_NOTE_CHARACTERS:,}, none NUL")


def check_reason(reason: str) -> None:
    """Check a reason, which must be given.

    Raises:
        HandoffError: if it is missing or too long.
    """
    check_note(reason)
    if not reason.strip():
        raise HandoffError("reason", "none", "a few words")


def check_actions(actions: Sequence[str], note: str) -> None:
    """Check what was done: at least one thing, each once; that nothing was done stands alone, with a reason.

    Raises:
        HandoffError: if it cannot be.
    """
    check_note(note)
    if not actions or len(set(actions)) < len(actions) or not set(actions) <= set(ACTIONS):
        raise HandoffError("actions", "none, an unknown one, or one twice", f"some of {', '.join(ACTIONS)}, each once")
    if NO_ACTION in actions:
        if len(actions) > 1:
            raise HandoffError("actions", f"{NO_ACTION} beside others", f"{NO_ACTION} to stand alone")
        check_reason(note)
