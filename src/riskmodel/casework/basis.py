"""A case in, the rating and category that count for it out: what people settled, or what the model was trusted with."""

from dataclasses import dataclass

import sqlalchemy as sa

from riskmodel.casebook import GOLDEN_CLIENT, Case
from riskmodel.casebook.reading import load
from riskmodel.casebook.records import KeptAssessment
from riskmodel.casebook.tables import ESCALATIONS, VERDICTS
from riskmodel.casework.handoff_records import HandoffError
from riskmodel.records import RATINGS, Rating
from riskmodel.review import Verdict, reading
from riskmodel.review.opinions import opinions


@dataclass(frozen=True)
class Basis:
    """What a hand-off rests on.

    Attributes:
        assessment: the newest one.
        verdict: the one that counts; None where the model's rating was accepted.
        category: the main one.
    """

    case: Case
    assessment: KeptAssessment
    verdict: Verdict | None
    rating: Rating
    category: str
    language: str


def basis_of(
    connection: sa.Connection, escalation: int, *, locked: bool = True, verdict: Verdict | None = None
) -> Basis:
    """Return what counts for a case.

    Args:
        connection: within a transaction.
        escalation: the number of the case.
        locked: has two that hand it over at once see one another.
        verdict: that is to count; None for the one that does.

    Raises:
        HandoffError: if there is no such case, or nobody decided it yet.
    """
    row = sa.select(ESCALATIONS.c.number).where(ESCALATIONS.c.number == escalation)
    if connection.execute(row.with_for_update(key_share=True) if locked else row).scalar() is None:
        raise HandoffError("case", "no such number", "that of one that is kept")
    (case,) = load(connection, [escalation])
    kept = case.assessments[0]
    assessment = kept.assessment
    verdict = verdict or counting(reading.verdicts(connection, VERDICTS.c.escalation == escalation))
    if verdict is not None:
        main = assessment.categories[0].name
        category = main if main in verdict.categories else verdict.categories[0]
        return Basis(case, kept, verdict, verdict.rating, category, assessment.language)
    if assessment.decision.route != "auto":
        raise HandoffError("case", "one that nobody decided yet", "one with a verdict, or whose rating was accepted")
    return Basis(case, kept, None, assessment.rating, assessment.categories[0].name, assessment.language)


def check_came_in(basis: Basis) -> None:
    """Check that a case is none that was made to test ratings.

    Raises:
        HandoffError: if it is.
    """
    if basis.case.client == GOLDEN_CLIENT:
        raise HandoffError("case", "one made to test ratings", "one that came in")


def counting(verdicts: list[Verdict]) -> Verdict | None:
    """Return the verdict that counts: the newest that knew an answer to a question, else what was settled, else, in
    doubt, the one with the higher rating.
    """
    knowing = [verdict for verdict in reading.standing(verdicts) if verdict.purpose == "answer"]
    if knowing:
        return knowing[-1]
    found = opinions(verdicts)
    if found.settled is not None:
        return found.settled
    return max(reading.standing(verdicts), key=lambda verdict: RATINGS.index(verdict.rating), default=None)
