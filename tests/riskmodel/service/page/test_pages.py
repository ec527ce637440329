"""The pages as an analyst's browser gets them: safe, small, and doing what they say."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import httpx2
import pytest

from riskmodel.service.page import rendering
from tests.riskmodel.casebook.made import END, START, TEXT
from tests.riskmodel.service.page.office import HOSTILE, Browser, Office, verdict_of

MOST_BYTES = 100_000
LONGEST = ("\U0001f52a" * 20_000, "<\u202e" * 10_000)
LOADED = re.compile(r'(?:src|href)="(/review/static/[^"]+)"')


class Tags(HTMLParser):
    """What a page is made of, as a browser reads it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def every_page(office: Office) -> dict[str, tuple[Browser, str]]:
    """Return each page's browser and address."""
    office.add("waits")
    mine = office.add("mine", severity={"value": "serious", "confidence": 0.9})
    hostile = office.add("hostile", HOSTILE)
    handed = office.handed_off("handed", text=HOSTILE)
    lead, stranger = office.browser("carla"), office.stranger()
    office.desk.claims.take(mine.number, "carla", datetime.now(UTC))
    return {
        "login": (stranger, "/review/login"),
        "queue": (lead, "/review"),
        "case": (lead, f"/review/cases/{mine.number}"),
        "hostile": (lead, f"/review/cases/{hostile.number}"),
        "quality": (lead, "/review/quality"),
        "handoffs": (lead, "/review/handoffs"),
        "handoff": (lead, f"/review/handoffs/{handed.number}"),
        "problem": (lead, "/review/cases/999999"),
    }


def test_every_page_weighs_less_than_100_kb_with_all_that_it_loads(office: Office) -> None:
    pages = every_page(office)
    for at in range(40):
        office.add(f"case-{at}")
    for name, (browser, address) in pages.items():
        response = browser.get(address)
        files = [browser.http.get(path) for path in LOADED.findall(response.text)]
        assert len(files) == 4, name
        assert sum(map(weight, [response, *files])) < MOST_BYTES / 3, name
        assert len(response.content) < MOST_BYTES, name  # unpacked


def test_even_the_longest_report_is_a_page_of_less_than_100_kb(office: Office) -> None:
    files = sum(len(asset.compressed) for asset in rendering.assets().values())
    for text in LONGEST:
        item = office.add(f"longest-{ord(text[0])}", text)
        assert weight(office.browser("ana").get(f"/review/cases/{item.number}")) + files < MOST_BYTES


def weight(response: httpx2.Response) -> int:
    """Return the bytes of a body on the wire."""
    return int(response.headers["content-length"])


def test_no_page_holds_script_or_style_and_none_may_run(office: Office) -> None:
    for name, (browser, address) in every_page(office).items():
        response = browser.get(address)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy and "unsafe" not in policy
        for tag, attributes in Tags(response.text).tags:
            assert tag != "style" and not (tag == "script" and not attributes.get("src")), name
            assert not [key for key in attributes if key.startswith("on") or key == "style"], name
        assert response.headers["cache-control"] == "no-store"


def test_a_report_full_of_html_script_and_controls_is_shown_as_text(office: Office) -> None:
    item = office.add("hostile", HOSTILE, explanation=quoting(HOSTILE))
    page = office.browser("ana").get(f"/review/cases/{item.number}").text
    read = Tags(page)
    assert "<script>alert(1)</script><img src=x onerror=alert(2)></div></main>" in read.text
    assert "{{ 7*7 }}" in read.text and "&lt;b&gt;" in read.text
    assert not [tag for tag, _ in read.tags if tag == "img"]
    for character in "\u202e\u202c\u200b\x1b\x07\U000e0041":
        assert character not in page
    assert "U+202E" in page and "U+0007 ×3" in page and "👩\u200d👩\u200d👧" in page


def quoting(text: str) -> dict[str, object]:
    evidence = [{"start": 0, "end": len(text), "text": text, "weight": 0.5}]
    precedents = [{"id": "p", "rating": "low", "similarity": 0.9, "excerpt": text}]
    return {"summary": text, "rule": "r", "evidence": evidence, "counterfactuals": [], "precedents": precedents}


def test_a_report_is_in_its_own_language_with_its_evidence_marked(office: Office) -> None:
    item = office.add("one")
    page = office.browser("ana").get(f"/review/cases/{item.number}").text
    text = next(attributes for _, attributes in Tags(page).tags if attributes.get("id") == "text")
    assert (text["lang"], text["dir"]) == ("pt", "ltr")
    assert re.search(rf'<mark class="w3"[^>]*>{re.escape(TEXT[START:END])}</mark>', page)


def test_a_language_that_is_not_ours_decides_its_own_direction(office: Office) -> None:
    item = office.add("one", "تهديد", language="und", explanation=quoting("تهديد"))
    page = office.browser("ana").get(f"/review/cases/{item.number}").text
    text = next(attributes for _, attributes in Tags(page).tags if attributes.get("id") == "text")
    assert (text["lang"], text["dir"]) == ("", "auto")


def test_a_severe_report_is_veiled_behind_plain_words(office: Office) -> None:
    severe, serious = office.add("one"), office.add("two", severity={"value": "serious", "confidence": 0.9})
    browser = office.browser("ana")
    veiled, plain = (browser.get(f"/review/cases/{item.number}").text for item in (severe, serious))
    assert "may describe a threat to someone&#39;s life" in veiled and "inert" in veiled
    assert "Before you read" not in plain and "veiled" not in plain


def test_reading_a_case_is_recorded(office: Office) -> None:
    item = office.add("one")
    office.browser("ana").get(f"/review/cases/{item.number}")
    event = office.parts.casebook.trail.page(limit=1)[0].event
    assert (event.actor, event.role, event.action, event.subject) == ("ana", "analyst", "read escalation", "desk/one")


def test_a_filtered_queue_is_a_link(office: Office) -> None:
    office.add("pt")
    office.add("es", language="es")
    browser = office.browser("ana")
    page = browser.get("/review?language=es&source=nonsense&market=br")
    assert len(re.findall(r"data-row", page.text)) == 1
    assert '<option value="es" selected>' in page.text and 'value="BR"' in page.text
    taken = browser.post("/review/next?language=es&market=BR")
    assert re.fullmatch(r"/review/cases/\d+\?language=es&market=BR", taken.headers["location"])


def test_the_queue_goes_on_page_by_page(office: Office) -> None:
    for at in range(35):
        office.add(f"case-{at}", hours=1 + at)
    browser = office.browser("ana")
    page = browser.get("/review?language=pt").text
    more = re.search(r'hx-get="([^"]+)"[^>]*hx-target="closest li"', page)
    assert more is not None and "35 waiting" in page
    rest = browser.http.get(more[1].replace("&amp;", "&")).text
    seen = re.findall(r'id="case-(\d+)"', page) + re.findall(r'id="case-(\d+)"', rest)
    assert len(seen) == len(set(seen)) == 35


def test_the_order_of_the_queue_is_explained_in_numbers(office: Office) -> None:
    office.add("one", harm="critical")
    page = office.browser("ana").get("/review").text
    assert re.search(r'role="tooltip"[^>]*>Ordered by deadline .* expected harm 1\.00 of 1, credit 24\.0 h', page)


def test_an_analyst_is_not_told_what_a_case_is_a_sample_of(office: Office) -> None:
    office.add("one")
    assert 'name="purpose"' not in office.browser("ana").get("/review").text
    assert 'name="purpose"' in office.browser("carla").get("/review").text


def test_a_verdict_is_recorded_and_the_next_case_is_taken(office: Office) -> None:
    first, second = office.add("one", hours=1), office.add("two", hours=2)
    browser = office.browser("ana")
    assert browser.post("/review/next").headers["location"] == f"/review/cases/{first.number}"
    item = office.desk.queue.case(first.number).item
    given = verdict_of(item, cell="serious/active", evidence="[[0, 4], [10, 12]]", note="seen before", seconds="31")
    decided = browser.post(f"/review/cases/{first.number}/verdict", **given)
    assert decided.headers["location"] == f"/review/cases/{second.number}"
    (verdict,) = office.desk.verdicts.of(item.escalation)
    assert (verdict.analyst, verdict.rating, verdict.kind, verdict.note) == ("ana", "high", "changed", "seen before")
    assert (verdict.evidence, verdict.seconds) == (((0, 4), (10, 12)), 31)
    assert f"Case {first.number} decided: high." in browser.get(decided.headers["location"]).text


def test_the_same_sending_twice_is_one_verdict(office: Office) -> None:
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    item = office.desk.queue.case(item.number).item
    answers = [browser.post(f"/review/cases/{item.number}/verdict", script=True, **verdict_of(item)) for _ in "ab"]
    assert [answer.json()["go"] for answer in answers] == ["/review?note=nothing"] * 2
    assert len(office.desk.verdicts.of(item.escalation)) == 1


def test_a_verdict_is_taken_back(office: Office) -> None:
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    item = office.desk.queue.case(item.number).item
    browser.post(f"/review/cases/{item.number}/verdict", **verdict_of(item))
    undo = re.search(r'action="(/review/verdicts/\d+/undo)"', browser.get("/review").text)
    assert undo is not None
    assert browser.post(undo[1]).headers["location"] == f"/review/cases/{item.number}"
    assert [verdict.kind for verdict in office.desk.verdicts.of(item.escalation)] == ["confirmed", "retracted"]
    assert office.desk.queue.case(item.number).item.analyst == "ana"
    assert "taken back" in browser.get(f"/review/cases/{item.number}").text


def test_a_case_that_changed_underneath_is_shown_and_not_overwritten(office: Office) -> None:
    item = office.add("one")
    ana, bruno = office.browser("ana"), office.browser("bruno")
    ana.post(f"/review/cases/{item.number}/take")
    seen = office.desk.queue.case(item.number).item
    ana.post(f"/review/cases/{item.number}/release")
    bruno.post(f"/review/cases/{item.number}/take")
    theirs = office.desk.queue.case(item.number).item
    bruno.post(f"/review/cases/{item.number}/verdict", **verdict_of(theirs, cell="minor/contained"))
    late = ana.post(f"/review/cases/{item.number}/verdict", script=True, **verdict_of(seen))
    assert late.status_code == 409 and "bruno" in late.json()["html"] and "low" in late.json()["html"]
    assert len(office.desk.verdicts.of(item.escalation)) == 1
    assert ana.post(f"/review/cases/{item.number}/verdict", **verdict_of(seen)).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "severe"},
        {"cell": "severe/soon"},
        {"category": []},
        {"category": ["none", "hate"]},
        {"category": ["nonsense"]},
        {"evidence": "[[0, 99999]]"},
        {"evidence": "[[4, 2]]"},
        {"evidence": "[[0, true]]"},
        {"evidence": "[" * 100_00},
        {"evidence": "{}"},
        {"version": "-1"},
        {"seconds": "NaN"},
        {"client_token": "x"},
        {"note": "n" * 2_001},
        {"lifted": "1"},
    ],
    ids=str,
)
def test_a_verdict_that_cannot_be_is_refused(office: Office, changes: dict[str, object]) -> None:
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    item = office.desk.queue.case(item.number).item
    refused = browser.post(f"/review/cases/{item.number}/verdict", script=True, **verdict_of(item, **changes))
    assert refused.status_code == 422 and refused.json()["why"]
    assert not office.desk.verdicts.of(item.escalation)


def test_a_case_is_held_handed_over_and_taken_by_who_gets_it(office: Office) -> None:
    item = office.add("one")
    ana, bruno = office.browser("ana"), office.browser("bruno")
    ana.post(f"/review/cases/{item.number}/take")
    ana.post(f"/review/cases/{item.number}/hold")
    assert "You hold this case" in ana.get(f"/review/cases/{item.number}").text
    assert ana.post(f"/review/cases/{item.number}/hand-over", to="nobody").status_code == 422
    assert ana.post(f"/review/cases/{item.number}/hand-over", to="bruno").status_code == 303
    assert "bruno has this case" in ana.get(f"/review/cases/{item.number}").text
    assert "held by bruno" in ana.get("/review").text
    assert bruno.post(f"/review/cases/{item.number}/take").status_code == 303
    assert "This case is yours" in bruno.get(f"/review/cases/{item.number}").text


def test_only_a_lead_hands_over_what_another_has(office: Office) -> None:
    item = office.add("one")
    office.browser("ana").post(f"/review/cases/{item.number}/take")
    assert office.browser("bruno").post(f"/review/cases/{item.number}/hand-over", to="bruno").status_code == 409
    assert office.browser("carla").post(f"/review/cases/{item.number}/hand-over", to="bruno").status_code == 303
    assert office.desk.queue.case(item.number).item.analyst == "bruno"


def test_what_another_has_cannot_be_taken(office: Office) -> None:
    item = office.add("one")
    office.browser("ana").post(f"/review/cases/{item.number}/take")
    taken = office.browser("bruno").post(f"/review/cases/{item.number}/take")
    assert taken.status_code == 409 and "Somebody else has this case" in taken.text


def test_a_heartbeat_says_nothing_until_the_case_is_lost(office: Office) -> None:
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    assert browser.post(f"/review/cases/{item.number}/heartbeat").status_code == 204
    office.desk.claims.hand_over(item.number, "ana", "bruno", datetime.now(UTC))
    assert "no longer yours" in browser.post(f"/review/cases/{item.number}/heartbeat").text


def test_errors_are_pages_that_repeat_nothing(office: Office) -> None:
    browser = office.browser("ana")
    for address, status in (
        ("/review/cases/999999", 404),
        ("/review/cases/nonsense", 422),
        ("/review?cursor=nonsense", 422),
        ("/review/static/nonsense", 404),
    ):
        page = browser.get(address)
        assert page.status_code == status and "<h1>" in page.text and "nonsense" not in page.text.split("<footer")[0]
    huge = browser.http.post("/review/next", data={"x": "y" * 70_000})
    assert huge.status_code == 413
    strange = browser.http.post("/review/next", json={})
    assert strange.status_code == 415


def test_files_are_kept_for_good_under_an_address_of_their_content(office: Office) -> None:
    browser = office.stranger()
    addresses = LOADED.findall(browser.get("/review/login").text)
    assert {address.partition("?v=")[0].rpartition("/")[2] for address in addresses} == {
        "icon.svg",
        "review.css",
        "htmx.min.js",
        "review.js",
    }
    for address in addresses:
        file = browser.http.get(address)
        assert "immutable" in file.headers["cache-control"] and file.headers["content-encoding"] == "gzip"


def test_quality_is_shown_with_intervals(office: Office) -> None:
    browser = office.browser("carla")
    assert "No audited case yet" in browser.get("/review/quality").text
    assert browser.get("/review/quality?from=2026-01-01&before=2026-02-01").status_code == 200
    assert browser.get("/review/quality?from=nonsense").status_code == 422


def test_nothing_of_a_report_stands_in_what_the_browser_keeps(office: Office) -> None:
    """The form that a lost connection keeps holds offsets, never words of the report."""
    item = office.add("one")
    browser = office.browser("ana")
    browser.post(f"/review/cases/{item.number}/take")
    page = browser.get(f"/review/cases/{item.number}").text
    form = page[page.index('<form id="verdict"') :]
    form = form[: form.index("</form>")]
    assert not [word for word in TEXT.split() if len(word) > 6 and word in form]
