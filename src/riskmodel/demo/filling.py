"""A service that has kept nothing yet in; its casebook and review desk with thirty invented cases out."""

import hashlib
import json
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from riskmodel.casebook import open_casebook
from riskmodel.demo.client import is_empty, predict_all
from riskmodel.demo.sample import CASES, SENT
from riskmodel.review.backlog import enter_backlog

NAME_DIGITS = 16


def fill(address: str, version: str, database_url: str, now: datetime) -> int:
    """Have the demo's cases rated and kept by the service, and all of them wait for a person.

    Args:
        address: of the service.
        version: of the model that answers.
        database_url: of the service's casebook.
        now: the moment; each case arrived some minutes before it.

    Returns:
        How many were kept; none where the casebook holds anything already.

    Raises:
        AnswerError: if the service does not rate one.
        CasebookError: if the casebook cannot be used.
        OSError: if the service is gone.
    """
    if not is_empty(address):
        return 0
    cases = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    predict_all(address, [_sent(case, version, now) for case in cases])
    with closing(open_casebook(database_url)) as casebook:
        # Also those that the model accepts: a desk that shows only doubt would show what the model is bad at.
        enter_backlog(casebook.database, None, now, accepted=True)
    return len(cases)


def name_of(body: dict[str, str], version: str) -> str:
    """Return the id of one of the demo's escalations, the same at each start of one version of the model."""
    told = json.dumps([body[name] for name in SENT])
    return f"demo-{hashlib.sha256(told.encode()).hexdigest()[:NAME_DIGITS]}-{version}"


def _sent(case: dict[str, Any], version: str, now: datetime) -> dict[str, Any]:
    body = {name: case[name] for name in SENT}
    arrived = now - timedelta(minutes=case["minutes_ago"])
    return body | {"id": name_of(body, version), "received_at": arrived.isoformat()}
