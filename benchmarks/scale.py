"""``python -m benchmarks scale``: a small and a large casebook in; what work costs on each.

Both are measured in turn, one call on each, so that what else the machine does meets both alike; a ratio is of the
medians of one round. The casebooks stay in a folder, so that a run that was ended goes on where it was.
"""

import dataclasses
import itertools
import os
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.fill import document_of, fill, rated_templates, shortened, templates_of
from benchmarks.postgres import PostgreSQL
from riskmodel.casebook import Casebook, Filters, Rated, open_casebook
from riskmodel.casebook.paging import write_cursor
from riskmodel.policy import load_policy
from riskmodel.review import Desk, Entering, ReviewSettings
from riskmodel.review import Filters as ReviewFilters
from training.progress import progress, say

TEXT_CHARACTERS = 120  # of a short text, so that millions fit on a disk
CALLS = 60  # of each work on each casebook in one round
WARM_UP_CALLS = 5
ANALYST = "benchmark"

Work = Callable[[], object]


@dataclasses.dataclass(frozen=True)
class Opened:
    """One casebook that is measured."""

    size: int
    casebook: Casebook
    desk: Desk

    def works(self, rated: Sequence[Rated]) -> dict[str, Work]:
        """Return what is measured, each as a call; inserts go on with what was rated."""
        casebook, desk = self.casebook, self.desk
        fresh = (renamed(rated[at % len(rated)]) for at in itertools.count())
        (newest,) = casebook.page(Filters(), limit=1).cases
        middle = write_cursor(self.size // 2, newest.kept_at)
        ids = [case.id for case in casebook.page(Filters(), middle, 200).cases]
        dice = random.Random(3)
        deep = self._deep()
        month = datetime.now(UTC) - timedelta(days=5)
        now = datetime.now(UTC)

        def claim_and_release() -> None:
            item = desk.claims.next(ANALYST, ReviewFilters(), now)
            assert item is not None
            desk.claims.release(item.number, ANALYST, now)

        return {
            "insert": lambda: casebook.keep([next(fresh)]),
            "insert of 16": lambda: casebook.keep(list(itertools.islice(fresh, 16))),
            "a retry is found": lambda: casebook.find([sent_again(rated[0], dice.choice(ids))]),
            "queue, first page": lambda: desk.queue.page(ReviewFilters(analyst=ANALYST), None, 30, now),
            "queue, page 20": lambda: desk.queue.page(ReviewFilters(analyst=ANALYST), deep, 30, now),
            "queue, by language and reason": lambda: desk.queue.page(
                ReviewFilters(language="pt", reason="uncertain rating", analyst=ANALYST), None, 30, now
            ),
            "queue, claim and release": claim_and_release,
            "search, newest": lambda: casebook.page(Filters()),
            "search, from the middle": lambda: casebook.page(Filters(), middle),
            "search, critical in one market": lambda: casebook.page(Filters(rating="critical", market="BR")),
            "search, one source": lambda: casebook.page(Filters(source="government")),
            "search, one client's": lambda: casebook.page(Filters(client="hotline")),
            "search, by day": lambda: casebook.page(Filters(kept_before=month)),
            "one case": lambda: casebook.get(dice.choice(ids)),
        }

    def _deep(self) -> str | None:
        cursor = None
        for _ in range(20):
            cursor = self.desk.queue.page(ReviewFilters(), cursor, 30, datetime.now(UTC)).next_cursor or cursor
        return cursor


def measure_scale(
    folder: Path,
    sizes: Sequence[int],
    rounds: int,
    work: Path,
    on_postgresql: bool,
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Report p50 of each kind of work on each casebook, and its ratio to that of the smallest; in ms."""
    rated = [shortened(one, TEXT_CHARACTERS) for one in rated_templates(folder)]
    review = ReviewSettings()
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        urls = stack.enter_context(databases(work, sizes, on_postgresql))
        scratch = work / "templates.db"
        scratch.unlink(missing_ok=True)
        templates = templates_of(f"sqlite:///{scratch}", rated, Entering(review, random.Random(5)))
        for size, url in urls.items():
            with progress(f"casebook of {size:,}") as show:
                fill(url, size, templates, show)
        measured: dict[str, Any] = {
            "database": "PostgreSQL" if on_postgresql else "SQLite",
            "megabytes": {size: round(megabytes(url, size, work), 1) for size, url in urls.items()},
            "rounds": [],
            "load_average": [],
        }
        opened = {}
        for size, url in urls.items():
            casebook = open_casebook(url, enter=Entering(review, random.Random(1)))
            stack.callback(casebook.close)
            opened[size] = Opened(size, casebook, Desk(casebook.database, load_policy(), review, random.Random(2)))
        works = {size: one.works(rated) for size, one in opened.items()}
        for at in range(rounds):
            measured["rounds"].append(alternate(works, CALLS))
            measured["load_average"].append(round(os.getloadavg()[0], 2))
            measured |= figures(measured["rounds"], list(urls))
            say(f"round {at + 1} of {rounds}: {measured['ratio_to_smallest']}")
            report(measured)


def alternate(works: Mapping[int, Mapping[str, Work]], calls: int) -> dict[str, dict[int, float]]:
    """Return the median seconds, in ms, of each work on each casebook, called in turn."""
    sizes = list(works)
    found: dict[str, dict[int, float]] = {}
    for name in works[sizes[0]]:
        took: dict[int, list[float]] = {size: [] for size in sizes}
        for at in range(calls + WARM_UP_CALLS):
            for size in sizes if at % 2 else reversed(sizes):
                begun = time.perf_counter()
                works[size][name]()
                took[size].append(time.perf_counter() - begun)
        found[name] = {size: round(statistics.median(took[size][WARM_UP_CALLS:]) * 1e3, 3) for size in sizes}
    return found


def figures(rounds: Sequence[Mapping[str, Mapping[int, float]]], sizes: Sequence[int]) -> dict[str, Any]:
    """Return the medians over rounds, and of the ratios within each."""
    smallest = sizes[0]
    return {
        "p50_ms": {
            name: {size: round(statistics.median(one[name][size] for one in rounds), 3) for size in sizes}
            for name in rounds[0]
        },
        "ratio_to_smallest": {
            name: {
                size: round(statistics.median(one[name][size] / one[name][smallest] for one in rounds), 3)
                for size in sizes[1:]
            }
            for name in rounds[0]
        },
    }


@contextmanager
def databases(work: Path, sizes: Sequence[int], on_postgresql: bool) -> Iterator[dict[int, str]]:
    """Yield the URL of a casebook for each size, made where it is not there yet."""
    if not on_postgresql:
        yield {size: f"sqlite:///{work / f'{size}.db'}" for size in sizes}
        return
    server = PostgreSQL(work / "postgresql")  # stops when this program ends
    yield {size: server.database(f"casebook{size}", exist_ok=True) for size in sizes}


def megabytes(url: str, size: int, work: Path) -> float:
    """Return what a casebook takes on the disk."""
    if url.startswith("sqlite"):
        return (work / f"{size}.db").stat().st_size / 2**20
    casebook = open_casebook(url)
    with casebook.database.engine.connect() as connection:
        taken = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    casebook.close()
    return float(taken) / 2**20


def renamed(rated: Rated) -> Rated:
    """Return the same under a fresh id."""
    id_ = uuid.uuid4().hex
    return dataclasses.replace(
        rated,
        sent=dataclasses.replace(rated.sent, escalation=rated.sent.escalation.model_copy(update={"id": id_})),
        assessment=(assessment := rated.assessment.model_copy(update={"id": id_})),
        document=document_of(assessment),
    )


def sent_again(rated: Rated, id_: str) -> Any:
    """Return an escalation as it would be sent a second time."""
    return dataclasses.replace(rated.sent, escalation=rated.sent.escalation.model_copy(update={"id": id_}))
