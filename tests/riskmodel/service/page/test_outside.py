"""The page that a link opens: a team acts without an account, looking changes nothing, nothing else is seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from riskmodel.casework import Handoff, WholeHandoff
from tests.riskmodel.service.page.office import HOSTILE, Office
from tests.riskmodel.service.page.test_pages import Tags

NAMED = {"name": "Rosa", "version": "1"}


class Mailbox:
    """A person of a team, who has a link and nothing else."""

    def __init__(self, office: Office, handoff: Handoff) -> None:
        self.address = f"/handoffs/t/{office.token(handoff)}"
        self.http = TestClient(office.app, base_url="http://desk")

    def get(self, address: str | None = None, **headers: str) -> httpx2.Response:
        return self.http.get(address or self.address, headers=headers, follow_redirects=True)

    def post(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx2.Response:
        return self.http.post(self.address, data=fields, headers=headers or {}, follow_redirects=False)


def now_of(office: Office, handoff: Handoff) -> WholeHandoff:
    return office.parts.handoffs.whole(handoff.number)


def test_a_team_acknowledges_and_records_what_it_did_by_its_link(office: Office) -> None:
    handoff = office.handed_off("one")
    rosa = Mailbox(office, handoff)
    page = rosa.get().text
    assert f"Hand-off {handoff.number}" in page and "crisis response" in page
    assert "Vai na escola amanhã às 18:00, ligue [phone]." in page and "98765" not in page

    acknowledged = rosa.post(step="acknowledge", **NAMED)
    mitigated = rosa.post(step="mitigate", name="Rosa", version="2", action=["removed"], note="gone")

    assert (acknowledged.status_code, mitigated.status_code) == (303, 303)
    assert "Thank you. It was recorded." in rosa.get(acknowledged.headers["location"]).text
    found = now_of(office, handoff)
    assert found.handoff.state == "mitigated"
    assert [(event.kind, event.actor, event.way) for event in found.events][1:] == [
        ("acknowledged", "Rosa", "link"),
        ("mitigated", "Rosa", "link"),
    ]
    assert "This hand-off has ended: mitigated." in rosa.get().text


def test_a_team_refuses_by_its_link(office: Office) -> None:
    handoff = office.handed_off("one")
    assert Mailbox(office, handoff).post(step="refuse", reason="no threat here", **NAMED).status_code == 303
    assert (now_of(office, handoff).handoff.state, now_of(office, handoff).events[-1].note) == (
        "refused",
        "no threat here",
    )


def test_looking_changes_nothing_sets_no_cookie_and_is_recorded(office: Office) -> None:
    handoff = office.handed_off("one")
    before = now_of(office, handoff)
    rosa = Mailbox(office, handoff)
    for method in ("get", "head", "get"):
        answer = getattr(rosa.http, method)(rosa.address)
        assert "set-cookie" not in answer.headers
    assert now_of(office, handoff) == before
    event = office.parts.casebook.trail.page(limit=1)[0].event
    assert (event.actor, event.action) == ("crisis_response", "read hand-off by link")


def test_the_page_is_safe_and_shows_nobodys_name_of_the_desk(office: Office) -> None:
    handoff = office.handed_off("one", text=HOSTILE)
    answer = Mailbox(office, handoff).get()
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    read = Tags(answer.text)
    assert "<script>alert(1)</script>" in read.text and "ana" not in read.text.split()
    assert not [tag for tag, _ in read.tags if tag in ("img", "script", "style")]
    assert not [key for _, attributes in read.tags for key in attributes if key.startswith("on") or key == "style"]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"step": "acknowledge", "version": "1", "name": "  "}, 422, "Please give your name"),
        ({"step": "acknowledge", "version": "1", "name": "x" * 65}, 422, "Please give your name"),
        ({"step": "refuse", **NAMED}, 422, "Please give a reason"),
        ({"step": "mitigate", **NAMED}, 422, "Choose at least one"),
        ({"step": "mitigate", "action": ["no action"], **NAMED}, 422, "Please give a reason"),
        ({"step": "mitigate", "action": ["removed"], "note": "x" * 2_001, **NAMED}, 422, "At most 2,000"),
        ({"step": "acknowledge", "name": "Rosa", "version": "7"}, 409, "Meanwhile this changed"),
        ({"step": "explode", **NAMED}, 422, "That cannot be used"),
        ({"step": "acknowledge", "name": "Rosa"}, 422, "That cannot be used"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_done(
    office: Office, fields: dict[str, Any], status: int, said: str
) -> None:
    handoff = office.handed_off("one")
    answer = Mailbox(office, handoff).post(**fields)
    assert answer.status_code == status and said in answer.text
    assert now_of(office, handoff).handoff.state == "open"


def test_a_form_of_another_site_is_refused(office: Office) -> None:
    handoff = office.handed_off("one")
    answer = Mailbox(office, handoff).post({"Sec-Fetch-Site": "cross-site"}, step="acknowledge", **NAMED)
    assert answer.status_code == 403 and now_of(office, handoff).handoff.state == "open"


def test_a_link_that_opens_nothing_is_said_to_be_so(office: Office) -> None:
    handoff = office.handed_off("one")
    rosa = Mailbox(office, handoff)
    for address in ("/handoffs/t/" + "a" * 32, "/handoffs/t/x", rosa.address[:-1]):
        answer = rosa.get(address)
        assert answer.status_code == 404 and "This link opens nothing" in answer.text
    office.parts.casebook.forget(before=datetime.now(UTC) + timedelta(days=1))
    assert rosa.get().status_code == 404


def test_a_withdrawn_one_says_so(office: Office) -> None:
    handoff = office.handed_off("one")
    rosa, verdict = Mailbox(office, handoff), office.desk.verdicts.of(handoff.escalation)[0]
    office.desk.verdicts.undo(verdict.number, "ana", datetime.now(UTC))
    assert "This hand-off has ended: withdrawn." in rosa.get().text
    assert rosa.post(step="acknowledge", **NAMED).status_code == 409


def test_it_speaks_the_language_that_is_asked_for(office: Office) -> None:
    handoff = office.handed_off("one")
    rosa = Mailbox(office, handoff)
    assert "Se traspasó un riesgo a tu equipo" in rosa.get(**{"Accept-Language": "es-MX"}).text
    assert "Um risco foi repassado" in rosa.get(f"{rosa.address}?language=pt").text


def test_a_link_of_one_hand_off_leads_to_no_other_page(office: Office) -> None:
    rosa = Mailbox(office, office.handed_off("one"))
    assert rosa.get("/review/handoffs").url.path == "/review/login"
    assert rosa.http.get("/handoffs").status_code == 401
