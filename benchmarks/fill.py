"""A casebook and a number in; filled with as many escalations out: copies of real ones, each with an id of its own."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.texts import read_texts
from riskmodel import load_model, load_policy, read_escalation
from riskmodel.artifact import utc_text
from riskmodel.casebook import Rated, Sent, digest_of, open_casebook, packed
from riskmodel.casebook.database import create_database_engine
from riskmodel.casebook.keeping import Enter, nobody
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS, VECTORS, micros_of
from riskmodel.records import SOURCES, Assessment

TEMPLATES = 200
CLIENTS = ("triage", "hotline", "partner")
MARKETS = ("BR", "MX", "ES", "US", "AR", "PT", "CO", "GB")
CHUNK = 50_000
VECTOR_BYTES = 64  # of a shortened row
OPEN_EVERY = 10  # of the reviews; the others are decided
APART = timedelta(seconds=20)  # between two arrivals


@dataclass(frozen=True)
class Template:
    """A row of each table, to be copied."""

    escalation: dict[str, Any]
    assessment: dict[str, Any]
    vector: dict[str, Any]
    review: dict[str, Any] | None


def rated_templates(folder: Path, count: int = TEMPLATES) -> list[Rated]:
    """Return real texts as the model rated them."""
    model, now = load_model(folder, load_policy()), datetime.now(UTC).replace(microsecond=0)
    found = []
    for at, text in enumerate(read_texts()[:count]):
        raw = {"text": text, "source": SOURCES[at % len(SOURCES)], "market": MARKETS[at % len(MARKETS)]}
        escalation = read_escalation(raw | {"id": uuid.uuid4().hex, "received_at": utc_text(now)})
        (made,) = model.assessed([escalation], now)
        assessment, vector = made.assessment, packed(made.vector)
        sent = Sent(CLIENTS[at % len(CLIENTS)], escalation, None, digest_of(escalation), uuid.uuid4().hex, "benchmark")
        found.append(Rated(sent, assessment, document_of(assessment), now, now, vector))
    return found


def shortened(rated: Rated, characters: int) -> Rated:
    """Return the same with a shorter text and vector, and a document that holds little more than the rating."""
    explanation = rated.assessment.explanation.model_copy(
        update={"evidence": [], "counterfactuals": [], "precedents": [], "summary": ""}
    )
    assessment = rated.assessment.model_copy(update={"explanation": explanation, "category_probabilities": {}})
    escalation = rated.sent.escalation.model_copy(update={"text": rated.sent.escalation.text[:characters]})
    sent = dataclasses.replace(rated.sent, escalation=escalation, digest=digest_of(escalation))
    vector = rated.vector and rated.vector[:VECTOR_BYTES]
    return dataclasses.replace(rated, sent=sent, assessment=assessment, document=document_of(assessment), vector=vector)


def document_of(assessment: Assessment) -> str:
    """Return an assessment as the service keeps it."""
    return assessment.model_dump_json(by_alias=True)


def templates_of(url: str, rated: Sequence[Rated], enter: Enter = nobody) -> list[Template]:
    """Keep what was rated in a scratch casebook, as the service does, and return its rows."""
    casebook = open_casebook(url, enter=enter)
    casebook.keep(rated)
    casebook.close()
    engine = create_database_engine(url)
    with engine.connect() as connection:
        escalations = connection.execute(sa.select(ESCALATIONS).order_by(ESCALATIONS.c.number)).mappings().all()
        assessments, vectors, reviews = (
            {row["escalation"]: dict(row) for row in connection.execute(sa.select(table)).mappings()}
            for table in (ASSESSMENTS, VECTORS, REVIEWS)
        )
    engine.dispose()
    return [
        Template(dict(row), assessments[row["number"]], vectors[row["number"]], reviews.get(row["number"]))
        for row in escalations
    ]


def fill(url: str, size: int, templates: Sequence[Template], report: Callable[[int, int, str], None]) -> None:
    """Bring a casebook to a size; the newest row was kept just now. Where there are rows, it goes on after them.

    The database copies the templates itself, and its indexes are made at the end: millions of rows in minutes.
    """
    open_casebook(url).close()
    engine = create_database_engine(url)
    if not _is_filled(engine, size):
        for index in (index for table in TABLES for index in table.indexes):
            _alone(engine, sa.schema.DropIndex(index, if_exists=True))
        _copy_templates(engine, templates)
        newest = datetime.now(UTC)
        for table, statement in _statements(engine.dialect.name, len(templates)).items():
            for start in range(_last(engine, table), size, CHUNK):
                stop = min(start + CHUNK, size)
                with engine.connect() as connection, _unsynced(connection):
                    given = {"first": start + 1, "last": stop, "size": size, "newest": _moment(newest, connection)}
                    connection.execute(sa.text(statement), given)
                    connection.commit()
                report(stop, size, f"rows of {table}")
        for index in (index for table in TABLES for index in table.indexes):
            _alone(engine, sa.schema.CreateIndex(index, if_not_exists=True))
        if engine.dialect.name == "postgresql":
            _tidy(engine)
    engine.dispose()


TABLES = (ESCALATIONS, ASSESSMENTS, VECTORS, REVIEWS)
COPIES = tuple(f"template_{table}" for table in TABLES)
ID = {
    # Scattered over the index, as random ids are, and never twice: an odd factor permutes the numbers below 2^32.
    "sqlite": "printf('%08x', (n * 2654435761) & 4294967295) || substr(e.id, 9)",
    "postgresql": "lpad(to_hex((n * 2654435761) & 4294967295), 8, '0') || substr(e.id, 9)",
}
KEPT_AT = {
    "sqlite": f":newest - {APART // timedelta(microseconds=1)} * (:size - n)",
    "postgresql": f":newest - interval '{APART.total_seconds():.0f} seconds' * (:size - n)",
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
    "postgresql": "WITH numbers(n) AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)))",
}


def _statements(dialect: str, count: int) -> dict[sa.Table, str]:
    """Return for each table what copies the templates, of which there are ``count``, to some numbers."""
    kept_at, id_ = KEPT_AT[dialect], ID[dialect]
    source = f"FROM numbers JOIN template_escalations e ON e.number = n % {count} + 1"
    digest = {"sqlite": "randomblob(32)", "postgresql": "sha256(CAST(CAST(n AS text) AS bytea))"}

    def moved(name: str) -> str:
        return f"{name} + ({kept_at} - e.kept_at)"

    changed: dict[sa.Table, dict[str, str]] = {
        ESCALATIONS: {"number": "n", "id": id_, "request_id": id_, "received_at": kept_at, "kept_at": kept_at},
        ASSESSMENTS: {
            "number": "n",
            "escalation": "n",
            "assessed_at": kept_at,
            "act_by": moved("t.act_by"),
            "document": f"replace(t.document, e.id, {id_})",
        },
        VECTORS: {"assessment": "n", "escalation": "n"},
        REVIEWS: {
            **{name: moved(f"t.{name}") for name in ("queued_at", "act_by", "order_at")},
            "escalation": "n",
            "state": f"CASE WHEN n % {OPEN_EVERY} = 0 THEN 'waiting' ELSE 'decided' END",
            "text_digest": digest[dialect],
        },
    }
    found = {}
    for table, values in changed.items():
        names = [column.name for column in table.columns if (table, column.name) != (REVIEWS, "number")]
        of = "e" if table is ESCALATIONS else "t"
        join = "" if table is ESCALATIONS else f" JOIN template_{table} t ON t.escalation = e.number"
        found[table] = (
            f"INSERT INTO {table} ({', '.join(names)}) {NUMBERS[dialect]} "
            f"SELECT {', '.join(values.get(name, f'{of}.{name}') for name in names)} {source}{join}"
        )
    return found


def _last(engine: sa.Engine, table: sa.Table) -> int:
    """Return the number of the last escalation that a table has a row of."""
    column = table.c.number if table is ESCALATIONS else table.c.escalation
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.max(column))).scalar_one() or 0


def _is_filled(engine: sa.Engine, size: int) -> bool:
    with engine.connect() as connection:
        indexes = sa.inspect(connection).get_indexes("reviews")  # the last ones that are made
    enough = all(_last(engine, table) >= size for table in TABLES if table is not REVIEWS)
    return enough and {index["name"] for index in indexes} >= {index.name for index in REVIEWS.indexes}


def _tidy(engine: sa.Engine) -> None:
    """Have PostgreSQL number on after the last row, forget the templates, and know its tables."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        for table in (ESCALATIONS, ASSESSMENTS, REVIEWS):
            last = f"SELECT max(number) FROM {table}"
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), ({last}))")
        for name in COPIES:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        connection.exec_driver_sql("VACUUM ANALYZE")


def _copy_templates(engine: sa.Engine, templates: Sequence[Template]) -> None:
    """Lay the templates beside the tables, numbered from one."""
    rows: dict[sa.Table, list[dict[str, Any]]] = {table: [] for table in TABLES}
    for number, template in enumerate(templates, 1):
        rows[ESCALATIONS].append(template.escalation | {"number": number})
        rows[ASSESSMENTS].append(template.assessment | {"number": number, "escalation": number})
        rows[VECTORS].append(template.vector | {"assessment": number, "escalation": number})
        if template.review is not None:
            rows[REVIEWS].append(template.review | {"number": number, "escalation": number})
    for name, (table, some) in zip(COPIES, rows.items(), strict=True):
        columns = [sa.Column(column.name, column.type) for column in table.columns]
        copy = sa.Table(name, sa.MetaData(), *columns)
        with engine.begin() as connection:
            copy.drop(connection, checkfirst=True)
            copy.create(connection)
            if some:
                connection.execute(sa.insert(copy), some)


def _alone(engine: sa.Engine, statement: Any) -> None:
    """Run a statement of the schema, however long it takes."""
    with engine.connect() as connection, _unsynced(connection):
        connection.execute(statement)
        connection.commit()


@contextmanager
def _unsynced(connection: sa.Connection) -> Iterator[None]:
    """Let a long write take its time, and on SQLite not wait for the disk: a crash here costs nothing."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous = OFF")
        driver.execute("PRAGMA cache_size = -500000")
        driver.execute("PRAGMA temp_store = MEMORY")
        yield
        connection.invalidate()  # the next one is as the service has it
        return
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
    connection.commit()
    yield
    connection.invalidate()


def _moment(moment: datetime, connection: sa.Connection) -> Any:
    return micros_of(moment) if connection.dialect.name == "sqlite" else moment
