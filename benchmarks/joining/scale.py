"""A number of escalations in; how long it takes to join them all, and to go on from there, out."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import sqlalchemy as sa

from benchmarks.fill import fill, rated_templates, templates_of
from riskmodel import RiskModel
from riskmodel.casebook import open_casebook
from riskmodel.casebook.incident_tables import INCIDENTS
from riskmodel.casework.incidents import Joiner, KeptSpaces

STEPS = 10
AFTER = 500  # that arrive when all are joined


def measure_scale(folder: Path, model: RiskModel, size: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return seconds for each tenth, so that one sees how the cost grows, and milliseconds for one that comes then.

    The reports are copies of real ones whose vectors are moved a little, and whose names and times differ, so that few
    are joined: the usual case.
    """
    with tempfile.TemporaryDirectory(prefix="riskmodel-") as work:
        templates = templates_of(f"sqlite:///{work}/templates.db", rated_templates(folder))
        url = f"sqlite:///{work}/casebook.db"
        fill(url, size + AFTER, templates, lambda done, of, _: say(f"filled {done:,} of {of:,}"))
        casebook = open_casebook(url)
        database = casebook.database
        _scatter(database)
        spaces = KeptSpaces(database)
        spaces.keep(model.version, model.precedents.vectors)
        before = psutil.Process().memory_info().rss
        joiner = _Counting(database, spaces)
        steps = []
        for step in range(1, STEPS + 1):
            began = time.perf_counter()
            joiner.join_up_to(size * step // STEPS)
            steps.append(round(time.perf_counter() - began, 1))
            say(f"{size * step // STEPS:,} joined; the last tenth took {steps[-1]} s")
        began = time.perf_counter()
        joiner.join_up_to(size + AFTER)
        each = (time.perf_counter() - began) / AFTER
        grown = psutil.Process().memory_info().rss - before
        incidents = database.read(lambda c: c.execute(sa.select(sa.func.count()).select_from(INCIDENTS)).scalar_one())
        casebook.close()
    return {
        "escalations": size,
        "seconds": round(sum(steps), 1),
        "seconds of each tenth": steps,
        "milliseconds for one more": round(1_000 * each, 2),
        "memory, MB": round(grown / 2**20),
        "incidents": incidents,
    }


class _Counting:
    """A joiner that stops at a number."""

    def __init__(self, database: Any, spaces: KeptSpaces) -> None:
        self._joiner = Joiner(database, spaces)

    def join_up_to(self, number: int) -> None:
        while (self._joiner._position or 0) < number and self._joiner._some():
            pass


def _scatter(database: Any) -> None:
    """Turn copies into reports of their own: each vector anew, and a number and a name of its own in each text."""
    rng = np.random.default_rng(7)

    def work(connection: sa.Connection) -> None:
        last = 0
        while True:
            rows = connection.execute(
                sa.text(
                    "SELECT assessment, vector FROM vectors WHERE assessment > :last ORDER BY assessment LIMIT 5000"
                ),
                {"last": last},
            ).all()
            if not rows:
                break
            vectors = np.stack([np.frombuffer(row.vector, dtype="<f2") for row in rows]).astype(np.float32)
            vectors += rng.normal(size=vectors.shape).astype(np.float32) * 0.04
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            connection.execute(
                sa.text("UPDATE vectors SET vector = :vector WHERE assessment = :assessment"),
                [
                    {"assessment": row.assessment, "vector": vector.astype("<f2").tobytes()}
                    for row, vector in zip(rows, vectors, strict=True)
                ],
            )
            last = rows[-1].assessment
        connection.execute(
            sa.text("UPDATE escalations SET text = text || ' In Xa' || number || ' and Yb' || (number % 5000) || '.'")
        )

    database.write(work)
