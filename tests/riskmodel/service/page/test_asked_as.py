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
from riskmodel.review import Desk, Entering, Filters, Golden, QueueItem, ReviewSettings
from tests.riskmodel.casebook.made import TEXT, make_rated
from tests.riskmodel.review.made import answer, waiting
from tests.riskmodel.service.page.office import Browser, Office

SAMPLE, THIRD = "drawn at random for a quality check", "third opinion"
TELLING = ("golden", "second opinion", "blind", "test")
_ROW = re.compile(r'<li class="row".*?</li>', re.DOTALL)
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


def only(office: Office, purpose: str) -> QueueItem:
    (found,) = office.desk.queue.page(Filters(purpose=purpose), None, 10, datetime.now(UTC)).items
    return found


def add_review(office: Office, **changes: Any) -> QueueItem:
    office.parts.casebook.keep([made(waiting, **changes)])
    return only(office, "review")


def add_golden(office: Office, rated: Rated) -> QueueItem:
    office.desk.add_golden([Golden(rated, "severe", "plausible", "high")], 1, datetime.now(UTC))
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
def test_a_second_opinion_says_why_as_the_first_did_and_nothing_of_what_the_first_was(
    office: Office, second_desk: Desk, add: Callable[[Office], QueueItem]
) -> None:
    first = add(office)
    browser = office.browser("bruno")
    why = SAMPLE if first.purpose == "audit" else "uncertain rating"
    assert why in row(browser, first)
    decide(second_desk, first, "ana", note="the words of the first")
    second = only(office, "second")
    for page in (case_page(browser, second), row(browser, second)):
        assert why in page
        assert "the words of the first" not in page and "ana" not in page.split()
        assert not [word for word in TELLING if word in page.lower()]


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
