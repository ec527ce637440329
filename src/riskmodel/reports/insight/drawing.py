"""Shapes on a surface: what a picture is before it becomes SVG in a page or strokes in a PDF."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Tone = Literal[
    "low", "medium", "high", "critical", "ink", "muted", "grid", "accent", "panel", "s0", "s1", "s2", "s3", "s4"
]
Anchor = Literal["start", "middle", "end"]

# What each tone is on white paper. A page in the dark has its own, see report.css.
PAPER: dict[Tone, str] = {
    "low": "#a9c7d8",
    "medium": "#efc750",
    "high": "#dd7a2b",
    "critical": "#a11d1d",
    "ink": "#1b2126",
    "muted": "#56606a",
    "grid": "#d5dade",
    "accent": "#1f5a8f",
    "panel": "#ffffff",
    "s0": "#eef3f7",
    "s1": "#cfdfec",
    "s2": "#9dbfda",
    "s3": "#5f95c2",
    "s4": "#1f5a8f",
}


@dataclass(frozen=True)
class Box:
    """A filled rectangle, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone


@dataclass(frozen=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    tone: Tone
    width: float = 1
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """A line of text; ``y`` is that of its base line."""

    x: float
    y: float
    text: str
    tone: Tone = "ink"
    anchor: Anchor = "start"
    size: float = 12
    bold: bool = False


Shape = Box | Stroke | Label


@dataclass(frozen=True)
class Drawing:
    """A picture with its size, its title, and what it shows in words for whoever does not see it."""

    width: float
    height: float
    title: str
    alternative: str
    shapes: tuple[Shape, ...]


def drawing(width: float, height: float, title: str, alternative: str, shapes: Iterable[Shape]) -> Drawing:
    """Return a drawing of shapes, the first at the bottom."""
    return Drawing(width, height, title, alternative, tuple(shapes))
