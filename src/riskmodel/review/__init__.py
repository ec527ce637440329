"""The review desk: what waits for a person, who works on it, what was decided, and how good that is.

Synchronous: call it from threads.
"""

from collections.abc import Sequence
from datetime import datetime
from random import Random, SystemRandom

from riskmodel.casebook.database import Database
from riskmodel.policy import Policy
from riskmodel.review.claims import Claims
from riskmodel.review.entering import Entering
from riskmodel.review.golden import Golden, add_golden
from riskmodel.review.labels import Known
from riskmodel.review.measures import Share
from riskmodel.review.quality import Agreement, AutomaticError, GoldenAccuracy, Quality, QualitySummary
from riskmodel.review.queue import Queue
from riskmodel.review.records import (
    ChangedError,
    Filters,
    NewVerdict,
    NotForYouError,
    QueueItem,
    QueuePage,
    ReviewCase,
    ReviewSettings,
    TakenError,
    UnknownReviewError,
    Verdict,
    VerdictError,
    Why,
)
from riskmodel.review.turns import InTurn
from riskmodel.review.verdicts import Told, Verdicts, untold

__all__ = [
    "Agreement",
    "AutomaticError",
    "ChangedError",
    "Claims",
    "Desk",
    "Entering",
    "Filters",
    "Golden",
    "GoldenAccuracy",
    "Known",
    "NewVerdict",
    "NotForYouError",
    "Quality",
    "QualitySummary",
    "Queue",
    "QueueItem",
    "QueuePage",
    "ReviewCase",
    "ReviewSettings",
    "Share",
    "TakenError",
    "UnknownReviewError",
    "Verdict",
    "VerdictError",
    "Verdicts",
    "Why",
]


class Desk:
    """Everything that analysts and leads may ask of a casebook; threads may share it.

    Every method may raise :class:`~riskmodel.errors.CasebookUnavailableError`; nothing was done then.

    Args:
        database: of the casebook.
        policy: whose table gives the ratings.
        settings: how the desk works.
        random: draws second opinions.
        told: does what else follows from a verdict, in the same transaction.
    """

    def __init__(
        self,
        database: Database,
        policy: Policy,
        settings: ReviewSettings = ReviewSettings(),  # noqa: B008  frozen
        random: Random = SystemRandom(),  # noqa: B008  holds nothing
        told: Told = untold,
    ) -> None:
        self._database = database
        in_turn = InTurn(database)
        self.policy = policy
        self.settings = settings
        self.queue = Queue(database, settings.claim_seconds)
        self.claims = Claims(in_turn, settings.claim_seconds)
        self.verdicts = Verdicts(in_turn, policy, settings.second_opinion_share, random, told)
        self.quality = Quality(database)

    def add_golden(self, golden: Sequence[Golden], copies: int, now: datetime) -> int:
        """Keep golden cases and queue each for so many analysts; return how many were new."""
        return add_golden(self._database, golden, copies, now)
