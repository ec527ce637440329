"""An id or numbers in, whole cases out."""

import json
from collections.abc import Sequence
from dataclasses import fields

import sqlalchemy as sa

from riskmodel.casebook.records import GOLDEN_CLIENT, AmbiguousCaseError, Case, KeptAssessment, UnknownCaseError
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS


def get(connection: sa.Connection, id_: str, client: str | None, *, golden: bool = True) -> Case:
    """Return a case; ``golden``: also one that is kept to test analysts.

    Raises:
        UnknownCaseError: if none is kept.
        AmbiguousCaseError: if several clients used that id and none is named.
    """
    statement = sa.select(ESCALATIONS.c.number).where(ESCALATIONS.c.id == id_).limit(2)
    if client is not None:
        statement = statement.where(ESCALATIONS.c.client == client)
    if not golden:
        statement = statement.where(ESCALATIONS.c.client != GOLDEN_CLIENT)
    numbers = connection.execute(statement).scalars().all()
    if not numbers:
        raise UnknownCaseError("An escalation: found no such id, expected that of one that is kept.")
    if len(numbers) > 1:
        raise AmbiguousCaseError("An escalation: found several clients that used this id, expected a client's name.")
    (case,) = load(connection, numbers)
    return case


def load(connection: sa.Connection, numbers: Sequence[int]) -> list[Case]:
    """Return whole cases, in the order of their numbers as given."""
    if not numbers:
        return []
    escalations = connection.execute(_ESCALATIONS, {"numbers": list(numbers)}).all()
    assessments: dict[int, list[KeptAssessment]] = {number: [] for number in numbers}
    for row in connection.execute(_ASSESSMENTS, {"numbers": list(numbers)}):
        learnt = {"learnt": tuple(json.loads(row.learnt or "[]"))}
        kept = {name: value for name, value in row._mapping.items() if name != "escalation"}
        assessments[row.escalation].append(KeptAssessment(**kept | learnt))
    cases = {row.number: Case(**row._mapping, assessments=tuple(assessments[row.number])) for row in escalations}
    return [cases[number] for number in numbers]


_ESCALATIONS = sa.select(*(ESCALATIONS.c[field.name] for field in fields(Case) if field.name != "assessments")).where(
    ESCALATIONS.c.number.in_(sa.bindparam("numbers", expanding=True))
)
_ASSESSMENTS = (
    sa.select(ASSESSMENTS.c.escalation, *(ASSESSMENTS.c[field.name] for field in fields(KeptAssessment)))
    .where(ASSESSMENTS.c.escalation.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(ASSESSMENTS.c.number.desc())
)
