"""A casebook and a number in; filled with as many escalations out: copies of real ones, each with an id of its own."""

import uuid
from collections.abc import Callable, Sequence
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
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, VECTORS
from riskmodel.records import SOURCES, Assessment

TEMPLATES = 200
CLIENTS = ("triage", "hotline", "partner")
MARKETS = ("BR", "MX", "ES", "US", "AR", "PT", "CO", "GB")
CHUNK = 2_000
APART = timedelta(seconds=20)  # between two arrivals


@dataclass(frozen=True)
class Template:
    """A row of each table, to be copied."""

    escalation: dict[str, Any]
    assessment: dict[str, Any]
    vector: dict[str, Any]


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


def document_of(assessment: Assessment) -> str:
    """Return an assessment as the service keeps it."""
    return assessment.model_dump_json(by_alias=True)


def templates_of(url: str, rated: Sequence[Rated]) -> list[Template]:
    """Keep what was rated in a scratch casebook, as the service does, and return its rows."""
    casebook = open_casebook(url)
    casebook.keep(rated)
    casebook.close()
    engine = create_database_engine(url)
    with engine.connect() as connection:
        escalations = connection.execute(sa.select(ESCALATIONS).order_by(ESCALATIONS.c.number)).mappings().all()
        assessments, vectors = (
            {row["escalation"]: dict(row) for row in connection.execute(sa.select(table)).mappings()}
            for table in (ASSESSMENTS, VECTORS)
        )
    engine.dispose()
    return [Template(dict(row), assessments[row["number"]], vectors[row["number"]]) for row in escalations]


def fill(url: str, size: int, templates: Sequence[Template], report: Callable[[int, int, str], None]) -> None:
    """Bring a casebook to a size; the newest row was kept just now. Where there are rows, it goes on after them."""
    open_casebook(url).close()
    engine = create_database_engine(url)
    with engine.connect() as connection:
        have = connection.execute(sa.select(sa.func.count()).select_from(ESCALATIONS)).scalar_one()
    newest = datetime.now(UTC)
    for start in range(have, size, CHUNK):
        numbers = range(start + 1, min(start + CHUNK, size) + 1)
        rows = [
            _copy(templates[number % len(templates)], number, newest - APART * (size - number)) for number in numbers
        ]
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.connection.execute("PRAGMA synchronous = OFF")  # a crash here costs nothing
                connection.connection.execute("PRAGMA cache_size = -500000")
            with connection.begin() if not connection.in_transaction() else connection.get_transaction():
                connection.execute(sa.insert(ESCALATIONS), [row.escalation for row in rows])
                connection.execute(sa.insert(ASSESSMENTS), [row.assessment for row in rows])
                connection.execute(sa.insert(VECTORS), [row.vector for row in rows])
        report(numbers[-1], size, "")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            for table in (ESCALATIONS, ASSESSMENTS):
                connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), {size})")
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _copy(template: Template, number: int, kept_at: datetime) -> Template:
    id_ = uuid.uuid4().hex
    escalation = template.escalation | {
        "number": number,
        "id": id_,
        "request_id": uuid.uuid4().hex,
        "received_at": kept_at,
        "kept_at": kept_at,
    }
    document = template.assessment["document"].replace(template.escalation["id"], id_)
    return Template(
        escalation,
        template.assessment
        | {"number": number, "escalation": number, "assessed_at": kept_at, "act_by": kept_at, "document": document},
        template.vector | {"assessment": number, "escalation": number},
    )
