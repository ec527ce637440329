"""A key in, a signed cookie out, and back: who works at the review page, in which language, against forged requests."""

import hmac
import secrets
import time
from dataclasses import asdict, dataclass, replace

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer

from riskmodel.casebook import ROLES, Key, Role
from riskmodel.errors import FieldProblem
from riskmodel.service.errors import ForbiddenError, UnauthenticatedError
from riskmodel.service.security import TRUSTED_SECONDS, Caller

COOKIE = "riskmodel_review"
PATH = "/review"
LASTS_SECONDS = 12 * 3_600  # a shift
UNDO_SECONDS = 600  # that a page offers it; later a lead has to
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
LEAST_ROLE: Role = "analyst"


@dataclass(frozen=True)
class Done:
    """The last verdict of a session: its number, on which review, what it was, and when."""

    number: int
    review: int
    rating: str
    kind: str
    at: float


@dataclass(frozen=True)
class Session:
    """What a cookie carries; the role is looked up afresh, so that a revoked key ends its sessions.

    Attributes:
        csrf: what a form must repeat.
        name: whose session it is; None before anyone has logged in.
        language: the one that was chosen.
        done: the verdict that can be taken back.
    """

    csrf: str
    name: str | None = None
    key_id: str | None = None
    language: str | None = None
    done: Done | None = None


class Sessions:
    """Signs and reads cookies.

    Args:
        secret: what is signed with; random if empty, so that a restart ends all sessions.
    """

    def __init__(self, secret: str = "") -> None:
        self._signer = URLSafeTimedSerializer(secret or secrets.token_urlsafe(32), salt="riskmodel review session")

    def read(self, request: Request) -> Session:
        """Return the session of a request; a new one, of nobody, if it has none that holds."""
        try:
            found = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=LASTS_SECONDS)
            done = found.pop("done", None)
            return Session(**found, done=None if done is None else Done(**done))
        except (BadData, TypeError, AttributeError):
            return Session(secrets.token_urlsafe(18))

    def write(self, request: Request, response: Response, session: Session) -> None:
        """Put a session into a response."""
        response.set_cookie(
            COOKIE,
            str(self._signer.dumps(asdict(session))),
            max_age=LASTS_SECONDS,
            path=PATH,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def end(self, request: Request, response: Response) -> None:
        """Take the session away, but for its language."""
        self.write(request, response, Session(secrets.token_urlsafe(18), language=self.read(request).language))


def last_done(session: Session) -> Done | None:
    """Return the verdict that a page still offers to take back."""
    done = session.done
    return done if done is not None and time.time() - done.at < UNDO_SECONDS else None


def begun(session: Session, caller: Caller) -> Session:
    """Return the session of who just logged in, with a new token."""
    return replace(session, csrf=secrets.token_urlsafe(18), name=caller.name, key_id=caller.key_id)


def check_csrf(session: Session, token: str | None) -> None:
    """Check that an action was sent from a page of ours.

    Raises:
        ForbiddenError: if the token is missing or of another session.
    """
    if token is None or not hmac.compare_digest(token.encode(), session.csrf.encode()):
        raise ForbiddenError(FieldProblem(CSRF_FIELD, "no token of this session", "the page's token; reload it"))


class Colleagues:
    """Who holds a key now, read again after seconds."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._read_at = float("-inf")

    @property
    def is_stale(self) -> bool:
        """Whether the keys must be read again."""
        return self._read_at + TRUSTED_SECONDS < time.monotonic()

    def update(self, keys: list[Key]) -> None:
        """Take the keys that are valid."""
        self._keys, self._read_at = {key.id: key for key in keys}, time.monotonic()

    def caller(self, session: Session, role: Role) -> Caller:
        """Return whose session it is.

        Raises:
            UnauthenticatedError: if nobody's, or the key was revoked or ran out.
            ForbiddenError: if the key's role does not suffice.
        """
        key = self._keys.get(session.key_id or "")
        if key is None or key.name != session.name:
            raise UnauthenticatedError(FieldProblem("session", "none that holds", "a login"))
        if ROLES.index(key.role) < ROLES.index(role):
            raise ForbiddenError(FieldProblem("role", key.role, " or ".join(ROLES[ROLES.index(role) :])))
        return Caller(key.name, key.id, key.role)

    def names(self) -> list[str]:
        """Return who may review, in order."""
        least = ROLES.index(LEAST_ROLE)
        return sorted({key.name for key in self._keys.values() if ROLES.index(key.role) >= least})
