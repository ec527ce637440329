"""Cases that were kept before there was a queue in; their reviews out, each once."""

from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.reading import load
from riskmodel.casebook.records import Case
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS
from riskmodel.review.entering import row_for
from riskmodel.review.records import Purpose

CHUNK = 200  # cases in one transaction; the service writes in between
ADVISORY_LOCK = 7_246_317_590_282  # any number that no other program takes; held while a chunk is entered


def enter_backlog(database: Database, since: datetime | None, now: datetime, *, accepted: bool = False) -> int:
    """Have the cases wait that have no review though their newest decision asks for a person; return how many.

    Their deadlines are those of the assessment, so that what is overdue stands at the head of the queue.

    Args:
        database: of the casebook.
        since: only what was kept from this moment on; None for everything.
        now: the moment.
        accepted: whether those that the model accepts wait too, as audits that each stand for themselves alone.

    Raises:
        CasebookUnavailableError: if the database does not answer; what was entered before stays entered.
    """
    statement = _WITHOUT_REVIEW if accepted else _WITHOUT_REVIEW.where(ASSESSMENTS.c.route == "review")
    if since is not None:
        statement = statement.where(ESCALATIONS.c.kept_at >= since)
    total = last = 0
    while True:
        chunk = statement.where(ESCALATIONS.c.number > last)
        entered = database.write(partial(_enter, statement=chunk, now=now))
        if not entered:
            return total
        total += len(entered)
        last = entered[-1]


def _enter(connection: sa.Connection, statement: "sa.Select[int]", now: datetime) -> list[int]:
    """Enter the cases that a statement names, and return their numbers."""
    if connection.dialect.name == "postgresql":  # on SQLite whoever writes is alone
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    numbers = list(connection.execute(statement).scalars())
    if numbers:
        connection.execute(sa.insert(REVIEWS), [_row(case, now) for case in load(connection, numbers)])
    return numbers


def _row(case: Case, now: datetime) -> dict[str, Any]:
    assessment = case.assessments[0].assessment
    purpose: Purpose = "review" if assessment.decision.route == "review" else "audit"
    return row_for(case, assessment, purpose, 1.0, now) | {"escalation": case.number}


_LATER = ASSESSMENTS.alias("later")
_WITHOUT_REVIEW = (
    sa.select(ESCALATIONS.c.number)
    .join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    .where(
        ~sa.exists().where(REVIEWS.c.escalation == ESCALATIONS.c.number),
        ~sa.exists().where(_LATER.c.escalation == ESCALATIONS.c.number, _LATER.c.number > ASSESSMENTS.c.number),
    )
    .order_by(ESCALATIONS.c.number)
    .limit(CHUNK)
    .with_for_update(of=ESCALATIONS, key_share=True)  # nobody forgets one meanwhile
)
