"""Whatever an action is refused for, a person is told what happened: never a fault, never a blank page."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from riskmodel.records import LANGUAGES
from riskmodel.review import judging
from riskmodel.service.page.catalogue import catalogue
from tests.riskmodel.service.page.office import Browser, Office, verdict_of

ACTIONS = ("take", "hold", "release", "hand-over", "verdict")
NO_SUCH = "No such case"
REFUSED: dict[str, dict[str, Any]] = {
    "lifted": {"lifted": "1"},
    "categories": {"category": ["none", "hate"]},
    "evidence": {"evidence": "[[0, 99999]]"},
    "note": {"note": "n" * 2_001},
}


def given(office: Office, action: str) -> dict[str, Any]:
    """Return the fields that an action needs."""
    return verdict_of(office.add("template")) if action == "verdict" else {"to": "bruno"}


@pytest.mark.parametrize("script", [False, True], ids=["page", "script"])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_on_a_case_that_is_gone_says_so(office: Office, action: str, script: bool) -> None:
    browser = office.browser("ana")
    answer = browser.post(f"/review/cases/999999/{action}", script=script, **given(office, action))
    assert answer.status_code == 404
    assert answer.json()["why"] == NO_SUCH if script else f"<h1>{NO_SUCH}</h1>" in answer.text


@pytest.mark.parametrize("script", [False, True], ids=["page", "script"])
def test_a_verdict_that_is_not_there_cannot_be_taken_back(office: Office, script: bool) -> None:
    answer = office.browser("ana").post("/review/verdicts/999999/undo", script=script)
    assert answer.status_code == 404
    assert answer.json()["why"] == NO_SUCH if script else "or the verdict on it, does not exist" in answer.text


def test_a_heartbeat_says_that_a_case_was_deleted(office: Office) -> None:
    """In the place of the page that tells whose case it is, where a status of an error would show nothing."""
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    office.parts.casebook.forget(ids=["one"])
    answer = browser.post(f"/review/cases/{item.number}/heartbeat")
    assert answer.status_code == 200 and "data-lost" in answer.text and "it was deleted" in answer.text


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "9" * 40, "9" * 5_000, "1.5", "%00"])
@pytest.mark.parametrize("path", ["cases/{n}", *(f"cases/{{n}}/{action}" for action in ACTIONS), "verdicts/{n}/undo"])
def test_a_number_that_none_can_have_is_refused(office: Office, path: str, number: str) -> None:
    browser = office.browser("ana")
    address = f"/review/{path.format(n=number)}"
    answer = browser.post(address) if path.count("/") == 2 else browser.http.get(address)
    assert answer.status_code == 422 and "<h1>That cannot be used</h1>" in answer.text


def decide(browser: Browser, office: Office, *, script: bool, **changes: Any) -> Any:
    item = office.add("one")
    browser.post(f"/review/cases/{item.number}/take")
    item = office.desk.queue.case(item.number).item
    return browser.post(f"/review/cases/{item.number}/verdict", script=script, **verdict_of(item, **changes))


@pytest.mark.parametrize("field", REFUSED)
def test_a_verdict_that_cannot_be_says_which_part_of_it_to_change(office: Office, field: str) -> None:
    sentence = catalogue("en")(f"problem.verdict.{field}")
    browser = office.browser("ana")
    page = decide(browser, office, script=False, **REFUSED[field])
    assert page.status_code == 422 and "<h1>This verdict cannot be recorded</h1>" in page.text
    assert f"<p>{sentence}</p>" in page.text
    office.clear()
    answer = decide(browser, office, script=True, **REFUSED[field])
    assert (answer.status_code, answer.json()) == (422, {"why": sentence})
    assert not office.desk.verdicts.of(office.items()[0].escalation)


def test_every_part_of_a_verdict_that_may_be_refused_has_a_sentence_in_every_language() -> None:
    fields = set(re.findall(r'VerdictError\("(\w+)"', Path(judging.__file__).read_text(encoding="utf-8")))
    assert fields >= set(REFUSED)
    for language in LANGUAGES:
        assert fields <= catalogue(language).group("problem.verdict").keys()


@pytest.mark.parametrize("token", ["\x00" * 8, "\u202e" * 8, "é" * 8])
def test_a_sending_is_named_in_plain_characters(office: Office, token: str) -> None:
    assert decide(office.browser("ana"), office, script=True, client_token=token).status_code == 422


@pytest.mark.parametrize("name", ["ana", "carla"])
def test_no_action_is_a_fault_whatever_state_its_case_is_in(office: Office, name: str) -> None:
    browser = office.browser(name)
    statuses = set()
    for state in ("waiting", "theirs", "own", "held", "decided"):
        for action in (*ACTIONS, "heartbeat"):
            office.clear()
            item = office.add("one")
            bring(office, browser, item.number, state, name)
            seen = office.desk.queue.case(item.number).item
            fields = verdict_of(seen) if action == "verdict" else {"to": "bruno"}
            statuses.add(browser.post(f"/review/cases/{item.number}/{action}", **fields).status_code)
    assert statuses == {200, 204, 303, 409}


def bring(office: Office, browser: Browser, number: int, state: str, name: str) -> None:
    """Bring a case that waits into a state."""
    now = datetime.now(UTC)
    if state != "waiting":
        office.desk.claims.take(number, "bruno" if state == "theirs" else name, now)
    if state == "held":
        office.desk.claims.hold(number, name, now)
    if state == "decided":
        item = office.desk.queue.case(number).item
        assert browser.post(f"/review/cases/{number}/verdict", **verdict_of(item)).status_code == 303
