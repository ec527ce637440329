"""Every answer in, the same with the headers out that keep browsers and caches from doing harm with it."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MODEL_VERSION = "X-Model-Version"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NOTHING_MAY_LOAD = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The page of /docs starts its own files by a script in the page.
OWN_FILES = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
DOCS = "/docs"
# The review pages: own files only, forms only to themselves, nothing within the page itself.
OWN_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
REVIEW = "/review"
BY_LINK = re.compile(r"/[a-z]+/t/.*")  # pages that a link in a message opens


def policy_for(path: str) -> str:
    """Return what a page at a path may load."""
    if path == REVIEW or path.startswith(f"{REVIEW}/") or BY_LINK.fullmatch(path):
        return OWN_PAGES
    return OWN_FILES if path == DOCS else NOTHING_MAY_LOAD


class SafeHeaders:
    """ASGI middleware: adds security headers, and the version of the model that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete the headers of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                headers["Content-Security-Policy"] = policy_for(scope["path"])
                if MODEL_VERSION not in headers and (versions := scope["app"].state.running.models.versions):
                    headers[MODEL_VERSION] = versions[0]
            await send(message)

        await self.app(scope, receive, send_with_headers)
