"""A request in, who sends it out: the owner of a key with a role that suffices and escalations left to send."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from riskmodel.casebook import ROLES, Key, KeyRing, Role
from riskmodel.errors import CasebookError, FieldProblem
from riskmodel.service.errors import ForbiddenError, RateLimitError, UnauthenticatedError

TRUSTED_SECONDS = 5.0  # a key that was revoked is taken for so long at most
REMEMBERED_KEYS = 10_000
RECORD_SECONDS = 30.0  # between two writes of when keys were last used
LOCAL = "local"  # who calls where keys are off

log = structlog.get_logger()


@dataclass(frozen=True)
class Caller:
    """Who sends a request: the owner's name, the key, and the role. Keys of one owner share their escalations."""

    name: str
    key_id: str | None
    role: Role


class Door:
    """Checks keys, remembering them for seconds; counts what each sends; records when each was last used.

    Args:
        keys: the keys that were given out; None lets everyone in as ``local``, with every role.
        rate_limit: escalations a key may send to this process, such as ``6000/minute``.
    """

    def __init__(self, keys: KeyRing | None, rate_limit: str) -> None:
        self._keys = keys
        self._limit: RateLimitItem = parse(rate_limit)
        self._counts = MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._counts)
        self._known: OrderedDict[bytes, tuple[float, Key | None]] = OrderedDict()
        self._used: dict[str, datetime] = {}

    async def admit(self, secret: str | None, role: Role) -> Caller:
        """Return who holds a key.

        Raises:
            UnauthenticatedError: if there is none, or it is unknown, revoked or expired.
            ForbiddenError: if its role does not suffice.
            CasebookUnavailableError: if the keys cannot be read now.
        """
        if self._keys is None:
            return Caller(LOCAL, None, ROLES[-1])
        if not secret:
            raise UnauthenticatedError(FieldProblem("Authorization", "no key", "Bearer and a key"))
        now = datetime.now(UTC)
        key = await self._look_up(self._keys, secret, now)
        if key is None or (key.expires_at is not None and key.expires_at <= now):
            raise UnauthenticatedError(FieldProblem("Authorization", "a key that is not valid", "a valid key"))
        if ROLES.index(key.role) < ROLES.index(role):
            raise ForbiddenError(FieldProblem("role", key.role, " or ".join(ROLES[ROLES.index(role) :])))
        self._used[key.id] = now
        return Caller(key.name, key.id, key.role)

    def count(self, caller: Caller, escalations: int) -> None:
        """Count what a key sends.

        Raises:
            RateLimitError: if it is more than its share, with the seconds until as many get in; where that can never
                be, until as many as ever can.
        """
        if caller.key_id is None or self._limiter.hit(self._limit, caller.key_id, cost=escalations):
            return
        most, window = self._limit.amount, self._limit.get_expiry()
        before, _, now, expires_in = self._counts.get_sliding_window(self._limit.key_for(caller.key_id), window)
        room = most - min(escalations, most)
        wait = seconds_until(room, before=before, now=now, left=expires_in - window, window=window)
        found = f"more than {most:,} in {window:,} s"
        expected = "fewer" if escalations <= most else f"at most {most:,} at once"
        raise RateLimitError(int(wait) + 1, FieldProblem("escalations", found, expected))

    async def record_uses(self) -> None:
        """Write when keys were last used, every half minute until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(RECORD_SECONDS)
                await self._record()
        finally:
            await asyncio.shield(self._record())

    async def _record(self) -> None:
        used, self._used = self._used, {}
        if self._keys is not None and used:
            try:
                await asyncio.to_thread(self._keys.record_use, used)
            except CasebookError:
                self._used = used | self._used  # next time
                log.warning("last use of keys not recorded", exc_info=True)

    async def _look_up(self, keys: KeyRing, secret: str, now: datetime) -> Key | None:
        # Remembered by hash, so that no key lies in memory and a lookup's time tells nothing of one.
        digest = hashlib.sha256(secret.encode()).digest()
        found = self._known.get(digest)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        key = await asyncio.to_thread(keys.verify, secret, now)
        self._known[digest] = (time.monotonic() + TRUSTED_SECONDS, key)
        self._known.move_to_end(digest)
        if len(self._known) > REMEMBERED_KEYS:
            with suppress(KeyError):
                self._known.popitem(last=False)
        return key


def seconds_until(room: int, *, before: int, now: int, left: float, window: float) -> float:
    """Return after how many seconds a sliding window counts no more than ``room``, if nothing is added.

    It counts ``before * left / window + now``, rounded down.

    Args:
        room: the largest count that will do.
        before: what was counted in the window before.
        now: what was counted in this one.
        left: seconds until this one ends.
        window: seconds that each takes.
    """
    if now > room:  # not in this window; in the next it slides out
        return left + window * (1 - (room + 1) / now)
    return max(0.0, left - window * (room + 1 - now) / before) if before else 0.0


_bearer = HTTPBearer(auto_error=False, description="A key that `riskmodel keys create` gave.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key, for tools that send no Bearer.")


def needs(role: Role) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """Return the dependency of a route that only callers of a role, or a higher one, may use."""

    async def caller(
        request: Request,
        bearer: HTTPAuthorizationCredentials | None = Security(_bearer),  # noqa: B008  as FastAPI wants it
        header: str | None = Security(_header),
    ) -> Caller:
        door: Door = request.app.state.running.parts.door  # its module imports this one
        return await door.admit(bearer.credentials if bearer is not None else header, role)

    return caller
