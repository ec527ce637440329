"""The casebook: what is kept of every escalation that was answered, and everything one may ask of it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from riskmodel.casebook import exporting, finding, keeping, paging, reading, retention
from riskmodel.casebook.audit import Trail
from riskmodel.casebook.database import Database
from riskmodel.casebook.keys import KeyRing
from riskmodel.casebook.opening import open_database
from riskmodel.casebook.paging import Filters, Page
from riskmodel.casebook.records import Case, Conflict, Found, Rated, Sent

COMMAND_LINE = "command line"


def _now() -> datetime:
    return datetime.now(UTC)


class Casebook:
    """Escalations, their assessments, keys and the audit trail in one database; threads may share it.

    Every method may raise :class:`~riskmodel.errors.CasebookUnavailableError`, within seconds, when the database does
    not answer; the same casebook works again when it does.

    Args:
        database: open, at the newest revision.
        clock: says when something is kept.
        enter: says which of the escalations that are kept wait for a person.
        told: does what else follows from what is kept, in the same transaction.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = _now,
        enter: keeping.Enter = keeping.nobody,
        told: keeping.Told = keeping.untold,
    ) -> None:
        self._database = database
        self._clock = clock
        self._enter = enter
        self._told = told
        self.keys = KeyRing(database)
        self.trail = Trail(database)

    @property
    def database(self) -> Database:
        """Return the database, for those who keep more in it."""
        return self._database

    def find(self, sents: Sequence[Sent]) -> list[Found | Conflict | None]:
        """Return what is kept already for each, in order, by its id or idempotency key; None for what is new."""
        names = [finding.names_of(sent) for sent in sents]
        if all(one.id is None and one.idempotency_key is None for one in names):
            return [None] * len(names)
        return self._database.read(lambda connection: finding.look_up(connection, names))

    def keep(self, rated: Sequence[Rated]) -> list[Found | Conflict]:
        """Keep escalations in one transaction, and return what is kept of each, in order.

        An item whose id or idempotency key was there gets the first answer, or a conflict if it is another escalation.
        On return what is kept survives a crash.
        """
        if not rated:
            return []
        return self._database.write(
            lambda connection: keeping.keep(connection, rated, self._clock(), self._enter, self._told)
        )

    def get(self, id_: str, client: str | None = None, *, golden: bool = True) -> Case:
        """Return a case, of one client or of any; ``golden``: also one that is kept to test analysts.

        Raises:
            UnknownCaseError: if none is kept.
            AmbiguousCaseError: if several clients used that id and none is named.
        """
        return self._database.read(lambda connection: reading.get(connection, id_, client, golden=golden))

    def page(self, filters: Filters, before: str | None = None, limit: int = 50) -> Page:
        """Return the cases that pass, the newest first, from a cursor on.

        Raises:
            CursorError: if the cursor is not one that a page gave out.
        """
        return self._database.read(lambda connection: paging.page(connection, filters, before, limit))

    def forget(
        self,
        before: datetime | None = None,
        ids: Sequence[str] | None = None,
        client: str | None = None,
        actor: str = COMMAND_LINE,
    ) -> int:
        """Delete escalations for good, with their assessments, and return how many; the audit trail says so.

        Args:
            before: those that were kept before this moment.
            ids: only these, of any client unless one is named.
            client: only those of this client.
            actor: who wants it.

        Raises:
            CasebookError: if neither ``before`` nor ``ids`` is given.
        """
        criterion = retention.Criterion(before, None if ids is None else tuple(ids), client)
        return retention.forget(self._database, criterion, actor, self._clock)

    def export(self, filters: Filters, redact: bool = True) -> Iterator[dict[str, Any]]:
        """Return cases as JSON objects, the newest first, in constant memory; ``redact`` masks personal data."""
        return exporting.export(self._database, filters, redacted=redact)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def open_casebook(
    url: str,
    clock: Callable[[], datetime] = _now,
    enter: keeping.Enter = keeping.nobody,
    told: keeping.Told = keeping.untold,
) -> Casebook:
    """Open a casebook, making or migrating its tables.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://...``.
        clock: says when something is kept.
        enter: says which of the escalations that are kept wait for a person.
        told: does what else follows from what is kept, in the same transaction.

    Raises:
        CasebookUnavailableError: if its database does not answer now.
        CasebookError: if it cannot be used; says what to do.
    """
    return Casebook(open_database(url), clock, enter, told)
