"""Checked splits in; how many escalations of each rating, category and language out: a table and a picture."""

from collections.abc import Mapping
from pathlib import Path

import altair as alt
import pandas as pd
from rich.box import SIMPLE
from rich.table import Table

from riskmodel.errors import SettingsError
from riskmodel.policy import NO_VIOLATION
from riskmodel.records import RATINGS

PICTURE = Path(".cache/data.png")  # docs/pictures/data.png is drawn with --picture
LANGUAGE_NAMES = {"en": "English", "es": "Spanish", "pt": "Portuguese"}
SPLIT_COLOURS = ("#0072B2", "#E69F00")  # blue and orange of Okabe and Ito: apart for every kind of colour vision
PICTURE_FORMATS = (".png", ".svg")
PICTURE_SCALE = 1.5  # pixels per point: sharp on a dense screen, small enough for git
LABEL_WIDTH = 135  # points: the longest category, so that both rows of panels start at one edge


def count_ratings(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return columns split, language, name, count: one row per split, language and rating, zeros included."""
    return _count(frames, "rating", list(RATINGS))


def count_categories(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return columns split, language, name, count: an escalation counts once in each of its categories.

    The most frequent category comes first, ``none`` last.
    """
    exploded = {split: frame.explode("categories") for split, frame in frames.items()}
    totals = pd.concat(exploded.values())["categories"].value_counts()
    names = sorted(totals.index, key=lambda name: (name == NO_VIOLATION, -totals[name], name))
    return _count(exploded, "categories", names)


def _count(frames: Mapping[str, pd.DataFrame], column: str, names: list[str]) -> pd.DataFrame:
    keys = pd.MultiIndex.from_product([names, LANGUAGE_NAMES, frames], names=["name", "language", "split"])
    rows = pd.concat([frame[[column, "language"]].assign(split=split) for split, frame in frames.items()])
    counts = rows.groupby([column, "language", "split"]).size()
    return counts.rename_axis(keys.names).reindex(keys, fill_value=0).rename("count").reset_index()


def tabulate(frames: Mapping[str, pd.DataFrame]) -> Table:
    """Return the counts as a table for the terminal: a column per language and split, ratings, then categories."""
    ratings, categories = count_ratings(frames), count_categories(frames)
    table = Table(title="Labelled escalations", caption="An escalation may have several categories.", box=SIMPLE)
    table.add_column("", no_wrap=True)
    columns = [(language, split) for language in LANGUAGE_NAMES for split in frames]
    for language, split in columns:
        table.add_column(f"{language}\n{split}", justify="right")
    table.add_column("\nall", justify="right", style="bold")
    for counts in (ratings, categories):
        for name, cells in counts.groupby("name", sort=False)["count"]:
            # a name's rows stand in the order of the columns, as _count lays them out
            table.add_row(str(name), *(f"{cell:,}" for cell in [*cells, cells.sum()]))
        table.add_section()
    sizes = [int((frames[split]["language"] == language).sum()) for language, split in columns]
    table.add_row("escalations", *(f"{size:,}" for size in [*sizes, sum(sizes)]), style="bold")
    return table


def draw(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Draw the counts and save the picture, PNG or SVG by the ending of ``path``.

    Raises:
        SettingsError: if the picture cannot be written there.
    """
    if path.suffix not in PICTURE_FORMATS:
        raise SettingsError(f"Picture {path} has another ending, expected {' or '.join(PICTURE_FORMATS)}.")
    total = sum(len(frame) for frame in frames.values())
    chart = (
        alt.vconcat(
            _bars(count_ratings(frames), "Ratings", "written in these shares: not the rates of a real desk"),
            _bars(
                count_categories(frames),
                "Categories",
                'an escalation may have several; one with no violation has only "none"',
            ),
            spacing=28,
        )
        .properties(title=alt.Title(f"{total:,} labelled escalations", fontSize=20, anchor="start", offset=12))
        .configure(padding=16, background="white")
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, titleFontSize=12, domain=False, ticks=False)
        .configure_legend(labelFontSize=12, titleFontSize=12, orient="top")
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        chart.save(str(path), scale_factor=PICTURE_SCALE)
    except OSError as error:
        raise SettingsError(f"Picture {path} cannot be written: {error.strerror}.") from error


def _bars(counts: pd.DataFrame, title: str, subtitle: str) -> alt.FacetChart:
    """Return one bar per name, split into train and test, with its total at the end: a panel per language."""
    order, splits = list(counts["name"].unique()), list(counts["split"].unique())
    counts = counts.assign(
        language=counts["language"].map(LANGUAGE_NAMES),
        stack=counts["split"].map(splits.index),
        total=counts.groupby(["name", "language"])["count"].transform("sum"),
    )
    y = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelPadding=6, minExtent=LABEL_WIDTH))
    colour = alt.Color("split:N", sort=splits, title=None, scale=alt.Scale(domain=splits, range=SPLIT_COLOURS))
    room = alt.Scale(domainMax=float(counts["total"].max()) * 1.15, nice=False)  # for the number at the bar's end
    x = alt.X("count:Q", title="escalations", axis=alt.Axis(tickCount=4), scale=room)
    bars = alt.Chart().mark_bar().encode(x=x, y=y, color=colour, order="stack:Q")
    once = alt.Chart().transform_filter("datum.stack == 0")
    numbers = once.mark_text(align="left", dx=4, fontSize=11).encode(x="total:Q", y=y, text="total:Q")
    header = alt.Header(title=None, labelFontSize=14, labelFontWeight="bold")
    return (
        alt.layer(bars, numbers, data=counts)
        .properties(width=220, height=alt.Step(20))
        .facet(column=alt.Column("language:N", sort=list(LANGUAGE_NAMES.values()), header=header))
        .properties(title=alt.Title(title, subtitle=subtitle, fontSize=15, anchor="start"))
    )
