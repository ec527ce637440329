"""Numbers with their words in, drawings out: each with its values written in it, readable without its colours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10

from riskmodel.records import RATINGS, Rating
from riskmodel.reports.insight.drawing import Box, Drawing, Label, Shape, Stroke, Tone, drawing

WIDTH = 720.0
LEFT = 150.0  # of what has names on its left
ROW = 26.0
MOST_NAMES = 11  # under an axis
SHADES: tuple[Tone, ...] = ("s0", "s1", "s2", "s3", "s4")


@dataclass(frozen=True)
class Column:
    """A column of stacked parts, by rating."""

    name: str
    parts: Mapping[Rating, int]

    @property
    def total(self) -> int:
        """Return the height."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, what it is called, and how it is written."""

    name: str
    value: float
    low: float
    high: float
    written: str
    tone: Tone = "accent"


def stacked(
    title: str,
    alternative: str,
    columns: Sequence[Column],
    names: Mapping[Rating, str],
    usual: tuple[float, str] | None,
) -> Drawing:
    """Return columns over time, the most urgent on top, with a line for what was usual before."""
    height, top, bottom, left = 280.0, 46.0, 30.0, 48.0
    most = max([column.total for column in columns] + ([usual[0]] if usual else []), default=0)
    step = _step(most)
    reach = max(step * ceil(most / step), 1)
    scale = (height - top - bottom) / reach
    base = height - bottom
    wide = (WIDTH - left - 8) / max(len(columns), 1)
    shapes: list[Shape] = [*_legend(names, left)]
    for value in range(0, int(reach) + 1, int(step)):
        y = base - value * scale
        shapes += [Stroke(left, y, WIDTH - 8, y, "grid"), Label(left - 6, y + 4, f"{value:,}", "muted", "end", 11)]
    every = max(1, ceil(len(columns) / MOST_NAMES))
    for at, column in enumerate(columns):
        y, x = base, left + at * wide
        for rating in RATINGS:
            tall = column.parts.get(rating, 0) * scale
            y -= tall
            if tall:
                shapes.append(Box(x + wide * 0.1, y, wide * 0.8, tall, rating))
        if at % every == 0:
            shapes.append(Label(x + wide / 2, height - 10, column.name, "muted", "middle", 11))
    if usual is not None:
        y = base - usual[0] * scale
        shapes += [Stroke(left, y, WIDTH - 8, y, "ink", 1.5, True), Label(WIDTH - 8, y - 5, usual[1], "ink", "end", 11)]
    return drawing(WIDTH, height, title, alternative, shapes)


def week(title: str, alternative: str, counts: Mapping[tuple[int, int], int], weekdays: Sequence[str]) -> Drawing:
    """Return the hours of a week as a field of cells, darker where more cases come; the most is written."""
    left, top, wide, tall = 48.0, 8.0, (WIDTH - 56) / 24, 22.0
    most = max(counts.values(), default=0)
    busiest = max(counts, key=lambda place: counts[place], default=None)
    shapes: list[Shape] = []
    for day, name in enumerate(weekdays):
        y = top + day * tall
        shapes.append(Label(left - 6, y + 15, name, "muted", "end", 11))
        for hour in range(24):
            n = counts.get((day, hour), 0)
            shade = min(len(SHADES) - 1, int(len(SHADES) * n / most)) if most else 0
            shapes.append(Box(left + hour * wide, y, wide - 1.5, tall - 1.5, SHADES[shade]))
            if (day, hour) == busiest:
                shapes.append(Label(left + hour * wide + wide / 2 - 1, y + 14, f"{n:,}", "panel", "middle", 10, True))
    y = top + 7 * tall + 14
    shapes += [Label(left + hour * wide + wide / 2, y, f"{hour}", "muted", "middle", 11) for hour in range(0, 24, 3)]
    return drawing(WIDTH, y + 8, title, alternative, shapes)


def ratios(title: str, alternative: str, rows: Sequence[Estimate], at: str) -> Drawing:
    """Return ratios with intervals on a logarithmic axis, and a line at 1, called ``at``."""
    low = min([0.8, *(row.low for row in rows)])
    high = min(max([1.25, *(row.high for row in rows)]), 64.0)
    left, right = LEFT + 60, WIDTH - 150

    def place(value: float) -> float:
        return left + (right - left) * (log(min(max(value, low), high)) - log(low)) / (log(high) - log(low))

    base = 14 + len(rows) * ROW
    shapes: list[Shape] = [
        Stroke(place(1), 6, place(1), base, "ink", 1, True),
        Label(place(1), base + 16, at, "muted", "middle", 11),
    ]
    for value in (0.125, 0.25, 0.5, 2, 4, 8, 16, 32):
        if low <= value <= high:
            shapes += [
                Stroke(place(value), 6, place(value), base, "grid"),
                Label(place(value), base + 16, f"×{value:g}", "muted", "middle", 11),
            ]
    shapes += _intervals(rows, place, left, 14)
    return drawing(WIDTH, base + 24, title, alternative, shapes)


def shares(title: str, alternative: str, rows: Sequence[Estimate]) -> Drawing:
    """Return shares with intervals on an axis that reaches as far as they do, at most from 0 to 100%."""
    reach = min(1.0, _nice(max([0.05, *(row.high for row in rows)])))
    left, right = LEFT + 60, WIDTH - 150

    def place(value: float) -> float:
        return left + (right - left) * min(value, reach) / reach

    base = 14 + len(rows) * ROW
    shapes: list[Shape] = []
    for part in range(5):
        value = reach * part / 4
        written = f"{100 * value:.0f}%" if reach >= 0.2 else f"{100 * value:.1f}%"
        shapes += [
            Stroke(place(value), 6, place(value), base, "grid"),
            Label(place(value), base + 16, written, "muted", "middle", 11),
        ]
    shapes += [Box(left, 14 + at * ROW, place(row.value) - left, 18, "s1") for at, row in enumerate(rows)]
    shapes += _intervals(rows, place, left, 14)
    return drawing(WIDTH, base + 24, title, alternative, shapes)


def matrix(
    title: str,
    alternative: str,
    counts: Mapping[tuple[Rating, Rating], int],
    names: Mapping[Rating, str],
    axes: tuple[str, str],
) -> Drawing:
    """Return how many went from which rating to which; darker where a larger part of a row lies."""
    wide, tall, left, top = 110.0, 34.0, LEFT, 44.0
    shapes: list[Shape] = [
        Label(left + 2 * wide, 14, axes[1], "muted", "middle", 12),
        Label(left - 10, top - 8, axes[0], "muted", "end", 12),
    ]
    shapes += [Label(left + at * wide + wide / 2, 34, names[to], "ink", "middle") for at, to in enumerate(RATINGS)]
    for down, said in enumerate(RATINGS):
        y, total = top + down * tall, sum(counts.get((said, to), 0) for to in RATINGS)
        shapes.append(Label(left - 10, y + 21, names[said], "ink", "end"))
        for at, to in enumerate(RATINGS):
            n = counts.get((said, to), 0)
            shade = min(len(SHADES) - 1, int(len(SHADES) * n / total)) if total else 0
            x = left + at * wide
            shapes.append(Box(x, y, wide - 2, tall - 2, SHADES[shade]))
            tone: Tone = "panel" if shade >= 3 else "ink"
            shapes.append(Label(x + wide / 2, y + 21, f"{n:,}", tone, "middle", 13, said == to))
        shapes.append(Label(left + 4 * wide + 8, y + 21, f"= {total:,}", "muted", "start", 11))
    return drawing(WIDTH, top + 4 * tall + 6, title, alternative, shapes)


def _legend(names: Mapping[Rating, str], left: float) -> Iterator[Shape]:
    x = left
    for rating in reversed(RATINGS):
        yield Box(x, 10, 14, 14, rating)
        yield Label(x + 20, 22, names[rating], "ink")
        x += 34 + 7.5 * len(names[rating])


def _intervals(rows: Sequence[Estimate], place: Callable[[float], float], left: float, top: float) -> Iterator[Shape]:
    for at, row in enumerate(rows):
        y = top + at * ROW + ROW / 2 - 4
        yield Label(left - 12, y + 4, row.name, "ink", "end", 12)
        yield Stroke(place(row.low), y, place(row.high), y, row.tone, 6)
        yield Stroke(place(row.value), y - 8, place(row.value), y + 8, "ink", 2.5)
        yield Label(WIDTH - 142, y + 4, row.written, "ink", "start", 12)


def _step(most: float) -> float:
    """Return a round distance between the lines of an axis, such that there are three to six."""
    if most <= 5:
        return 1
    unit = 10.0 ** floor(log10(most / 4))
    return next(unit * factor for factor in (1, 2, 5, 10) if most / (unit * factor) <= 6)


def _nice(value: float) -> float:
    """Return the next of 4%, 8%, 20%, 40%, 80% and 100%."""
    return next((bound for bound in (0.04, 0.08, 0.2, 0.4, 0.8) if value <= bound), 1.0)
