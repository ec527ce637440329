"""A service that has kept nothing yet in; its casebook and review desk with thirty invented cases out.

A start that was interrupted is completed by the next one: the audit trail says when all of it was done.
"""

import hashlib
import json
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from riskmodel.casebook import AuditEvent, open_casebook
from riskmodel.demo.client import find, is_empty, predict_all
from riskmodel.demo.sample import CASES, SENT
from riskmodel.review.backlog import enter_backlog

NAME_DIGITS = 16
FILLED = "fill demo"  # what the audit trail calls it


def fill(address: str, version: str, database_url: str, now: datetime) -> int:
    """Have the demo's cases rated and kept by the service, and all of them wait for a person.

    Args:
        address: of the service.
        version: of the model that answers.
        database_url: of the service's casebook.
        now: the moment; each case arrived some minutes before it.

    Returns:
        How many wait now; none where that was done before, or where the casebook holds something else.

    Raises:
        AnswerError: if the service does not rate one.
        CasebookError: if the casebook cannot be used.
        OSError: if the service is gone.
    """
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    bodies = [sent(case, version, now) for case in cases]
    with closing(open_casebook(database_url)) as casebook:
        if casebook.trail.has(FILLED):
            return 0
        nothing_kept = is_empty(address)
        missing = bodies if nothing_kept else [body for body in bodies if find(address, body["id"]) is None]
        if missing == bodies and not nothing_kept:
            return 0
        if missing:
            predict_all(address, missing)
        # Also those that the model accepts: a desk that shows only doubt would show what the model is bad at.
        enter_backlog(casebook.database, None, now, accepted=True)
        casebook.trail.append([AuditEvent(now, "demo", None, None, FILLED, f"{len(cases)} cases", None)])
    return len(cases)


def name_of(body: dict[str, str], version: str) -> str:
    """Return the id of one of the demo's escalations, the same at each start of one version of the model."""
    told = json.dumps([body[name] for name in SENT])
    return f"demo-{hashlib.sha256(told.encode()).hexdigest()[:NAME_DIGITS]}-{version}"


def sent(case: dict[str, Any], version: str, now: datetime) -> dict[str, Any]:
    """Return one of the demo's cases as it is sent, having arrived some minutes before a moment."""
    body = {name: case[name] for name in SENT}
    arrived = now - timedelta(minutes=case["minutes_ago"])
    return body | {"id": name_of(body, version), "received_at": arrived.isoformat()}
