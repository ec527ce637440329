"""The labelled reports and the champion in, reports with vectors and signals out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.texts import ROOT
from riskmodel import RiskModel
from riskmodel.casework.incidents.signals import Signal, reporter_signal, signals
from riskmodel.casework.incidents.spaces import Space

FILE = ROOT / "data" / "incidents" / "reports.jsonl"
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
LONE = "lone"  # the event of a text of the corpus, of which there is no other report

Part = Literal["choose", "measure"]


@dataclass(frozen=True, eq=False)
class Report:
    """A report with the event it is about; ``vector`` as the encoder gave it, ``placed`` in the version's space."""

    id: str
    event: str
    text: str
    language: str
    source: str | None
    market: str | None
    client: str
    reporter: str | None
    received_at: datetime
    signals: tuple[Signal, ...]
    vector: NDArray[np.float32]
    placed: NDArray[np.float32]


def space_of(model: RiskModel) -> Space:
    """Return the space of a version's labelled texts."""
    return Space.of(model.version, model.precedents.vectors)


def labelled(model: RiskModel, part: Part) -> list[Report]:
    """Return the labelled reports of a part, in the order of arrival."""
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return sorted(_reports(model, [row for row in rows if row["part"] == part]), key=lambda one: one.received_at)


def corpus(model: RiskModel, split: str, most: int | None = None) -> list[Report]:
    """Return texts of the corpus, one of each situation: reports that have nothing to do with one another."""
    lines = (ROOT / "data" / "escalations" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = {row["group"]: row for row in map(json.loads, reversed(lines))}
    chosen = sorted(rows.values(), key=lambda row: str(row["id"]))[:most]
    apart = 72 / max(1, len(chosen))
    more = [
        {"event": f"{LONE}-{row['id']}", "client": "corpus", "reporter": None, "hours": at * apart}
        for at, row in enumerate(chosen)
    ]
    return _reports(model, [row | extra for row, extra in zip(chosen, more, strict=True)])


def _reports(model: RiskModel, rows: Sequence[dict[str, Any]]) -> list[Report]:
    vectors = np.stack([encoding.vector for encoding in model.encoder.encode([row["text"] for row in rows])])
    placed = space_of(model).place(vectors)
    return [
        Report(
            id=row["id"],
            event=row["event"],
            text=row["text"],
            language=row["language"],
            source=row["source"],
            market=row["market"],
            client=row["client"],
            reporter=row["reporter"],
            received_at=BEGIN + timedelta(hours=row["hours"]),
            signals=tuple(_signals(row)),
            vector=vector,
            placed=place,
        )
        for row, vector, place in zip(rows, vectors, placed, strict=True)
    ]


def _signals(row: dict[str, Any]) -> list[Signal]:
    found = signals(row["text"], row["market"])
    return found if row["reporter"] is None else [*found, reporter_signal(row["client"], row["reporter"])]
