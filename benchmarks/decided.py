"""A filled casebook in; the same with reviews and verdicts, as if people had worked through it, out."""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from benchmarks.fill import Template
from riskmodel.casebook.database import create_database_engine
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS, VERDICTS
from riskmodel.policy import load_policy
from riskmodel.records import RATINGS, SOURCES

MARKETS = ("BR", "MX", "ES", "US", "AR", "PT", "CO", "GB", "CL", "PE", "AO", "MZ", "UY", "EC", "BO", "PY", "IN", "CA")
AUDITED, UNDECIDED, CHANGED = 0.02, 0.03, 0.2
VARIANTS = 5_000
CHUNK = 2_000
_POLICY = load_policy()


def varied(templates: Sequence[Template], count: int = VARIANTS) -> list[Template]:
    """Return copies with sources, markets, ratings and categories of their own: a real casebook is no repetition."""
    return [_varied(templates[number % len(templates)], random.Random(number)) for number in range(count)]


def _varied(template: Template, chance: random.Random) -> Template:
    rating = chance.choices(RATINGS, (40, 35, 18, 7))[0]
    category = chance.choice(_POLICY.category_names)
    weights = [1 / (at + 1) for at in range(len(MARKETS))]
    id_ = f"{chance.getrandbits(128):032x}"
    told = {"id": id_, "source": chance.choice(SOURCES), "market": chance.choices(MARKETS, weights)[0]}
    hours = _POLICY.ratings[rating].act_within_hours
    said = {
        "rating": rating,
        "category": category,
        "team": _POLICY.categories[category].team,
        "act_by": template.escalation["kept_at"] + timedelta(hours=hours),
        "route": chance.choices(("auto", "review"), (60, 40))[0],
        "document": template.assessment["document"].replace(template.escalation["id"], id_),
    }
    return replace(template, escalation=template.escalation | told, assessment=template.assessment | said, review=None)


def decide(url: str, size: int, report: Callable[[int, int, str], None]) -> None:
    """Queue what asks for a person, and an audited share of the rest, and have nearly all of it decided."""
    engine = create_database_engine(url)
    columns = [ESCALATIONS.c[name] for name in ("number", "kept_at", "source", "market")]
    columns += [ASSESSMENTS.c[name] for name in ("language", "category", "rating", "route", "act_by", "model_version")]
    columns.append(ASSESSMENTS.c.number.label("assessment"))
    joined = sa.select(*columns).join_from(ESCALATIONS, ASSESSMENTS, ASSESSMENTS.c.escalation == ESCALATIONS.c.number)
    number = 0
    for start in range(0, size, CHUNK):
        chance = random.Random(start)
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.connection.execute("PRAGMA synchronous = OFF")
            rows = connection.execute(joined.where(ESCALATIONS.c.number.between(start + 1, start + CHUNK))).all()
            drawn = [row for row in rows if row.route == "review" or chance.random() < AUDITED]
            reviews = [_review(row, number + at + 1, chance) for at, row in enumerate(drawn)]
            number += len(drawn)
            given = [
                _verdict(row, review, chance)
                for row, review in zip(drawn, reviews, strict=True)
                if review["state"] == "decided"
            ]
            connection.execute(sa.insert(REVIEWS), reviews)
            connection.execute(sa.insert(VERDICTS), given)
            connection.commit()
        report(min(start + CHUNK, size), size, "")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('reviews', 'number'), %s)", (number,))
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _review(row: sa.Row[Any], number: int, chance: random.Random) -> dict[str, Any]:
    is_review = row.route == "review"
    return {
        "number": number,
        "escalation": row.number,
        "purpose": "review" if is_review else "audit",
        "weight": 1.0 if is_review else 1 / AUDITED,
        "text_digest": hashlib.sha256(str(row.number).encode()).digest(),
        "language": row.language,
        "category": row.category,
        "source": row.source,
        "market": row.market,
        "rating": row.rating,
        "reasons": json.dumps(["uncertain rating"] if is_review else []),
        "queued_at": row.kept_at,
        "act_by": row.act_by,
        "harm": 0.1,
        "order_at": row.act_by,
        "state": "waiting" if chance.random() < UNDECIDED else "decided",
        "version": 1,
    }


def _verdict(row: sa.Row[Any], review: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    rating = chance.choice(RATINGS) if chance.random() < CHANGED else row.rating
    allowed = (row.act_by - row.kept_at).total_seconds()
    return {
        "review": review["number"],
        "escalation": row.number,
        "assessment": row.assessment,
        "analyst": f"analyst-{chance.randrange(20)}",
        "decided_at": row.kept_at + timedelta(seconds=allowed * chance.lognormvariate(-1.2, 0.9)),
        "seconds": 60.0,
        "kind": "confirmed" if rating == row.rating else "changed",
        "severity": "serious",
        "proximity": "active",
        "lifted": False,
        "rating": rating,
        "categories": json.dumps([row.category]),
        "evidence": "[]",
        "note": "",
        "model_version": row.model_version,
        "policy_version": _POLICY.version,
        "purpose": review["purpose"],
        "weight": review["weight"],
    }
