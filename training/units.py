"""Ids in, the part of the corpus that each stands in out: its unit, whether it contrasts, whether it is a post."""

import pandas as pd

from riskmodel.records import LANGUAGES

CONTRAST_UNITS = (5, 6, 8)
POST_UNITS = (7,)


def unit(frame: pd.DataFrame) -> "pd.Series[int]":
    """Return the corpus unit in each id (``pt-5-188`` → 5), missing where an id has another form."""
    form = rf"^(?:{'|'.join(LANGUAGES)})-([0-9]{{1,3}})-[0-9]+$"
    return frame["id"].str.extract(form, expand=False).astype("Int64").rename("unit")


def is_contrast(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each record was written to contrast with others; False for ids of another form."""
    return unit(frame).isin(CONTRAST_UNITS).astype(bool)


def is_post(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each record is content itself, not a report about it; False for ids of another form."""
    return unit(frame).isin(POST_UNITS).astype(bool)
