"""A document in, one HTML file out that needs nothing else: no script, its style within it, pictures as SVG."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from riskmodel.reports.insight.document import Document, Picture
from riskmodel.reports.insight.svg import svg

FOLDER = Path(__file__).with_name("templates")
STYLE = "report.css"


def html(document: Document, base: str = "") -> str:
    """Return the page.

    Args:
        document: what it shows.
        base: where the desk is reached, so that links into it work from elsewhere; empty within it.
    """
    return _environment().get_template("report.html").render(document=document, style=Markup(style()), base=base)


def body(document: Document, base: str = "") -> str:
    """Return what stands within the page, for another page that shows it."""
    return _environment().get_template("body.html").render(document=document, base=base)


@cache
def style() -> str:
    """Return the style sheet."""
    return (FOLDER / STYLE).read_text(encoding="utf-8")


@cache
def policy() -> str:
    """Return the content security policy under which the page works: its own style, and nothing else."""
    digest = b64encode(sha256(f"\n{style()}\n".encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def anchor(figure: str) -> str:
    """Return the name of the place where a figure's query stands."""
    return "q-" + figure.replace(".", "-")


def _picture(picture: Picture) -> Markup:
    return Markup(svg(picture.drawing, "p-" + picture.figure.replace(".", "-")))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"anchor": anchor, "picture": _picture}
    return made
