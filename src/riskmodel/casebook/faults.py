"""An error of SQLAlchemy in, the error that riskmodel raises for it out; neither holds a statement's values."""

import sqlite3

import sqlalchemy as sa

from riskmodel.errors import CasebookError, CasebookUnavailableError

_SQLITE_UNAVAILABLE = {
    "SQLITE_BUSY": "is locked by another program for too long",
    "SQLITE_LOCKED": "is locked by another program for too long",
    "SQLITE_FULL": "cannot grow: the disk is full",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error or is full",
    "SQLITE_CANTOPEN": "cannot be opened now: a file or its folder cannot be reached, or too many files are open",
    "SQLITE_PROTOCOL": "is locked by another program for too long",
    "SQLITE_NOMEM": "does not answer: memory is short",
    "SQLITE_INTERRUPT": "does not answer: the work was interrupted",
}
_SQLITE_UNUSABLE = {
    "SQLITE_NOTADB": "is not a SQLite database. Name another file in the database's URL",
    "SQLITE_CORRUPT": "is damaged. Put a copy in its place, or save what can be read with `sqlite3 FILE .recover`",
    "SQLITE_READONLY": "may only be read. Give this user the right to write the file and its folder",
    "SQLITE_PERM": "may not be used. Give this user the right to write the file and its folder",
    "SQLITE_AUTH": "may not be used. Give this user the right to write the file and its folder",
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by code or by class of codes
_POSTGRESQL_UNAVAILABLE = {
    "55P03": "is locked by another program for too long",
    "57014": "does not answer in time",
    "53100": "cannot grow: the disk is full",
    "40": "has too many programs that wait for one another",
    "08": "does not answer",
    "25006": "may only be read now",
    "53": "does not answer: the server is short of memory or connections",
    "57": "does not answer: the server is being stopped or started",
    "58": "does not answer: the server's system reports an error",
}
_POSTGRESQL_UNUSABLE = {
    "42501": "may not be used by this user. Grant it CREATE and USAGE on the schema, or own the tables",
    "42P07": "holds tables of another program. Name an empty database in the URL",
    "28": "refuses this user or password. Check the database's URL",
    "3D": "does not exist. Create it with `createdb`, or name another in the URL",
}
_REFUSED_AT_THE_DOOR = {  # libpq gives no code while connecting
    "does not exist": "or its user does not exist. Create them, or name others in the URL",
    "authentication failed": "refuses this user or password. Check the database's URL",
    "no password supplied": "wants a password. Check the database's URL",
    "no pg_hba.conf entry": "lets nobody in from here. Check pg_hba.conf on the server",
}
_MAY_WORK_AGAIN = ("40001", "40P01")  # serialization failure, deadlock: nothing was written


def translate(error: sa.exc.SQLAlchemyError, name: str) -> CasebookError:
    """Return what riskmodel raises.

    Args:
        error: as SQLAlchemy raised it.
        name: what the database is called in messages, without a password.
    """
    if isinstance(error, sa.exc.TimeoutError):
        return CasebookUnavailableError(f"{name} does not answer: all connections are in use.")
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return _translate_sqlite(original, name)
    if isinstance(error, sa.exc.DBAPIError):
        return _translate_postgresql(error, name)
    return CasebookError(f"{name} could not be used: {type(error).__name__}.")


def is_lock(error: CasebookError) -> bool:
    """Return whether the database was locked, so that waiting helps."""
    return isinstance(error, CasebookUnavailableError) and "locked" in str(error)


def may_work_again(error: sa.exc.DBAPIError) -> bool:
    """Return whether the transaction was ended by others and left nothing behind."""
    return getattr(error.orig, "sqlstate", None) in _MAY_WORK_AGAIN


def _translate_sqlite(error: sqlite3.Error, name: str) -> CasebookError:
    code = getattr(error, "sqlite_errorname", "")
    for known, sentence in _SQLITE_UNAVAILABLE.items():
        if code.startswith(known):
            return CasebookUnavailableError(f"{name} {sentence}.")
    for known, sentence in _SQLITE_UNUSABLE.items():
        if code.startswith(known):
            return CasebookError(f"{name} {sentence}.")
    if "already exists" in str(error):
        return CasebookError(f"{name} {_POSTGRESQL_UNUSABLE['42P07']}.")
    return CasebookError(f"{name} could not be used: {code or type(error).__name__}.")


def _translate_postgresql(error: sa.exc.DBAPIError, name: str) -> CasebookError:
    code = getattr(error.orig, "sqlstate", None) or ""
    for length in (5, 2):
        if code[:length] in _POSTGRESQL_UNAVAILABLE:
            return CasebookUnavailableError(f"{name} {_POSTGRESQL_UNAVAILABLE[code[:length]]}.")
        if code[:length] in _POSTGRESQL_UNUSABLE:
            return CasebookError(f"{name} {_POSTGRESQL_UNUSABLE[code[:length]]}.")
    if not code and isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError):
        for words, sentence in _REFUSED_AT_THE_DOOR.items():
            if words in str(error.orig):
                return CasebookError(f"{name} {sentence}.")
        return CasebookUnavailableError(f"{name} does not answer.")
    return CasebookError(f"{name} could not be used: {code or type(error.orig).__name__}.")
