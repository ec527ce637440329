"""Who may call in, their keys out: made, listed, revoked, checked; only hashes are kept."""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from riskmodel.casebook.database import Database
from riskmodel.casebook.records import GOLDEN_CLIENT
from riskmodel.casebook.tables import API_KEYS
from riskmodel.errors import CasebookError

Role = Literal["team", "client", "analyst", "lead", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # from client on, each may do what those before it may

ID_CHARACTERS = 8
SECRET_BYTES = 32
_ID_ALPHABET = string.ascii_lowercase + string.digits
_SECRET = re.compile(rf"rk_([a-z0-9]{{{ID_CHARACTERS}}})_[A-Za-z0-9_-]{{43}}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NO_HASH = bytes(32)  # what an unknown key is compared with


@dataclass(frozen=True)
class Key:
    """A key as it is kept, without its secret."""

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether it lets anyone in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, and its secret, which cannot be had again."""

    key: Key
    secret: str = field(repr=False)


class KeyRing:
    """The keys of a casebook."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: str, now: datetime, expires_at: datetime | None = None) -> NewKey:
        """Make a key for a tool or a person.

        Raises:
            CasebookError: if the name, the role or the end cannot be used.
        """
        if _NAME.fullmatch(name) is None:
            raise CasebookError("A key's name: found text of another form, expected 1 to 64 of A-Z a-z 0-9 . _ -")
        if name == GOLDEN_CLIENT:
            raise CasebookError(
                f"A key's name: found {GOLDEN_CLIENT}, which is kept for golden cases, expected another."
            )
        if role not in ROLES:
            raise CasebookError(f"A key's role: found another word, expected one of {', '.join(ROLES)}.")
        if expires_at is not None and expires_at <= now:
            raise CasebookError("A key's end: found a moment that has passed, expected a later one.")
        id_ = "".join(secrets.choice(_ID_ALPHABET) for _ in range(ID_CHARACTERS))
        secret = f"rk_{id_}_{secrets.token_urlsafe(SECRET_BYTES)}"
        key = Key(id_, name, role, now, expires_at, None, None)
        row = {column.name: getattr(key, column.name) for column in fields(key)} | {"hash": _hash(secret)}
        self._database.write(lambda connection: connection.execute(sa.insert(API_KEYS), row))
        return NewKey(key, secret)

    def keys(self) -> list[Key]:
        """Return all keys, in the order they were made."""
        statement = sa.select(*_COLUMNS).order_by(API_KEYS.c.created_at, API_KEYS.c.id)
        return [Key(*row) for row in self._database.read(lambda connection: connection.execute(statement).all())]

    def revoke(self, key_id: str, now: datetime) -> Key:
        """Make a key invalid for good; one that is revoked stays as it is.

        Raises:
            CasebookError: if there is no such key.
        """
        is_it = API_KEYS.c.id == key_id
        statement = sa.update(API_KEYS).where(is_it, API_KEYS.c.revoked_at.is_(None)).values(revoked_at=now)

        def work(connection: sa.Connection) -> Any:
            connection.execute(statement)
            return connection.execute(sa.select(*_COLUMNS).where(is_it)).one_or_none()

        row = self._database.write(work)
        if row is None:
            raise CasebookError("A key's id: found none like it, expected one that `riskmodel keys list` shows.")
        return Key(*row)

    def verify(self, secret: str, now: datetime) -> Key | None:
        """Return the key of a secret; None if it is unknown, revoked or expired.

        What is compared is compared in constant time, and an unknown key takes the same steps as a known one.
        """
        match = _SECRET.fullmatch(secret)
        id_ = match[1] if match is not None else ""
        row = self._database.read(lambda connection: connection.execute(_BY_ID, {"key_id": id_}).one_or_none())
        same = hmac.compare_digest(_hash(secret), row.hash if row is not None else _NO_HASH)
        if row is None or not same:
            return None
        key = Key(*row[:-1])
        return key if key.is_valid(now) else None

    def record_use(self, used: Mapping[str, datetime]) -> None:
        """Record when keys were last used, in one transaction; a moment before the recorded one changes nothing."""
        # In one order everywhere, so that two services do not wait for one another.
        rows = [{"key_id": key_id, "used_at": at} for key_id, at in sorted(used.items())]
        if rows:
            self._database.write(lambda connection: connection.execute(_RECORD_USE, rows))

    def any_active(self, now: datetime) -> bool:
        """Return whether any key lets anyone in."""
        return any(key.is_valid(now) for key in self.keys())


def _hash(secret: str) -> bytes:
    """Return what is kept of a secret. It is 256 random bits: nothing to guess, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


_COLUMNS = [API_KEYS.c[column.name] for column in fields(Key)]
_BY_ID = sa.select(*_COLUMNS, API_KEYS.c.hash).where(API_KEYS.c.id == sa.bindparam("key_id"))
_RECORD_USE = (
    sa.update(API_KEYS)
    .where(API_KEYS.c.id == sa.bindparam("key_id"))
    .where(API_KEYS.c.last_used_at.is_(None) | (API_KEYS.c.last_used_at < sa.bindparam("used_at")))
    .values(last_used_at=sa.bindparam("used_at"))
)
