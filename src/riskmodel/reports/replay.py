"""Recent cases and a challenger in, which ratings would move out: as a page that a lead can read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from riskmodel.model import RiskModel
from riskmodel.records import RATINGS, Rating, read_escalation
from riskmodel.redaction import redact as masked

BATCH = 64
LISTED = 200  # cases on the page, those that move furthest first
FIELDS = ("id", "text", "source", "market")


@dataclass(frozen=True)
class Move:
    """A case whose rating would be another."""

    id: str
    language: str
    text: str
    before: Rating
    after: Rating
    category: str
    confidence: float
    accepted: bool

    @property
    def steps(self) -> int:
        """Return by how many ratings it would rise, or fall if below 0."""
        return RATINGS.index(self.after) - RATINGS.index(self.before)


@dataclass(frozen=True)
class Replay:
    """What a challenger makes of n cases: the moves, the furthest first, and the shares sent to review."""

    champion: str
    challenger: str
    cases: int
    moved: list[Move]
    review_before: float
    review_after: float

    @property
    def share(self) -> float:
        """Return the share of cases whose rating would move."""
        return len(self.moved) / self.cases

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how many move from which rating to which."""
        return Counter((move.before, move.after) for move in self.moved)


def replay(
    challenger: RiskModel, cases: Sequence[Mapping[str, Any]], now: datetime, progress: Callable[[int, int], None]
) -> Replay:
    """Rate exported cases again; nothing is kept."""
    moved, reviewed = list[Move](), 0
    for start in range(0, len(cases), BATCH):
        part = cases[start : start + BATCH]
        rated = challenger.assess([read_escalation({name: case[name] for name in FIELDS}) for case in part], now)
        for case, found in zip(part, rated, strict=True):
            before = case["assessments"][0]["rating"]
            reviewed += found.decision.route == "review"
            if found.rating != before:
                moved.append(
                    Move(
                        case["id"],
                        found.language,
                        case["text"],
                        before,
                        found.rating,
                        found.categories[0].name,
                        found.confidence,
                        found.decision.route == "auto",
                    )
                )
        progress(min(start + BATCH, len(cases)), len(cases))
    newest = [case["assessments"][0] for case in cases]
    return Replay(
        champion=", ".join(sorted({found["model"]["version"] for found in newest})),
        challenger=challenger.version,
        cases=len(cases),
        moved=sorted(moved, key=lambda move: (-abs(move.steps), move.steps, move.id)),
        review_before=sum(found["decision"]["route"] == "review" for found in newest) / len(newest),
        review_after=reviewed / len(cases),
    )


def page(found: Replay, *, redact: bool = True) -> str:
    """Return a page of its own, without scripts; personal data in its texts masked unless told otherwise."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    return environment.get_template("replay.html").render(
        found=found,
        ratings=RATINGS,
        counts=found.counts(),
        listed=[(move, masked(move.text) if redact else move.text) for move in found.moved[:LISTED]],
    )
