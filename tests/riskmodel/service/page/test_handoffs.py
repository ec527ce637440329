"""Hand-offs at the desk: from a decided case to its team and back, and what was never delivered sent again."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from riskmodel.casework import Actor, WholeHandoff
from riskmodel.casework.handoff_records import HandoffFilters
from riskmodel.review import Filters, Golden
from riskmodel.review.labels import Known
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.review.made import answer
from tests.riskmodel.service.page.office import HOSTILE, Browser, Office
from tests.riskmodel.service.page.test_pages import Tags


def whole(office: Office, number: int) -> WholeHandoff:
    return office.parts.handoffs.whole(number)


def send(browser: Browser, address: str, page: str, **fields: Any) -> int:
    """Send a form of a page, and return the status of the answer."""
    browser.get(page)
    return browser.post(address, **fields).status_code


def test_a_decided_case_is_handed_off_to_the_team_that_the_policy_names(office: Office) -> None:
    item = office.decided("one")
    ana = office.browser("ana")
    page = ana.get(f"/review/cases/{item.number}")
    assert '<option value="crisis_response" selected>crisis response (by the policy)</option>' in page.text

    sent = ana.post(f"/review/cases/{item.number}/hand-off", team="crisis_response", note="at once, please")

    shown = ana.get(sent.headers["location"]).text
    assert sent.status_code == 303 and "Handed off to crisis response." in shown
    assert "at once, please" in shown and "on its way" in shown
    assert "Hand-off" in ana.get(f"/review/cases/{item.number}").text


def test_a_case_that_waits_offers_no_hand_off(office: Office) -> None:
    item = office.add("one")
    page = office.browser("ana").get(f"/review/cases/{item.number}").text
    assert 'id="handoffs"' not in page and "hand-off" not in page


def test_a_failing_delivery_is_never_shown_as_delivered_and_a_dead_letter_is_sent_again(office: Office) -> None:
    handoff = office.handed_off("one")
    carla, address = office.browser("carla"), f"/review/handoffs/{handoff.number}"
    office.fail("refused", 500)
    failing = carla.get(address).text
    assert "not delivered yet, being tried again" in failing and "refused, status 500" in failing
    assert ">delivered<" not in failing

    message = whole(office, handoff.number).messages[0]
    database, event = office.parts.casebook.database, office.parts.casebook.trail.page(limit=1)[0]
    database.write(lambda connection: connection.exec_driver_sql("UPDATE messages SET due_at = 0"))
    office.fail("refused for good", 410)
    dead = carla.get(address).text
    assert "not delivered, given up" in dead and "dead letter" in dead
    assert f"Hand-off {handoff.number}" in carla.get("/review/handoffs?needs_desk=1").text

    assert send(carla, f"/review/messages/{message.number}/again", address) == 303

    assert "It will be sent again." in carla.get(f"{address}?done=again").text
    assert whole(office, handoff.number).delivery == "failing"
    newest = office.parts.casebook.trail.page(limit=5)
    assert ("carla", "send again", f"message {message.number}") in [
        (entry.event.actor, entry.event.action, entry.event.subject) for entry in newest
    ]
    assert event.number < newest[0].number


def test_the_desk_acts_for_a_team_that_has_no_other_way(office: Office) -> None:
    handoff = office.handed_off("one", "user_support")
    ana, address = office.browser("ana"), f"/review/handoffs/{handoff.number}"
    assert "on this page only" in ana.get(address).text

    assert send(ana, f"{address}/acknowledge", address, version="1") == 303
    assert send(ana, f"{address}/mitigate", address, version="2", action=["removed", "limited"]) == 303

    found = whole(office, handoff.number)
    assert (found.handoff.state, found.handoff.actions) == ("mitigated", ("removed", "limited"))
    assert [(event.kind, event.actor, event.way) for event in found.events][1:] == [
        ("acknowledged", "ana", "desk"),
        ("mitigated", "ana", "desk"),
    ]
    assert "Recorded: removed, limited." in ana.get(f"{address}?done=mitigated").text


def test_what_a_team_refused_is_handed_on(office: Office) -> None:
    handoff = office.handed_off("one")
    ana, address = office.browser("ana"), f"/review/handoffs/{handoff.number}"
    assert send(ana, f"{address}/refuse", address, version="1", reason="not ours") == 303
    assert "not ours" in ana.get(address).text

    sent = ana.post(f"{address}/hand-on", team="abuse_response", note="")

    followed = int(re.findall(r"/handoffs/(\d+)", sent.headers["location"])[0])
    assert whole(office, followed).handoff.follows == handoff.number
    assert f"/review/handoffs/{followed}" in ana.get(address).text


def test_a_mistake_is_withdrawn(office: Office) -> None:
    handoff = office.handed_off("one")
    ana, address = office.browser("ana"), f"/review/handoffs/{handoff.number}"
    assert send(ana, f"{address}/withdraw", address, version="1", reason="the wrong case") == 303
    assert whole(office, handoff.number).handoff.state == "withdrawn"


@pytest.mark.parametrize(
    ("step", "fields", "status", "said"),
    [
        ("mitigate", {"version": "1"}, 422, "Choose at least one action"),
        ("mitigate", {"version": "1", "action": ["no action"]}, 422, "Give a reason"),
        ("refuse", {"version": "1", "reason": " "}, 422, "Give a reason"),
        ("acknowledge", {"version": "7"}, 409, "changed meanwhile"),
        ("acknowledge", {"version": "x"}, 422, "That cannot be used"),
        ("hand-on", {"team": "user_support"}, 409, "changed meanwhile"),
    ],
)
def test_what_cannot_be_is_said(office: Office, step: str, fields: dict[str, Any], status: int, said: str) -> None:
    handoff = office.handed_off("one")
    ana = office.browser("ana")
    ana.get(f"/review/handoffs/{handoff.number}")
    refused = ana.post(f"/review/handoffs/{handoff.number}/{step}", **fields)
    assert refused.status_code == status and said in refused.text
    assert whole(office, handoff.number).handoff.state == "open"


def test_unknown_ones_are_said_to_be_so(office: Office) -> None:
    ana = office.browser("ana")
    for address in ("/review/handoffs/999999", "/review/handoffs/1x"):
        assert ana.get(address).status_code in (404, 422)
    assert ana.post("/review/messages/999999/again").status_code == 404


def test_every_action_wants_a_token_and_somebody_who_may(office: Office) -> None:
    handoff = office.handed_off("one")
    address = f"/review/handoffs/{handoff.number}"
    for path in ("acknowledge", "refuse", "mitigate", "withdraw", "hand-on"):
        assert office.browser("ana").post(f"{address}/{path}", csrf="wrong", version="1").status_code == 403
        assert office.stranger().post(f"{address}/{path}", version="1").status_code == 303  # to the login
    assert office.stranger().get(address).url.path == "/review/login"
    assert whole(office, handoff.number).handoff.state == "open"


def test_the_list_is_filtered_by_its_address_and_goes_on(office: Office) -> None:
    for at in range(32):
        office.handed_off(f"a-{at}", "user_support")
    other = office.handed_off("b")
    ana = office.browser("ana")

    first = ana.get("/review/handoffs")
    more = re.findall(r'hx-get="([^"]+)"', first.text)[-1].replace("&amp;", "&")

    assert first.text.count("data-row") == 30 and ana.http.get(more).text.count("data-row") == 3
    only = ana.get("/review/handoffs?team=crisis_response&state=open&late=nonsense").text
    assert only.count("data-row") == 1 and f"Hand-off {other.number}" in only
    office.parts.handoffs.mitigate(other.number, Actor("ana", "desk"), ["removed"], "", datetime.now(UTC))
    late = ana.get("/review/handoffs?late=1&team=crisis_response").text
    assert late.count("data-row") == 0 and ana.get("/review/handoffs?late=1").text.count("data-row") == 30


def test_a_test_looks_like_any_other_decided_case_and_is_never_handed_off(office: Office) -> None:
    office.desk.add_golden([Golden(make_rated("g"), Known("severe", "plausible", "high"))], 1, datetime.now(UTC))
    golden = office.desk.claims.next("ana", Filters(), datetime.now(UTC))
    assert golden is not None
    office.desk.verdicts.decide(answer(golden), datetime.now(UTC))
    other = office.decided("one")
    ana = office.browser("ana")

    pages = [ana.get(f"/review/cases/{number}").text for number in (golden.number, other.number)]
    sections = [re.findall(r'<section class="card" id="handoffs".*?</section>', page, re.DOTALL) for page in pages]
    plain = [re.sub(r"cases/\d+", "", re.sub(r'value="[^"]{20,}"', "", section[0])) for section in sections]
    refused = ana.post(f"/review/cases/{golden.number}/hand-off", team="crisis_response")

    assert plain[0] == plain[1]
    assert refused.status_code == 422 and "cannot be handed off now" in refused.text
    assert office.parts.handoffs.page(HandoffFilters(), None, 9, datetime.now(UTC)).items == ()


def test_what_strangers_wrote_stays_text(office: Office) -> None:
    handoff = office.handed_off("one", text=HOSTILE)
    ana, address = office.browser("ana"), f"/review/handoffs/{handoff.number}"
    send(ana, f"{address}/refuse", address, version="1", reason=HOSTILE[:200])
    read = Tags(ana.get(address).text)
    assert read.text.count("<script>alert(1)</script>") >= 2
    assert not [tag for tag, _ in read.tags if tag == "img"]
