"""Nobody can tell a test from any other case: pages show a case as it was asked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from riskmodel.casebook import Rated
from riskmodel.casebook.keeping import keep
from riskmodel.policy import Policy
from riskmodel.review import Desk, Entering, Filters, Golden, Known, QueueItem, ReviewSettings
from tests.riskmodel.casebook.made import TEXT, make_rated
from tests.riskmodel.review.made import answer, waiting
from tests.riskmodel.service.page.office import Browser, Office

SAMPLE, THIRD = "drawn at random for a quality check", "third opinion"
TELLING = ("golden", "second opinion", "blind", "test")
_ROW = re.compile(r'<li class="row".*?</li>', re.DOTALL)
_CHANGING = re.compile(r'name="(?:csrf|client_token)"[^>]*|\d+ h \d\d min|\d+ min')
_TAG = re.compile(r"<[^>]*>")

numbers = iter(range(1, 1_000))


def made(make: Callable[..., Rated], **changes: Any) -> Rated:
    """Return a case of its own whose text differs from others' in nothing but figures."""
    number = next(numbers)
    due = datetime.now(UTC) + timedelta(hours=4)
    return make(f"case-{number}", text=f"{TEXT} {number}", act_by=due, **changes)


def shape(page: str) -> str:
    """Return what a page says, with every figure replaced."""
    return re.sub(r"\d+", "#", " ".join(unescape(_TAG.sub(" ", page)).split()))


def case_page(browser: Browser, item: QueueItem) -> str:
    return shape(browser.get(f"/review/cases/{item.number}").text)


def row(browser: Browser, item: QueueItem) -> str:
    rows = _ROW.findall(browser.get("/review").text)
    (found,) = (one for one in rows if f'data-case="{item.number}"' in one)
    return shape(found)


def told(browser: Browser, item: QueueItem) -> tuple[str, str]:
    """Return all that a case's page and its row say, but for its number, tokens, and what goes on while one looks."""
    page = browser.get(f"/review/cases/{item.number}").text
    (found,) = (one for one in _ROW.findall(browser.get("/review").text) if f'data-case="{item.number}"' in one)
    number = re.compile(rf'(cases/|case-|case="|Case |why-){item.number}\b')
    page, found = (_CHANGING.sub("", number.sub(r"\1N", part)) for part in (page, found))
    return page, found


def only(office: Office, purpose: str) -> QueueItem:
    (found,) = office.desk.queue.page(Filters(purpose=purpose), None, 10, datetime.now(UTC)).items
    return found


def add_review(office: Office, **changes: Any) -> QueueItem:
    office.parts.casebook.keep([made(waiting, **changes)])
    return only(office, "review")


def add_golden(office: Office, rated: Rated) -> QueueItem:
    office.desk.add_golden([Golden(rated, Known("severe", "plausible", "high"))], 1, datetime.now(UTC))
    return only(office, "golden")


def add_audit(office: Office) -> QueueItem:
    audits = Entering(ReviewSettings(audit_share=1.0))
    rated = made(make_rated)
    office.parts.casebook.database.write(lambda connection: keep(connection, [rated], datetime.now(UTC), audits))
    return only(office, "audit")


@pytest.fixture
def second_desk(office: Office, policy: Policy) -> Desk:
    """Return a desk that asks for a second opinion on everything."""
    return Desk(office.parts.casebook.database, policy, ReviewSettings(second_opinion_share=1.0))


def decide(desk: Desk, item: QueueItem, analyst: str, **changes: Any) -> None:
    desk.verdicts.decide(
        answer(desk.claims.take(item.number, analyst, datetime.now(UTC)), analyst, **changes), datetime.now(UTC)
    )


def test_a_golden_case_looks_like_one_that_the_model_asks_about(office: Office) -> None:
    plain, golden = add_review(office), add_golden(office, made(waiting))
    browser = office.browser("ana")
    assert case_page(browser, golden) == case_page(browser, plain)
    assert row(browser, golden) == row(browser, plain)
    assert "uncertain rating" in row(browser, golden)


def test_a_golden_case_that_the_model_accepts_looks_like_an_audit(office: Office) -> None:
    audit, golden = add_audit(office), add_golden(office, made(make_rated))
    browser = office.browser("ana")
    assert case_page(browser, golden) == case_page(browser, audit)
    assert row(browser, golden) == row(browser, audit)
    assert SAMPLE in row(browser, golden)


@pytest.mark.parametrize("add", [add_review, add_audit])
def test_a_second_opinion_looks_to_the_letter_as_the_first_did(
    office: Office, second_desk: Desk, add: Callable[[Office], QueueItem]
) -> None:
    first = add(office)
    browser = office.browser("bruno")
    seen = told(browser, first)
    assert (SAMPLE if first.purpose == "audit" else "uncertain rating") in seen[0]

    decide(second_desk, first, "ana", note="the words of the first")
    second = only(office, "second")

    assert told(browser, second) == seen
    assert not [word for word in TELLING for part in seen if word in shape(part).lower()]


def test_what_others_said_of_a_test_stays_hidden_after_the_verdict_which_could_be_taken_back(
    office: Office, second_desk: Desk
) -> None:
    first = add_review(office)
    decide(second_desk, first, "ana", note="the words of the first")
    second = only(office, "second")
    decide(second_desk, second, "bruno", note="the words of the second")

    pages = {name: office.browser(name).get(f"/review/cases/{second.number}").text for name in ("bruno", "carla")}
    assert "the words of the second" in pages["bruno"] and "the words of the first" not in pages["bruno"]
    assert "the words of the second" in pages["carla"] and "the words of the first" in pages["carla"]
    assert "the words of the second" not in office.browser("ana").get(f"/review/cases/{first.number}").text


def test_a_second_opinion_is_not_offered_to_who_gave_the_first(office: Office, second_desk: Desk) -> None:
    first = add_review(office)
    decide(second_desk, first, "ana")
    second = only(office, "second")
    second_desk.claims.take(second.number, "bruno", datetime.now(UTC))

    page = office.browser("bruno").get(f"/review/cases/{second.number}").text

    assert re.findall(r"<option>(\w+)</option>", page) == ["carla"]


@pytest.mark.parametrize(("name", "sees"), [("ana", False), ("carla", True)])
def test_only_a_lead_finds_golden_cases_by_the_interface_for_tools(name: str, sees: bool, office: Office) -> None:
    plain, golden = add_review(office), add_golden(office, made(waiting))
    ask = office.tool(name)

    everything = {row["id"] for row in ask("/escalations").json()["escalations"]}
    among = {row["id"] for row in ask("/escalations?client=golden").json()["escalations"]}
    dated = {row["id"] for row in ask("/escalations?from=2026-01-01T00:00:00Z").json()["escalations"]}
    alone = ask(f"/escalations/{golden.id}").status_code

    assert everything == dated == {plain.id} | ({golden.id} if sees else set())
    assert (among, alone) == (({golden.id}, 200) if sees else (set(), 404))


def test_a_third_opinion_is_asked_for_as_one(office: Office, second_desk: Desk) -> None:
    decide(second_desk, add_review(office), "ana")
    decide(second_desk, only(office, "second"), "bruno", severity="minor")
    third = only(office, "third")
    browser = office.browser("carla")
    assert f"{THIRD}, uncertain rating" in row(browser, third)
    page = case_page(browser, third)
    assert f"{THIRD}, uncertain rating" in page and "ana" in page.split() and "bruno" in page.split()


def test_only_a_lead_may_ask_for_cases_of_a_purpose(office: Office) -> None:
    plain, golden = add_review(office), add_golden(office, made(waiting))
    asked = "/review?purpose=golden"
    seen = {
        name: set(re.findall(r'data-case="(\d+)"', office.browser(name).get(asked).text)) for name in ("ana", "carla")
    }
    assert seen == {"ana": {str(plain.number), str(golden.number)}, "carla": {str(golden.number)}}
