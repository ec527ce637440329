"""What an analyst does all day, done in real Chromium: by keyboard, on a phone, in Spanish, without a network."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from riskmodel.casebook import open_casebook
from riskmodel.service.app import create_app
from riskmodel.service.page.session import COOKIE
from tests.riskmodel.casebook.made import TEXT
from tests.riskmodel.service.desk_file import write_desk_file
from tests.riskmodel.service.page.live import CHROMIUM, NARROW, Live, chromium, eventually, listening
from tests.riskmodel.service.page.office import HOSTILE, PEOPLE, Office
from tests.riskmodel.service.page.test_questions import ask
from tests.riskmodel.service.page.test_questions import link as question_link
from tests.service import settings_for, wait_until_ready

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of playwright's own pipes
]
SERIOUS = {"value": "serious", "confidence": 0.9}
LOOKS = [{}, {"color_scheme": "dark"}, {"viewport": NARROW}, {"locale": "es-MX"}, {"locale": "pt-BR"}]


@pytest.fixture(scope="module")
def _live(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    settings = settings_for(tiny_model, folder, auth="on", rounds="off", desk=str(write_desk_file(folder)))
    with closing(open_casebook(settings.database_url)) as casebook:
        secrets = {name: casebook.keys.create(name, role, datetime.now(UTC)).secret for name, role in PEOPLE.items()}
    app = create_app(settings)
    with listening(app) as address, chromium() as browser:
        wait_until_ready(TestClient(app))
        yield Live(Office(app, secrets), address, browser)


@pytest.fixture
def live(_live: Live) -> Iterator[Live]:
    _live.office.clear()
    yield _live
    for context in _live.browser.contexts:
        context.close()


def test_a_case_is_taken_read_marked_and_decided_by_keyboard(live: Live) -> None:
    live.office.add("first", hours=1)
    live.office.add("second", hours=2)
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    assert ana.page.is_visible("#note-before") and ana.page.get_attribute("#text", "inert") is not None
    ana.press("v")
    assert not ana.page.is_visible("#note-before") and ana.text("#text") == TEXT
    ana.press("m", "ArrowRight", "Shift+ArrowRight", "Enter", "Escape")
    assert ana.text("#marks") == "× na escola"
    ana.press("3", "e")
    assert ana.text("#decide") == "Decide high ↵↵"
    ana.press("i")
    ana.page.keyboard.type("Said 3 times.")
    ana.press("Escape", "Enter")
    assert ana.text("#decide") == "Press Enter again: high ↵↵"
    ana.press("Enter")
    ana.page.wait_for_selector("#undo")
    assert ana.case() != number
    assert ana.text("#done") == f"Case {number} decided: high. Undo U"
    (verdict,) = live.office.desk.verdicts.of(live.office.desk.queue.case(number).item.escalation)
    assert (verdict.severity, verdict.proximity, verdict.rating, verdict.kind) == (
        "serious",
        "active",
        "high",
        "changed",
    )
    assert (verdict.evidence, verdict.note) == (((4, 13),), "Said 3 times.")
    assert TEXT[4:13] == "na escola"
    assert not ana.faults


def test_two_keystrokes_confirm_and_one_takes_it_back(live: Live) -> None:
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector("#undo")
    assert "Nothing else waits." in ana.text("#done") and "as the model said" in ana.text("#done")
    ana.press("u")
    assert ana.case() == number
    assert "taken back" in ana.text("#done")
    kinds = [verdict.kind for verdict in live.office.desk.verdicts.of(item.escalation)]
    assert kinds == ["confirmed", "retracted"]


def test_words_selected_by_mouse_are_marked_at_their_offsets_in_characters(live: Live) -> None:
    text = "🔪🔪 \r\n\u202eHe will\u202c hurt a classmate tomorrow"
    item = live.office.add("first", text, severity=SERIOUS, explanation=explained(text))
    ana = live.open("ana")
    ana.press("n")
    ana.case()
    ana.page.evaluate(
        """() => { const text = document.querySelector('#text'), range = document.createRange();
        range.setStart(text.firstChild, 0); range.selectNodeContents(text); getSelection().addRange(range); }"""
    )
    ana.press("m", "Enter", "Enter")
    ana.page.wait_for_selector("#undo")
    (verdict,) = live.office.desk.verdicts.of(item.escalation)
    assert verdict.evidence == ((0, len(text)),)


def explained(text: str) -> dict[str, Any]:
    evidence = [{"start": 0, "end": 2, "text": text[:2], "weight": 0.4}]
    return {"summary": "s", "rule": "r", "evidence": evidence, "counterfactuals": [], "precedents": []}


def test_categories_are_chosen_by_keyboard_in_order(live: Live) -> None:
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    ana.case()
    ana.press("c", "Space", "Tab", "Space", "Tab", "Space")
    assert ana.text("#chosen") == "extremism, hate"
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector("#undo")
    (verdict,) = live.office.desk.verdicts.of(item.escalation)
    assert verdict.categories == ("extremism", "hate")


def test_a_case_is_held_and_handed_over(live: Live) -> None:
    live.office.add("first")
    ana, bruno = live.open("ana"), live.open("bruno")
    ana.press("n")
    ana.case()
    ana.press("h")
    ana.page.wait_for_selector("#take")
    assert "You hold this case" in ana.text("#lock")
    ana.press("o")
    ana.page.select_option("#to", "bruno")
    ana.press("Tab", "Enter")
    ana.page.wait_for_selector("#filters")
    assert "Handed over." in ana.text("#done")
    bruno.go("/review?mine=1")
    bruno.press("j", "Enter")
    bruno.case()
    bruno.press("t")
    bruno.page.wait_for_selector("#verdict > fieldset:not([disabled])")
    assert "This case is yours." in bruno.text("#lock")


def test_two_analysts_never_get_the_same_case(live: Live) -> None:
    for at in range(4):
        live.office.add(f"case-{at}")
    seats = [live.open("ana"), live.open("bruno")]
    got = []
    for _ in range(2):
        for seat in seats:
            seat.go("/review")
            seat.press("n")
        got += [seat.case() for seat in seats]
    assert len(set(got)) == 4


def test_a_verdict_survives_a_lost_network(live: Live) -> None:
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    ana.press("v", "m", "Enter", "Escape")
    ana.page.context.set_offline(True)
    ana.press("2", "Enter", "Enter")
    ana.page.wait_for_selector("#notices > div")
    assert ana.text("#notices p") == (
        f"No connection. Your verdict on case {number} is kept in this browser and will be sent when it is back."
    )
    stored = ana.page.evaluate("JSON.stringify(localStorage)")
    assert "severity" not in stored and not [word for word in TEXT.split() if len(word) > 3 and word in stored]
    assert not live.office.desk.verdicts.of(item.escalation)
    ana.page.context.set_offline(False)
    ana.page.wait_for_selector("#undo")
    (verdict,) = live.office.desk.verdicts.of(item.escalation)
    assert (verdict.severity, verdict.evidence) == ("moderate", ((0, 3),))
    assert ana.page.evaluate("JSON.parse(localStorage['riskmodel.verdicts']).length") == 0


def test_a_verdict_survives_the_end_of_a_session(live: Live) -> None:
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    ana.page.context.clear_cookies(name=COOKIE)
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector("#notices > div")
    assert "Log in again, or reload the page, and it will be sent." in ana.text("#notices")
    ana.go("/review")
    ana.page.fill("#key", live.office.secrets["ana"])
    ana.press("Enter")
    ana.page.wait_for_selector("#notices > div")
    assert ana.text("#notices p") == f"Your verdict on case {number} was sent."
    assert len(live.office.desk.verdicts.of(item.escalation)) == 1


def test_a_verdict_survives_a_login_in_another_tab(live: Live) -> None:
    """The page's token is then of the session before."""
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    ana.page.context.clear_cookies(name=COOKIE)
    other = ana.page.context.new_page()
    other.goto(f"{live.address}/review")
    other.fill("#key", live.office.secrets["ana"])
    other.keyboard.press("Enter")
    other.wait_for_selector("#filters")
    ana.page.bring_to_front()
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector("#notices > div")
    ana.page.reload()
    ana.page.wait_for_selector("#undo")
    assert f"Case {number} decided" in ana.text("#done")
    assert len(live.office.desk.verdicts.of(item.escalation)) == 1


def test_a_kept_verdict_is_not_sent_as_somebody_else(live: Live) -> None:
    item = live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    ana.case()
    ana.page.context.clear_cookies(name=COOKIE)
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector("#notices > div")
    ana.go("/review")
    ana.page.fill("#key", live.office.secrets["bruno"])
    ana.press("Enter")
    ana.page.wait_for_selector("#filters")
    ana.page.wait_for_timeout(500)
    assert not live.office.desk.verdicts.of(item.escalation)


def test_a_case_that_changed_meanwhile_is_shown_beside_what_was_entered(live: Live) -> None:
    live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    ana.press("i")
    ana.page.keyboard.type("my note")
    ana.press("Escape")
    live.office.desk.claims.hand_over(number, "carla", "bruno", datetime.now(UTC), as_lead=True)
    ana.press("Enter", "Enter")
    ana.page.wait_for_selector(".conflict")
    assert "Not recorded: this case changed meanwhile." in ana.text(".conflict")
    assert "bruno has this case." in ana.text(".conflict")
    assert ana.page.input_value("#note") == "my note"
    assert ana.page.evaluate("document.activeElement.matches('.conflict')")


def test_a_lost_case_is_said_by_the_heartbeat(live: Live) -> None:
    live.office.add("first")
    ana = live.open("ana")
    ana.press("n")
    number = ana.case()
    live.office.desk.claims.hand_over(number, "carla", "bruno", datetime.now(UTC), as_lead=True)
    ana.page.evaluate("htmx.trigger('#lock', 'every')")
    ana.page.wait_for_selector("[data-lost]")
    assert ana.page.is_disabled("#decide")


def test_what_was_entered_survives_a_reload(live: Live) -> None:
    live.office.add("first", severity=SERIOUS)
    ana = live.open("ana")
    ana.press("n")
    ana.case()
    ana.press("1", "q", "m", "Enter", "Escape", "i")
    ana.page.keyboard.type("half a thought")
    ana.page.reload()
    assert ana.page.is_checked('[value="minor/contained"]') and ana.page.input_value("#note") == "half a thought"
    assert ana.text("#marks") == "× Vai"


def test_a_hostile_report_stays_text_and_runs_nothing(live: Live) -> None:
    live.office.add("first", HOSTILE, severity=SERIOUS, explanation=explained(HOSTILE))
    ana = live.open("ana")
    ana.page.on("dialog", lambda dialog: ana.faults.append(dialog.message))
    ana.press("n")
    ana.case()
    assert "<script>alert(1)</script><img src=x onerror=alert(2)></div></main>" in ana.text("#text")
    assert ana.page.locator("main img, main script").count() == 0
    assert ana.page.locator("#decide").is_visible()
    assert not ana.faults


def test_the_queue_is_walked_by_keyboard_and_its_order_explained(live: Live) -> None:
    live.office.add("first", hours=1)
    live.office.add("second", hours=2)
    ana = live.open("ana")
    ana.press("j", "j")
    assert ana.page.evaluate("document.activeElement.id") == f"case-{live.office.items()[1].number}"
    ana.press("Tab")
    assert ana.page.locator("[role=tooltip]").nth(1).is_visible()
    ana.press("Escape")
    assert not ana.page.locator("[role=tooltip]").nth(1).is_visible()
    ana.press("k", "t")
    assert ana.case() in [item.number for item in live.office.items()]
    assert "This case is yours." in ana.text("#lock")


def test_more_rows_come_without_losing_the_focus(live: Live) -> None:
    for at in range(35):
        live.office.add(f"case-{at}", hours=1 + at)
    ana = live.open("ana")
    ana.page.focus("#more")
    ana.press("Enter")
    eventually(lambda: ana.page.evaluate("document.querySelectorAll('[data-row]').length") == 35)
    eventually(lambda: ana.page.evaluate("document.activeElement.matches('[data-row]')"))


def test_the_keys_are_shown_by_a_question_mark_and_can_be_switched_off(live: Live) -> None:
    live.office.add("first")
    ana = live.open("ana")
    ana.press("?")
    assert ana.page.is_visible("#keys") and not ana.violations()
    ana.page.uncheck("#shortcuts")
    ana.press("Escape", "n")
    ana.page.wait_for_timeout(300)
    assert ana.page.is_visible("#filters")


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "390", "es", "pt"])
def test_every_page_is_accessible_fits_and_stands_still(live: Live, look: dict[str, Any]) -> None:
    hostile = live.office.add("hostile", HOSTILE, explanation=explained(HOSTILE))
    live.office.add("first", hours=1)
    seat = live.open(None, "/review/login", **look)
    assert not seat.violations()
    handed, dead = live.office.handed_off("handed", text=HOSTILE), live.office.handed_off("dead", "abuse_response")
    link = f"/handoffs/t/{live.office.token(handed)}"
    for _ in range(2):
        live.office.fail("refused for good", 410)
    lead = live.open("carla", **look)
    live.office.add("late", hours=-1)
    reports = ("/review/reports", f"/review/reports/{live.office.report()}")
    paths = ("/review", f"/review/cases/{hostile.number}", "/review/quality", "/review/cases/999999", *reports)
    own = ("/review/handoffs", f"/review/handoffs/{dead.number}", f"/review/cases/{dead.number}", link, link + "x")
    asked = ask(live.office, live.office.browser("ana"), hostile, question=HOSTILE, as_written="1")
    questions = (f"/review/cases/{hostile.number}", "/review/board", question_link(live.office, asked))
    for path in (*paths, *own, *questions):
        lead.go(path)
        assert lead.violations() == [], path
        assert lead.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert lead.shift() < 0.01, path
    lead.go("/review")
    lead.press("n")
    lead.case()
    assert lead.violations() == []
    lead.press("v", "m", "Enter", "Escape", "c")
    assert lead.violations() == []
    lead.press("Escape")
    lead.page.click("#hand")
    assert lead.violations() == []
    assert not lead.faults


def test_the_interface_speaks_spanish_to_a_spanish_browser(live: Live) -> None:
    live.office.add("first")
    ana = live.open("ana", locale="es-MX")
    assert ana.text("#next") == "Tomar el siguiente caso N"
    ana.press("n")
    ana.case()
    assert ana.text("#decide") == "Confirmar alta ↵↵"
    assert ana.page.get_attribute("html", "lang") == "es" and ana.page.get_attribute("#text", "lang") == "pt"


def test_dark_is_dark(live: Live) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light, dark = (live.open(None, "/review/login", color_scheme=scheme) for scheme in ("light", "dark"))
    assert light.page.evaluate(colour) == "rgb(245, 246, 247)" and dark.page.evaluate(colour) == "rgb(20, 24, 27)"
