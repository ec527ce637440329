"""``python -m benchmarks growth``: casebooks of several sizes in; what requests, pages and inserts cost on each out.

The services on all casebooks are up, all but the measured one paused; each round measures every size in turn. Ratios
are of figures of one round, to the smallest.
"""

import dataclasses
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.fill import Template, document_of, fill, rated_templates, templates_of
from benchmarks.load import run_load
from benchmarks.ours import service
from benchmarks.plan import Plan
from benchmarks.postgres import postgresql
from benchmarks.processes import Server, running
from benchmarks.texts import bodies_of, read_texts
from riskmodel.casebook import Filters, Rated, open_casebook
from riskmodel.casebook.paging import write_cursor
from training.progress import progress, say

INSERTS = 200
PAGE_SECONDS = 3.0


def measure_growth(
    folder: Path,
    sizes: Sequence[int],
    rounds: int,
    seconds: float,
    on_postgresql: bool,
    report: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Return p50 of each kind of work for each size, and its ratio to that of the smallest; in ms."""
    rated = rated_templates(folder)
    measured: dict[str, Any] = {"database": "PostgreSQL" if on_postgresql else "SQLite", "rounds": []}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        work = Path(name)
        urls = stack.enter_context(_databases(work, sizes, on_postgresql))
        templates = templates_of(f"sqlite:///{work / 'templates.db'}", rated)
        measured["bytes_an_escalation"] = round(statistics.mean(map(_bytes_of, templates)))
        for size, url in urls.items():
            with progress(f"casebook of {size:,}") as show:
                fill(url, size, templates, show)
        servers = {}
        for size, url in urls.items():
            servers[size] = stack.enter_context(running(service(folder, url), work / f"{size}.log"))
            measured.setdefault("start_seconds", {})[size] = round(servers[size].start_seconds, 2)
            servers[size].pause()
        cursors = {size: _middle(url, size) for size, url in urls.items()}
        for at in range(rounds):
            order = list(urls)[at % len(urls) :] + list(urls)[: at % len(urls)]
            found = {size: _measure(servers[size], urls[size], cursors[size], rated, seconds) for size in order}
            measured["rounds"].append({size: found[size] for size in urls})
            measured |= _figures(measured["rounds"], list(urls))
            say(f"round {at + 1} of {rounds}: {measured['rounds'][-1]}")
            report(measured)
    return measured


@contextmanager
def _databases(work: Path, sizes: Sequence[int], on_postgresql: bool) -> Iterator[dict[int, str]]:
    if not on_postgresql:
        yield {size: f"sqlite:///{work / f'{size}.db'}" for size in sizes}
        return
    with postgresql() as server:
        yield {size: server.database(f"casebook{size}") for size in sizes}


def _measure(server: Server, url: str, cursor: str, rated: Sequence[Rated], seconds: float) -> dict[str, float]:
    paths = {
        "first page": "/escalations",
        "page from the middle": f"/escalations?cursor={cursor}",
        "page of critical in one market": "/escalations?rating=critical&market=BR",
        "page of one source": "/escalations?source=government",
    }
    server.resume()
    try:
        plan = Plan(server.port, "/predict", bodies_of(read_texts()), ids=True, seconds=seconds, warm_up=1.0)
        found = {"predict": _p50(plan)}
        for name, path in paths.items():
            found[name] = _p50(Plan(server.port, paths=[path], seconds=PAGE_SECONDS, warm_up=0.5))
    finally:
        server.pause()
    return found | {"insert": _insert(url, rated)}


def _p50(plan: Plan) -> float:
    load = run_load(plan)
    if set(load.outcomes) != {"200"} or load.answered.p50 is None:
        raise RuntimeError(f"{plan.path} {plan.paths}: {load.outcomes}.")
    return load.answered.p50


def _insert(url: str, rated: Sequence[Rated]) -> float:
    """Return the median of keeping one escalation, without a service in between."""
    casebook = open_casebook(url)
    took = []
    for at in range(INSERTS):
        fresh = _renamed(rated[at % len(rated)])
        before = time.perf_counter()
        casebook.keep([fresh])
        took.append(time.perf_counter() - before)
    casebook.close()
    return round(statistics.median(took) * 1e3, 3)


def _renamed(rated: Rated) -> Rated:
    id_ = uuid.uuid4().hex
    assessment = rated.assessment.model_copy(update={"id": id_})
    sent = dataclasses.replace(rated.sent, escalation=rated.sent.escalation.model_copy(update={"id": id_}))
    return dataclasses.replace(rated, sent=sent, assessment=assessment, document=document_of(assessment))


def _middle(url: str, size: int) -> str:
    """Return the cursor of the page that begins in the middle."""
    casebook = open_casebook(url)
    (newest,) = casebook.page(Filters(), limit=1).cases
    casebook.close()
    return write_cursor(size // 2, newest.kept_at)


def _bytes_of(template: Template) -> int:
    values = [*template.escalation.values(), *template.assessment.values()]
    return sum(len(str(value).encode()) for value in values)


def _figures(rounds: list[dict[int, dict[str, float]]], sizes: list[int]) -> dict[str, Any]:
    works = list(rounds[0][sizes[0]])
    return {
        "p50_ms": {
            work: {size: round(statistics.median(found[size][work] for found in rounds), 3) for size in sizes}
            for work in works
        },
        "ratio_to_smallest": {
            work: {
                size: round(statistics.median(found[size][work] / found[sizes[0]][work] for found in rounds), 3)
                for size in sizes
            }
            for work in works
        },
    }
