"""``python -m tests.riskmodel.service.page.pictures``: every page, photographed into docs/pictures."""

import io
import json
import random
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image

from riskmodel.casebook import Casebook, Rated, Sent, digest_of, open_casebook
from riskmodel.casebook.keeping import keep
from riskmodel.model import RiskModel
from riskmodel.policy import load_policy
from riskmodel.records import read_escalation
from riskmodel.review import Desk, Entering, Filters, Golden, Known, NewVerdict, ReviewSettings
from riskmodel.service.app import create_app
from tests.riskmodel.service.page.live import NARROW, WIDE, Live, Seat, chromium, listening
from tests.riskmodel.service.page.office import PEOPLE, Office
from tests.service import settings_for, wait_until_ready

ROOT = Path(__file__).parents[4]
PICTURES = ROOT / "docs" / "pictures"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "390": {"viewport": NARROW},
    "es": {"viewport": WIDE, "locale": "es-MX"},
}
WAITING, AUDITED, GOLDEN, COLOURS = 30, 80, 12, 128
OFTEN_RIGHT = 0.8


def main() -> None:
    """Fill a desk with the corpus's test split, and photograph it in every look."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(ROOT / "models", Path(folder), auth="on")
        app = create_app(settings)
        with listening(app) as address, chromium() as browser:
            wait_until_ready(TestClient(app), 60)
            running = app.state.running
            fill(running.parts.casebook, running.models.current().model)
            with closing(open_casebook(settings.database_url)) as casebook:
                ring = casebook.keys
                secrets = {name: ring.create(name, role, datetime.now(UTC)).secret for name, role in PEOPLE.items()}
            live = Live(Office(app, secrets), address, browser)
            for look, options in LOOKS.items():
                photograph(live, look, options)


def photograph(live: Live, look: str, options: dict[str, Any]) -> None:
    """Walk through the pages."""
    stranger = live.open(None, "/review/login", **options)
    shoot(stranger, "login", look)
    seat = live.open("carla", **options)
    shoot(seat, "queue", look)
    seat.press("?")
    shoot(seat, "keys", look)
    seat.press("Escape", "n")
    seat.case()
    if seat.page.locator("#reveal").count():
        shoot(seat, "veiled", look)
        seat.press("v")
    seat.press("m", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "Enter", "Escape")
    seat.page.evaluate("document.activeElement.blur()")
    shoot(seat, "case", look)
    if look == "390":
        seat.page.locator("#verdict").scroll_into_view_if_needed()
        shoot(seat, "verdict", look)
    seat.press("x")
    seat.page.wait_for_selector("#filters")
    seat.go("/review/quality")
    shoot(seat, "quality", look)
    seat.go("/review/cases/999999")
    shoot(seat, "problem", look)


def shoot(seat: Seat, page: str, look: str) -> None:
    """Keep a picture, in few enough colours to be small."""
    picture = Image.open(io.BytesIO(seat.page.screenshot(animations="disabled")))
    picture.convert("RGB").quantize(COLOURS).save(PICTURES / f"review-{page}-{look}.png", optimize=True)


def fill(casebook: Casebook, model: RiskModel) -> None:
    """Have cases wait, and others be audited, judged twice and known, as in a week of work."""
    rows = [json.loads(line) for line in (ROOT / "data/escalations/test.jsonl").read_text("utf-8").splitlines()]
    chance, now = random.Random(4), datetime.now(UTC)
    rated = [rate(model, row, now - timedelta(minutes=chance.randint(0, 300))) for row in rows]
    review = [(one, row) for one, row in zip(rated, rows, strict=True) if one.assessment.decision.route == "review"]
    auto = [(one, row) for one, row in zip(rated, rows, strict=True) if one.assessment.decision.route == "auto"]
    desk = Desk(casebook.database, load_policy(), ReviewSettings(second_opinion_share=0.6), chance)
    labels: dict[str, dict[str, Any]] = {one.assessment.id: row for one, row in review + auto}
    audits = Entering(ReviewSettings(audit_share=1.0))
    for one, _ in auto[:AUDITED]:
        casebook.database.write(lambda connection, one=one: keep(connection, [one], now, audits))
    known = [
        Golden(one, Known(row["severity"], row["proximity"], row["rating"])) for one, row in auto[AUDITED:][:GOLDEN]
    ]
    desk.add_golden(known, 2, now)
    for name in ("ana", "bruno", "ana"):
        while (item := desk.claims.next(name, Filters(), now)) is not None:
            row = labels[item.id]
            right = chance.random() < OFTEN_RIGHT
            severity = row["severity"] if right else chance.choice(("minor", "moderate", "serious"))
            desk.verdicts.decide(
                NewVerdict(
                    review=item.number,
                    version=item.version,
                    analyst=name,
                    severity=severity,
                    proximity=row["proximity"],
                    lifted=False,
                    categories=tuple(row["categories"]),
                    evidence=(),
                    note="",
                    seconds=chance.uniform(20, 120),
                    client_token=f"{item.number}-{name}",
                ),
                now,
            )
    for one, _ in review[:WAITING]:
        casebook.keep([one])


def rate(model: RiskModel, row: dict[str, Any], at: datetime) -> Rated:
    """Return a row of the corpus as the service would keep it."""
    escalation = read_escalation({name: row[name] for name in ("text", "source", "market")})
    (assessment,) = model.assess([escalation], at)
    sent = Sent("triage", escalation, None, digest_of(escalation), None, None)
    return Rated(sent, assessment, assessment.model_dump_json(by_alias=True), at, at)


if __name__ == "__main__":
    main()
