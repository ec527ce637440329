"""What somebody without an account may act on in, a token for a link out, and back; only hashes of tokens are kept.

A token is 160 random bits, in letters and digits that survive an e-mail address too, where case is lost.
"""

import base64
import hashlib
import re
import secrets
from datetime import datetime

import sqlalchemy as sa

from riskmodel.casebook.tables import LINKS
from riskmodel.errors import CasebookError

TOKEN_BYTES = 20
_TOKEN = re.compile(r"[a-z2-7]{32}")


class UnknownLinkError(CasebookError):
    """A link is unknown, has run out, or was taken back."""


def make_link(
    connection: sa.Connection, purpose: str, subject: int, escalation: int | None, expires_at: datetime, now: datetime
) -> str:
    """Return the token of a new link, which cannot be had again, within the transaction that is open.

    Args:
        connection: within a transaction.
        purpose: such as ``handoff``; a link of one purpose opens nothing else.
        subject: the number of what it opens.
        escalation: the one that it tells of; the link goes with it when that is forgotten.
        expires_at: when it runs out.
        now: the moment.
    """
    token = base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()
    row = {
        "hash": _hash(token),
        "purpose": purpose,
        "subject": subject,
        "escalation": escalation,
        "made_at": now,
        "expires_at": expires_at,
    }
    connection.execute(sa.insert(LINKS).values(**row))
    return token


def follow_link(connection: sa.Connection, purpose: str, token: str, now: datetime) -> int:
    """Return the number of what a token opens.

    Raises:
        UnknownLinkError: if it opens nothing now.
    """
    written = token.lower()
    if _TOKEN.fullmatch(written) is not None:
        held = (LINKS.c.hash == _hash(written)) & (LINKS.c.purpose == purpose) & (LINKS.c.expires_at > now)
        subject = connection.execute(sa.select(LINKS.c.subject).where(held)).scalar()
        if subject is not None:
            return int(subject)
    raise UnknownLinkError("A link: found one that opens nothing, expected one that has not run out.")


def end_links(connection: sa.Connection, purpose: str, subject: int) -> int:
    """Take back all links to something, and return how many."""
    of_it = (LINKS.c.purpose == purpose) & (LINKS.c.subject == subject)
    return connection.execute(sa.delete(LINKS).where(of_it)).rowcount


def _hash(token: str) -> bytes:
    """Return what is kept of a token. It is random: nothing to guess, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()
