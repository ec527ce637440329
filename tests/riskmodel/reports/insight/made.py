"""Weeks of work for tests: escalations kept at moments of ours, some decided, some taken back, some late."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.policy import load_policy
from riskmodel.reports.insight.making import make
from riskmodel.reports.insight.records import Asked, Report
from riskmodel.review import Desk, Entering, Filters, NewVerdict, ReviewSettings
from tests.riskmodel.casebook.made import make_rated

MONDAY = date(2026, 3, 2)
MADE_AT = datetime(2026, 3, 16, 12, tzinfo=UTC)  # a week after the second week
SECOND = Asked(date(2026, 3, 9), date(2026, 3, 15))
REVIEW = {"route": "review", "reasons": ["uncertain rating"]}
CELLS = {
    "low": ("minor", "contained"),
    "medium": ("moderate", "plausible"),
    "high": ("severe", "plausible"),
    "critical": ("severe", "active"),
}


class Weeks:
    """A casebook, and a way to have things happen in it at any moment."""

    def __init__(self, url: str) -> None:
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.settings = ReviewSettings(audit_share=1.0, second_opinion_share=0.0)
        self.casebook: Casebook = open_casebook(url, lambda: self.now, Entering(self.settings, random.Random(1)))
        self.desk = Desk(self.casebook.database, load_policy(), self.settings, random.Random(2))

    def at(self, day: date, hour: float) -> datetime:
        """Move to an hour of a day."""
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
        return self.now

    def keep(self, id_: str, *, hours: float = 8, people: bool = True, **changes: Any) -> None:
        """Keep an escalation now, due in so many hours."""
        said = {"act_by": self.now + timedelta(hours=hours), **changes}
        if people:
            said["decision"] = REVIEW
        category = said.pop("category", None)
        if category is not None:
            said["categories"] = [{"name": category, "probability": 0.9, "dsa": None}]
        rated = make_rated(id_, **said)
        self.casebook.keep([type(rated)(rated.sent, rated.assessment, rated.document, self.now, self.now)])

    def decide(self, id_: str, rating: str, analyst: str = "ana", categories: tuple[str, ...] = ("violence",)) -> int:
        """Decide a case now; return the number of the verdict."""
        page = self.desk.queue.page(Filters(), None, 1_000, self.now)
        item = next(item for item in page.items if item.id == id_)
        severity, proximity = CELLS[rating]
        verdict = self.desk.verdicts.decide(
            NewVerdict(
                review=item.number,
                version=item.version,
                analyst=analyst,
                severity=severity,  # type: ignore[arg-type]
                proximity=proximity,  # type: ignore[arg-type]
                lifted=False,
                categories=categories,
                evidence=(),
                note="",
                seconds=1,
                client_token=f"{id_}-{self.now}",
            ),
            self.now,
        )
        assert verdict.rating == rating
        return verdict.number

    def number_of(self, id_: str) -> int:
        """Return the number of a case."""
        return self.casebook.get(id_).number

    def report(self, asked: Asked = SECOND, now: datetime = MADE_AT) -> Report:
        return make(self.casebook.database, asked, "carla", load_policy(), now)


def some_work(weeks: Weeks) -> None:
    """Have two weeks of work, of which every number is known."""
    weeks.at(MONDAY, 9)
    for at in range(3):
        weeks.keep(f"first-{at}", rating="high")
    weeks.at(MONDAY, 12)
    weeks.decide("first-0", "high")
    second = SECOND.first
    weeks.at(second, 9)
    weeks.keep("in-time", rating="high", category="hate", market="MX", source="press", language="es")
    weeks.keep("late", rating="high", hours=4)
    weeks.keep("open", rating="critical", hours=1)
    weeks.keep("not-due", rating="low", hours=24 * 30)
    weeks.keep("taken-back", rating="medium")
    weeks.keep("accepted", rating="medium", people=False)
    weeks.keep("accepted-wrongly", rating="low", people=False)
    weeks.at(second, 10)
    weeks.decide("in-time", "critical")
    back = weeks.decide("taken-back", "high")
    weeks.decide("accepted", "medium")
    weeks.decide("accepted-wrongly", "high")
    weeks.at(second, 11)
    weeks.desk.verdicts.undo(back, "ana", weeks.now)
    weeks.at(second, 14.5)
    weeks.decide("late", "medium")
