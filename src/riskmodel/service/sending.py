"""A request in, under what its escalations are sent out: whose they are, its key against doubles, its model version."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from riskmodel.casebook import Sent, digest_of
from riskmodel.errors import EscalationError, FieldProblem
from riskmodel.records import Escalation
from riskmodel.service.errors import HeaderError
from riskmodel.service.running import running
from riskmodel.service.security import Caller, needs

IDEMPOTENCY_KEY = "Idempotency-Key"
REPEATED = "Idempotent-Replayed"  # as Stripe's and others' services say it
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,128}")
KEY_EXPECTED = "1 to 128 printable ASCII characters without spaces"


@dataclass(frozen=True)
class Sender:
    """Under what a request sends its escalations."""

    caller: Caller
    request_id: str
    idempotency_key: str | None
    model_version: str | None

    def send(self, items: Iterable[Escalation | EscalationError], *, one: bool) -> list[Sent]:
        """Return the escalations with whose they are; in a batch each has its own key, by its place among all items."""
        return [
            Sent(
                client=self.caller.name,
                escalation=escalation,
                idempotency_key=self._key(None if one else at),
                digest=digest_of(escalation),
                request_id=self.request_id,
                key_id=self.caller.key_id,
            )
            for at, escalation in enumerate(items)
            if isinstance(escalation, Escalation)
        ]

    def _key(self, at: int | None) -> str | None:
        if self.idempotency_key is None or at is None:
            return self.idempotency_key
        return f"{self.idempotency_key}/{at}"


async def ready_sender(
    request: Request,
    caller: Annotated[Caller, Depends(needs("client"))],
    idempotency_key: Annotated[
        str | None, Header(description="a retry under the same key gets the first answer; " + KEY_EXPECTED)
    ] = None,
    x_model_version: Annotated[str | None, Header(description="a loaded version that must answer")] = None,
) -> Sender:
    """Admit a client that has something to be rated, before its body is read, if there is room for it.

    Raises:
        UnauthenticatedError, ForbiddenError, NotReadyError, BusyError, VersionError: if not.
        HeaderError: if the key against doubles is of another form.
    """
    service = running(request)
    service.models.current(x_model_version)
    service.parts.dispatcher.check_room()
    if idempotency_key is not None and _PRINTABLE.fullmatch(idempotency_key) is None:
        raise HeaderError(FieldProblem(IDEMPOTENCY_KEY, "text of another form", KEY_EXPECTED))
    return Sender(caller, request.state.request_id, idempotency_key, x_model_version)


ReadySender = Annotated[Sender, Depends(ready_sender)]
