"""A hundred thousand cases that all wait: a page, a claim, a verdict and the quality page take less than 50 ms."""

import itertools
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook import Casebook
from riskmodel.casebook.tables import ASSESSMENTS, ESCALATIONS, REVIEWS, VERDICTS
from riskmodel.review import Desk, Filters
from riskmodel.review.entering import row_of
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.review.made import answer, minutes, waiting

CASES, AUDITED, READ = 100_000, 2_000, 500
MOST_SECONDS = 0.05
REPEATS = 15
CHUNK = 5_000
LANGUAGES, MARKETS = ("en", "es", "pt"), ("BR", "US", "MX", "AR")

pytestmark = pytest.mark.slow


def fill(casebook: Casebook) -> None:
    """Write the rows straight into the tables; only the first in the queue, which are read, have an assessment."""
    for start in range(0, CASES, CHUNK):
        numbers = range(start + 1, start + CHUNK + 1)
        casebook.database.write(lambda connection, numbers=numbers: _fill(connection, numbers))  # type: ignore[misc]
    if not casebook.database.is_sqlite:
        with casebook.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _fill(connection: sa.Connection, numbers: range) -> None:
    rated = waiting("model")
    document = rated.document
    escalation = {
        "client": "desk",
        "digest": b"",
        "received_at": NOON,
        "kept_at": NOON,
        "text": rated.sent.escalation.text,
    }
    connection.execute(sa.insert(ESCALATIONS), [escalation | {"id": f"a-{number}"} for number in numbers])
    assessment = {
        "assessed_at": NOON, "model_version": "v1", "policy_version": "1.0", "language": "pt", "rating": "high",
        "category": "violence", "team": "crisis_response", "route": "review", "confidence": 0.5, "act_by": NOON,
    }  # fmt: skip
    connection.execute(
        sa.insert(ASSESSMENTS),
        [assessment | {"escalation": n, "document": document if n <= READ else "{}"} for n in numbers],
    )
    connection.execute(sa.insert(REVIEWS), [_review(number) for number in numbers])
    if numbers[-1] == CASES:
        audits = [number for number in numbers if number > CASES - AUDITED]
        connection.execute(sa.insert(VERDICTS), [_verdict(number) for number in audits])


def _review(number: int) -> dict[str, Any]:
    is_audit = number > CASES - AUDITED
    rare = number in (CASES // 2, CASES // 2 + 1)
    row = row_of(waiting(f"a-{number}"), "audit" if is_audit else "review", 50.0 if is_audit else 1.0, NOON)
    return row | {
        "escalation": number,
        "text_digest": number.to_bytes(32),
        "language": LANGUAGES[number % 3],
        "market": "PT" if rare else MARKETS[number % 4],
        "order_at": NOON + timedelta(seconds=number),
        "state": "decided" if is_audit else "waiting",
    }


def _verdict(number: int) -> dict[str, Any]:
    return {
        "review": number, "escalation": number, "assessment": number, "analyst": "ana", "decided_at": NOON,
        "seconds": 9.0, "kind": "confirmed", "severity": "severe", "proximity": "plausible", "lifted": False,
        "rating": "high", "categories": '["violence"]', "evidence": "[]", "note": "", "client_token": str(number),
        "model_version": "v1", "policy_version": "1.0", "purpose": "audit", "weight": 50.0,
    }  # fmt: skip


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the median, to be told, and the least, which a busy machine does not change."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken), min(taken)


def test_everything_an_analyst_does_stays_quick(casebook: Casebook, desk: Desk) -> None:
    fill(casebook)
    later = itertools.count()
    deep = None
    for _ in range(20):
        deep = desk.queue.page(Filters(), deep, 50, NOON).next_cursor

    def claim_and_decide() -> None:
        item = desk.claims.next("ana", Filters(), NOON)
        assert item is not None
        desk.verdicts.decide(answer(item), NOON)

    def claim_and_release(filters: Filters) -> None:
        item = desk.claims.next("ana", filters, NOON + minutes(next(later) / 100))
        assert item is not None
        desk.claims.release(item.number, "ana", NOON)

    def page(filters: Filters, cursor: str | None = None) -> None:
        assert desk.queue.page(filters, cursor, 30, NOON).items

    first = desk.queue.page(Filters(), None, 1, NOON).items[0].number
    rare, usual = Filters(market="PT", analyst="ana"), Filters(language="pt", reason="uncertain rating", analyst="ana")
    figures = {
        "page": seconds(lambda: page(Filters(analyst="ana"))),
        "page, deep": seconds(lambda: page(Filters(), deep)),
        "page, filtered": seconds(lambda: page(usual)),
        "page, rare filter": seconds(lambda: page(rare)),
        "case": seconds(lambda: desk.queue.case(first)),
        "claim and release": seconds(lambda: claim_and_release(Filters())),
        "claim and release, rare filter": seconds(lambda: claim_and_release(rare)),
        "decide and claim the next": seconds(claim_and_decide),
        "quality": seconds(lambda: desk.quality.summary(None, None)),
    }

    told = ", ".join(f"{name}: {median * 1000:.1f} ms" for name, (median, _) in figures.items())
    print(f"{casebook.database.engine.dialect.name}: {told}")  # noqa: T201  shown by -s
    assert {name: least for name, (_, least) in figures.items() if least > MOST_SECONDS} == {}
