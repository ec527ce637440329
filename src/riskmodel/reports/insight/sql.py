"""Values and expressions in, SQL out as SQLite or PostgreSQL reads it: with it each query can be run as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from riskmodel.casebook.tables import micros_of, moment_of


@dataclass(frozen=True)
class Select:
    """A query whose result is kept for as long as a report is made.

    Attributes:
        text: the query.
        columns: where rows are looked up by the first column, all columns.
    """

    text: str
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Count:
    """How many rows there are for each combination of values, as ``n``.

    Attributes:
        values: what each column is, by its name, never NULL; the one with the most values first.
        source: where the rows come from.
        where: the condition that they meet.
    """

    values: Mapping[str, str]
    source: str
    where: str

    @property
    def text(self) -> str:
        """Return the query."""
        columns = ", ".join(value if value == name else f"{value} AS {name}" for name, value in self.values.items())
        places = ", ".join(str(at + 1) for at in range(len(self.values)))
        return f"SELECT {columns}, count(*) AS n\nFROM {self.source} WHERE {self.where}\nGROUP BY {places}"


@dataclass(frozen=True)
class Dialect:
    """How a database writes moments and what lies between them; on SQLite a moment is microseconds since 1970."""

    is_sqlite: bool

    def moment(self, moment: datetime) -> str:
        """Return a moment as a literal."""
        return str(micros_of(moment)) if self.is_sqlite else f"TIMESTAMPTZ '{moment.isoformat()}'"

    def read_moment(self, value: Any) -> datetime:
        """Return the moment that the database gave."""
        return moment_of(int(value)) if self.is_sqlite else value.astimezone(UTC)

    def text(self, value: str) -> str:
        """Return a text as a literal."""
        quoted = value.replace("'", "''")
        return f"'{quoted}'"

    def whole(self, later: str, earlier: str, seconds: int) -> str:
        """Return how many whole spans of so many seconds lie between two moments; 0 where the later one is earlier."""
        if self.is_sqlite:
            return f"max(0, ({later} - {earlier}) / {seconds * 1_000_000})"
        spans = f"CAST(floor(extract(epoch FROM {later} - {earlier}) / {seconds}) AS bigint)"
        return f"CASE WHEN {later} < {earlier} THEN 0 ELSE {spans} END"

    def make(self, table: str, base: Select | Count) -> list[str]:
        """Return the statements that keep what a query gives until the transaction ends."""
        if not self.is_sqlite:
            return [f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS\n{base.text}", f"ANALYZE {table}"]
        if isinstance(base, Count):
            return _counted(table, base)
        if base.columns is None:
            return [f"CREATE TEMPORARY TABLE {table} AS\n{base.text}"]
        key, *others = base.columns
        made = f"CREATE TEMPORARY TABLE {table} ({', '.join([f'{key} INTEGER PRIMARY KEY', *others])})"
        return [made, f"INSERT INTO {table} {base.text}"]


def _counted(table: str, base: Count) -> list[str]:
    """Return what counts for SQLite, which would sort a million rows to group them; one by one takes half as long."""
    names = ", ".join(base.values)
    return [
        f"CREATE TEMPORARY TABLE {table} ({names}, n, PRIMARY KEY ({names})) WITHOUT ROWID",
        f"INSERT INTO {table} SELECT {', '.join(base.values.values())}, 1\nFROM {base.source} WHERE {base.where}\n"
        f"ON CONFLICT ({names}) DO UPDATE SET n = n + 1",
    ]
