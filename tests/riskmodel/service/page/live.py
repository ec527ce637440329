"""A review desk that real browsers reach, and what a person does in one."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from tests.riskmodel.service.page.office import Office

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextlib.contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", http="httptools", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Live:
    """A desk at an address, and a browser."""

    office: Office
    address: str
    browser: Browser

    def open(self, name: str | None, path: str = "/review", **options: Any) -> "Seat":
        """Sit down at a browser, as somebody who has logged in, or as nobody yet."""
        context = self.browser.new_context(**{"viewport": WIDE, "locale": "en"} | options)
        page = context.new_page()
        seat = Seat(self, page, [])
        page.on("pageerror", lambda error: seat.faults.append(str(error)))
        page.on("console", lambda message: seat.note(message.type, message.text))
        seat.go(path)
        if name is not None:
            page.fill("#key", self.office.secrets[name])
            page.keyboard.press("Enter")
            page.wait_for_url(f"{self.address}{path}")
        return seat


@dataclass
class Seat:
    """One person at one browser."""

    live: Live
    page: Page
    faults: list[str]

    def note(self, kind: str, text: str) -> None:
        """Remember what the console complains of; refused answers are no fault of the page."""
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.faults.append(text)

    def go(self, path: str) -> None:
        self.page.goto(self.live.address + path)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def text(self, selector: str) -> str:
        return " ".join(self.page.inner_text(selector).split())

    def case(self) -> int:
        """Wait for a case, and return its number."""
        self.page.wait_for_selector("#verdict")
        return int(self.page.get_attribute("#verdict", "data-case") or "0")

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))  # through the debugger, where no policy forbids it
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]

    def shift(self) -> float:
        """Return how much of the page moved by itself since it was opened."""
        return float(
            self.page.evaluate(
                """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries()
                .filter(one => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0)))
                .observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""
            )
        )


def eventually(condition: Any, seconds: float = 10) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)
