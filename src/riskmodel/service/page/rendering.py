"""A template and what it shows in, a page out: escaped, compressed, its files named by their content."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from riskmodel.reports.insight import html
from riskmodel.service.page import marking, views, wording

FOLDER = Path(__file__).parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".txt": "text/plain", ".svg": "image/svg+xml"}
COMPRESS_FROM = 1_000  # bytes
FOREVER = "public, max-age=31536000, immutable"  # the address changes with the content


@dataclass(frozen=True)
class Asset:
    """A file that pages load."""

    media_type: str
    plain: bytes
    compressed: bytes
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return the files that pages load, by name."""
    paths = [*sorted((FOLDER / "static").iterdir()), html.FOLDER / html.STYLE]
    return {path.name: _asset(path) for path in paths if path.suffix in TYPES}


def asset_response(request: Request, asset: Asset) -> Response:
    """Return a file, to be kept for good."""
    return compressible(
        request, asset.plain, asset.compressed, f"{asset.media_type}; charset=utf-8", {"Cache-Control": FOREVER}
    )


def page(request: Request, template: str, status: int, shown: Mapping[str, Any]) -> Response:
    """Return a page."""
    html = environment().get_template(template).render(shown).encode()
    # What is secret here and what a stranger wrote share a body; but no other site can make a browser ask for it,
    # the cookie being SameSite=Strict, so that its compressed size tells nobody anything.
    packed = gzip.compress(html, 6, mtime=0) if len(html) >= COMPRESS_FROM else html
    return compressible(request, html, packed, "text/html; charset=utf-8", {}, status)


def compressible(
    request: Request, plain: bytes, packed: bytes, media_type: str, headers: dict[str, str], status: int = 200
) -> Response:
    """Return a body, compressed if the browser takes that and it is any shorter."""
    use = "gzip" in request.headers.get("accept-encoding", "") and len(packed) < len(plain)
    headers = headers | {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if use else {})
    return Response(packed if use else plain, status, headers, media_type)


@cache
def environment() -> Environment:
    """Return the templates, with everything escaped and nothing undefined."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {"asset": _address, "views": views, "wording": wording, "glyphs": marking.glyphs}
    return made


def _address(name: str) -> str:
    return f"/review/static/{name}?v={assets()[name].digest}"


def _asset(path: Path) -> Asset:
    plain = path.read_bytes()
    return Asset(TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
