"""Answers by id and a database in; which are lost, kept twice or kept otherwise out."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from benchmarks.faults.crowd import Crowd
from riskmodel.casebook.database import create_database_engine
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS


def audit(url: str, crowd: Crowd) -> dict[str, Any]:
    """Compare what clients were answered with what is kept; every answer must be kept once, byte for byte."""
    answers = dict(crowd.answers)  # before reading: what is answered later need not be there yet
    engine = create_database_engine(url)
    kept: dict[str, list[bytes]] = defaultdict(list)
    with engine.connect() as connection:
        statement = sa.select(ESCALATIONS.c.id, ASSESSMENTS.c.document).join_from(
            ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number
        )
        for id_, document in connection.execute(statement):
            kept[id_].append(document.encode())
        sound = connection.dialect.name != "sqlite" or (
            connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        )
    engine.dispose()
    return {
        "answered": len(answers),
        "lost": sum(id_ not in kept for id_ in answers),
        "duplicates": sum(len(documents) > 1 for documents in kept.values()),
        "kept_otherwise_than_answered": sum(kept[id_][0] != body for id_, body in answers.items() if id_ in kept),
        "answered_twice_differently": len(crowd.differing),
        "never_answered": len(crowd.unanswered),
        "database_sound": sound,
    }
