"""Who gets in, for how long, and that nobody is made to act."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from riskmodel.service.app import create_app
from riskmodel.service.page import session
from riskmodel.service.routes.review_session import own
from tests.riskmodel.service.page.office import Browser, Office
from tests.service import settings_for, wait_until_ready


def test_a_stranger_is_sent_to_the_login_and_from_there_back(office: Office) -> None:
    browser = office.stranger()
    assert "/review/login?next=%2Freview%3Flanguage%3Des" in str(browser.get("/review?language=es").url)
    entered = browser.post("/review/login", key=office.secrets["ana"], next="/review?language=es")
    assert (entered.status_code, entered.headers["location"]) == (303, "/review?language=es")
    assert browser.get("/review").status_code == 200


def test_the_session_is_kept_from_scripts_and_from_other_sites(office: Office) -> None:
    browser = office.stranger()
    cookie = browser.get("/review/login").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/review" in cookie
    assert office.secrets["ana"] not in cookie
    secure = TestClient(office.app, base_url="https://desk").get("/review/login").headers["set-cookie"]
    assert "Secure" in secure


@pytest.mark.parametrize("secret", ["", "rk_aaaaaaaa_" + "A" * 43, "nonsense"])
def test_a_key_that_is_none_does_not_get_in(office: Office, secret: str) -> None:
    browser = office.stranger()
    refused = browser.log_in(secret)
    assert refused.status_code == 403 and "does not open the desk" in refused.text
    assert "nonsense" not in refused.text
    assert "/review/login" in str(browser.get("/review").url)


def test_a_tools_key_does_not_get_in(office: Office) -> None:
    assert office.stranger().log_in(office.secrets["tool"]).status_code == 403


def test_a_session_ends_with_its_key(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TRUSTED_SECONDS", 0.0)
    ring = office.parts.casebook.keys
    made = ring.create("dora", "analyst", datetime.now(UTC))
    browser = office.stranger()
    browser.log_in(made.secret)
    assert browser.get("/review").url.path == "/review"
    ring.revoke(made.key.id, datetime.now(UTC))
    assert browser.get("/review").url.path == "/review/login"


def test_a_cookie_that_was_changed_is_nobodys(office: Office) -> None:
    browser = office.browser("ana")
    cookie = browser.http.cookies[session.COOKIE]
    browser.http.cookies.clear()
    browser.http.cookies.set(session.COOKIE, ("A" if cookie[0] != "A" else "B") + cookie[1:], path="/review")
    assert browser.get("/review").url.path == "/review/login"


def test_who_logs_out_is_out(office: Office) -> None:
    browser = office.browser("ana")
    assert browser.post("/review/logout").status_code == 303
    assert browser.get("/review").url.path == "/review/login"


@pytest.mark.parametrize("token", ["", "another", "é"])
@pytest.mark.parametrize(
    "action",
    ["next", "cases/{n}/take", "cases/{n}/hold", "cases/{n}/release", "cases/{n}/hand-over", "cases/{n}/verdict"],
)
def test_no_action_is_done_without_the_pages_token(office: Office, action: str, token: str) -> None:
    item = office.add("one")
    browser = office.browser("ana")
    assert browser.post(f"/review/{action.format(n=item.number)}", csrf=token).status_code == 403
    assert office.items()[0].state == "waiting"


def test_a_login_needs_the_pages_token_too(office: Office) -> None:
    browser = office.stranger()
    assert browser.post("/review/login", csrf="made-up", key=office.secrets["ana"]).status_code == 403


def test_a_stranger_does_nothing(office: Office) -> None:
    item = office.add("one")
    browser = office.stranger()
    browser.get("/review/login")
    for action in ("next", f"cases/{item.number}/take", f"cases/{item.number}/verdict", "verdicts/1/undo"):
        answer = browser.post(f"/review/{action}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/review/login?next=%2Freview")
        assert browser.post(f"/review/{action}", script=True).status_code == 401
    assert office.items()[0].state == "waiting"


def test_only_a_lead_sees_quality(office: Office) -> None:
    assert office.browser("ana").get("/review/quality").status_code == 403
    assert office.browser("carla").get("/review/quality").status_code == 200


def test_a_link_from_another_site_keeps_who_is_logged_in(office: Office) -> None:
    """The cookie is not sent with such a request; the page that answers asks once more, and that is sent with it."""
    page = office.stranger().get("/review/login?next=/review/cases/1", **{"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh" content="0; url=/review/cases/1"' in page.text


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/review", "/reviewer", "/review\\evil", "/review/\r\nX: y", "javascript:1"],
)
def test_nobody_is_sent_elsewhere(address: str) -> None:
    assert own(address) == "/review"


def test_the_language_that_was_chosen_stays(office: Office) -> None:
    browser = office.browser("ana")
    page = browser.get("/review/language/pt?next=/review")
    assert '<html lang="pt">' in page.text and "Pegar o próximo caso" in page.text
    assert '<html lang="pt">' in browser.get("/review").text


@pytest.fixture
def open_desk(tiny_model: Path, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings_for(tiny_model, tmp_path, auth="off")), base_url="http://desk") as client:
        wait_until_ready(client)
        yield client


def test_where_keys_are_off_nobody_needs_one_but_actions_need_the_token(open_desk: TestClient) -> None:
    browser = Browser(open_desk)
    assert browser.get("/review").url.path == "/review"
    assert browser.post("/review/next", csrf="made-up").status_code == 403
    assert browser.post("/review/next").headers["location"] == "/review?note=nothing"


def test_sessions_with_one_secret_hold_in_every_process(tiny_model: Path, tmp_path: Path) -> None:
    settings = settings_for(tiny_model, tmp_path, auth="on", session_secret="s" * 32)
    one, other = (TestClient(create_app(settings)) for _ in range(2))
    with one, other:
        for client in (one, other):
            wait_until_ready(client)
        casebook = one.app.state.running.parts.casebook  # type: ignore[attr-defined]
        browser = Browser(one)
        browser.log_in(casebook.keys.create("ana", "analyst", datetime.now(UTC)).secret)
        other.cookies = one.cookies
        assert Browser(other).get("/review").url.path == "/review"
