"""A review desk for tests: a running service with keys on, people with keys, and cases that wait."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from riskmodel.casebook import Role
from riskmodel.casebook.tables import MESSAGES
from riskmodel.casework import Actor, Handoff
from riskmodel.casework.delivery import Ended, Outcome
from riskmodel.reports.insight import making, storing
from riskmodel.reports.insight.periods import asked_for
from riskmodel.review import Desk, Filters, QueueItem
from riskmodel.service.page.session import CSRF_FIELD
from riskmodel.service.running import Parts
from tests.riskmodel.casebook.made import TEXT
from tests.riskmodel.review.made import answer, waiting

PEOPLE: Mapping[str, Role] = {"ana": "analyst", "bruno": "analyst", "carla": "lead", "tool": "client"}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)></div></main> \"a\" & 'b' {{ 7*7 }} &lt;b&gt;\r\n"
    "\u202egnp.exe\u202c zero\u200bwidth \x1b[31m\x07\x07\x07 tag \U000e0041 👩\u200d👩\u200d👧 he will hurt someone"
)
_TOKEN = re.compile(r'<meta name="csrf" content="([^"]+)"')


@dataclass
class Browser:
    """One person's browser: cookies, and the token of the page it shows."""

    http: TestClient
    shown: str = field(default="", repr=False)

    def get(self, address: str, **headers: str) -> httpx2.Response:
        """Open a page, and follow where it leads."""
        return self._see(self.http.get(address, headers=headers, follow_redirects=True))

    def post(self, address: str, *, csrf: str | None = None, script: bool = False, **fields: Any) -> httpx2.Response:
        """Send a form of the page that is shown; do not follow."""
        found = _TOKEN.search(self.shown)
        token = (found[1] if found else "") if csrf is None else csrf
        headers = {"Accept": "application/json"} if script else {}
        return self.http.post(address, data={CSRF_FIELD: token, **fields}, headers=headers, follow_redirects=False)

    def log_in(self, secret: str) -> httpx2.Response:
        self.get("/review/login")
        entered = self.post("/review/login", key=secret, next="/review")
        self.get("/review")
        return entered

    def _see(self, response: httpx2.Response) -> httpx2.Response:
        if response.headers.get("content-type", "").startswith("text/html"):
            self.shown = response.text
        return response


@dataclass
class Office:
    """A service, and everyone's key."""

    app: FastAPI
    secrets: Mapping[str, str]

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.running.parts
        return parts

    @property
    def desk(self) -> Desk:
        return self.parts.desk

    def stranger(self) -> Browser:
        """Return the browser of somebody who has not logged in."""
        return Browser(TestClient(self.app, base_url="http://desk"))

    def browser(self, name: str) -> Browser:
        """Return the browser of somebody who has."""
        browser = self.stranger()
        browser.log_in(self.secrets[name])
        return browser

    def tool(self, name: str) -> Callable[[str], httpx2.Response]:
        """Return what asks the interface for tools with somebody's key."""
        http = TestClient(self.app, headers={"Authorization": f"Bearer {self.secrets[name]}"})
        return http.get

    def add(self, id_: str, text: str = TEXT, *, hours: float = 4, **changes: Any) -> QueueItem:
        """Have a case wait."""
        act_by = datetime.now(UTC) + timedelta(hours=hours)
        self.parts.casebook.keep([waiting(id_, text=text, act_by=act_by, **changes)])
        return next(item for item in self.items() if item.id == id_)

    def report(self) -> str:
        """Have a report of today made, and return its id."""
        now = datetime.now(UTC)
        asked, database = asked_for(now.date(), now.date(), now=now), self.parts.casebook.database
        made = making.make(database, asked, "carla", self.desk.policy, now)
        database.write(lambda connection: storing.insert(connection, made))
        return made.id

    def decided(self, id_: str, text: str = TEXT, analyst: str = "ana", **changes: Any) -> QueueItem:
        """Have a case decided as the model said."""
        item = self.desk.claims.take(self.add(id_, text, **changes).number, analyst, datetime.now(UTC))
        self.desk.verdicts.decide(answer(item, analyst), datetime.now(UTC))
        return item

    def handed_off(self, id_: str, team: str = "crisis_response", text: str = TEXT, **changes: Any) -> Handoff:
        """Have a case decided and handed off by ana."""
        escalation = self.decided(id_, text, **changes).escalation
        return self.parts.handoffs.open(escalation, team, Actor("ana", "desk"), datetime.now(UTC))

    def token(self, handoff: Handoff) -> str:
        """Return the token of the link that a message carries."""
        statement = sa.select(MESSAGES.c.payload).where(MESSAGES.c.subject == handoff.number)
        database = self.parts.casebook.database
        payload = database.read(lambda connection: connection.execute(statement).scalars().first())
        found = re.search(r"/handoffs/t/([a-z2-7]{32})", str(payload))
        assert found is not None
        return found[1]

    def fail(self, outcome: Outcome, status: int | None = None) -> None:
        """Have an attempt at the first message that is due fail."""
        message = self.parts.outbox.take(datetime.now(UTC))
        assert message is not None
        self.parts.outbox.end(message, Ended(outcome, status), datetime.now(UTC))

    def items(self) -> list[QueueItem]:
        """Return what is open."""
        return list(self.desk.queue.page(Filters(), None, 1_000, datetime.now(UTC)).items)

    def clear(self) -> None:
        """Forget every case."""
        self.parts.casebook.forget(before=datetime.now(UTC) + timedelta(days=1))


def verdict_of(item: QueueItem, **changes: Any) -> dict[str, Any]:
    """Return the fields of a form that gives the model's own answer."""
    fields = {
        "version": item.version,
        "client_token": f"token-{item.number}-{item.version}",
        "cell": "severe/plausible",
        "category": ["violence"],
        "seconds": "7",
        "evidence": "[]",
        "note": "",
    }
    return fields | changes
