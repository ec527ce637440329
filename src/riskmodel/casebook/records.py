"""What the casebook takes and gives: escalations as sent, as rated, as found again. All frozen; no text in a repr."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from riskmodel.errors import CasebookError
from riskmodel.records import Assessment, Credibility, Escalation, Reliability

ConflictField = Literal["id", "Idempotency-Key"]


class UnknownCaseError(CasebookError):
    """No escalation of that id is kept, or none of that client."""


class AmbiguousCaseError(CasebookError):
    """Several clients sent an escalation of that id."""


class CursorError(CasebookError):
    """A cursor is not one that a page gave out."""


@dataclass(frozen=True)
class Sent:
    """An escalation as a client sent it.

    Attributes:
        client: the name of the key's owner; ids and idempotency keys are the client's own.
        digest: of the escalation, see :func:`digest_of`.
    """

    client: str
    escalation: Escalation = field(repr=False)
    idempotency_key: str | None
    digest: bytes = field(repr=False)
    request_id: str | None
    key_id: str | None


@dataclass(frozen=True)
class Rated:
    """An escalation with its assessment, whose ``id`` names both, and the exact JSON that will leave the service.

    Attributes:
        vector: of its text, see :mod:`riskmodel.casebook.vectors`; None where none was made.
    """

    sent: Sent
    assessment: Assessment = field(repr=False)
    document: str = field(repr=False)
    received_at: datetime
    assessed_at: datetime
    vector: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Found:
    """The first answer that was kept under an id or an idempotency key."""

    document: str = field(repr=False)
    model_version: str


@dataclass(frozen=True)
class Conflict:
    """Another escalation was sent under the same id or idempotency key."""

    field: ConflictField


@dataclass(frozen=True)
class KeptAssessment:
    """An assessment as it was kept; ``document`` is the exact JSON that left the service.

    Attributes:
        learnt: the numbers of the answers to questions that were read behind the text; its evidence may lie in them.
    """

    number: int
    assessed_at: datetime
    model_version: str
    policy_version: str
    document: str = field(repr=False)
    learnt: tuple[int, ...] = ()

    @property
    def assessment(self) -> Assessment:
        """Return the record."""
        return Assessment.model_validate_json(self.document)

    def of_the_report(self, text: str) -> Assessment:
        """Return the record; of its evidence what lies in a report's text, not in what was learnt later."""
        assessment = self.assessment
        if not self.learnt:
            return assessment
        within = [one for one in assessment.explanation.evidence if one.end <= len(text)]
        explanation = assessment.explanation.model_copy(update={"evidence": within})
        return assessment.model_copy(update={"explanation": explanation})


@dataclass(frozen=True)
class Case:
    """An escalation as it was sent, with every assessment of it, the newest first."""

    number: int
    client: str
    id: str
    idempotency_key: str | None
    request_id: str | None
    key_id: str | None
    received_at: datetime
    kept_at: datetime
    text: str = field(repr=False)
    source: str | None
    market: str | None
    reliability: Reliability | None
    credibility: Credibility | None
    reporter: str | None = field(repr=False)
    assessments: tuple[KeptAssessment, ...]


GOLDEN_CLIENT = "golden"  # under which cases of known rating are kept; no key has this name


def digest_of(escalation: Escalation) -> bytes:
    """Return the SHA-256 of an escalation's fields as sent; equal for the same fields in any order or time zone."""
    fields = escalation.model_dump(mode="json", exclude_none=True)
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()
