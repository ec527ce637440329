"""What teams did, told: hand-offs, how long they took, what was done, and what is late."""

from collections.abc import Iterator
from datetime import datetime

from riskmodel.reports.insight.document import Cell, Picture, Section, Table, number, table
from riskmodel.reports.insight.findings import Both, Findings, Handoffs
from riskmodel.reports.insight.pictures import Estimate, shares
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.words import Words


def handoffs(report: Report, found: Findings, say: Words) -> Section:
    """Tell what became of what was handed over to teams."""
    handed = found.handoffs
    if handed is None or handed.opened.now == 0:
        return Section("handoffs", say("handoffs.title"), (say("handoffs.nothing"),))
    intro = say("handoffs.intro", opened=_both(handed.opened, say), mitigated=_both(handed.mitigated, say))
    ended = say(
        "handoffs.ended",
        refused=say.number(handed.refused.now),
        withdrawn=say.number(handed.withdrawn.now),
        open=say.number(handed.open.now),
        late=say.number(handed.late.now),
    )
    pictures = (_in_time(handed, say),) if handed.by_team else ()
    tables = [*_teams(handed, say), *_actions(handed, say), *_open(report, handed, say)]
    return Section("handoffs", say("handoffs.title"), (intro, ended), pictures, tuple(tables))


def _both(both: Both, say: Words) -> str:
    if both.before is None:
        return say.number(both.now)
    return f"{say.number(both.now)} ({say('tiles.before', value=say.number(both.before))})"


def _in_time(handed: Handoffs, say: Words) -> Picture:
    rows = [
        Estimate(
            say.name("team", one.name),
            one.share.value or 0.0,
            one.share.low,
            one.share.high,
            f"{say.percent(one.share.value)}  (n = {say.number(one.share.n)})",
        )
        for one in handed.by_team
    ]
    parts = [
        say("deadlines.part", rating=say.name("team", one.name), share=say.percent(one.share.value), n=one.share.n)
        for one in handed.by_team
    ]
    alternative = say("deadlines.picture_alt", parts="; ".join(parts))
    return Picture(shares(say("handoffs.picture"), alternative, rows), "handoffs.states")


def _teams(handed: Handoffs, say: Words) -> Iterator[Table]:
    if not handed.by_team:
        return
    rows = []
    for one in handed.by_team:
        spans = [
            handed.minutes.get((step, "team", one.name, 0), {}).get(percentile)
            for step, percentile in (("acknowledged", "p50"), ("mitigated", "p50"), ("mitigated", "p90"))
        ]
        written = [say.number(one.share.n), say.percent(one.share.value), *(say.span(span) for span in spans)]
        rows.append([Cell(say.name("team", one.name)), *map(number, written)])
    titles = ("due", "in_time", "half_acknowledged", "half_mitigated", "nine_mitigated")
    columns = [Cell(say("deadlines.team")), *(number(say(f"handoffs.{title}")) for title in titles)]
    yield table(say("handoffs.by_team"), columns, rows, "handoffs.mitigated")


def _actions(handed: Handoffs, say: Words) -> Iterator[Table]:
    if not handed.actions:
        return
    ordered = sorted(handed.actions.items(), key=lambda item: (-item[1].now, item[0]))
    rows = [
        [
            Cell(say.name("action", action)),
            number(say.number(both.now)),
            number("–" if both.before is None else say.number(both.before)),
        ]
        for action, both in ordered
    ]
    columns = [Cell(say("handoffs.action")), number(say("handoffs.times")), number(say("volume.before"))]
    yield table(say("handoffs.done"), columns, rows, "handoffs.actions")


def _open(report: Report, handed: Handoffs, say: Words) -> Iterator[Table]:
    found = report.figures["handoffs.open"].dicts()
    if not found:
        return
    rows = [
        [
            Cell(say("handoffs.number", number=row["handoff"])),
            Cell(say.name("rating", row["rating"]), rating=row["rating"]),
            *(Cell(say.name(kind, row[kind])) for kind in ("team", "category")),
            Cell(say.moment(datetime.fromisoformat(row["act_by"]))),
        ]
        for row in found
    ]
    columns = [Cell(say("handoffs.one")), *(Cell(say(f"deadlines.{name}")) for name in ("rating", "team", "category"))]
    columns.append(Cell(say("deadlines.due_at")))
    caption = say("handoffs.late_ones")
    if handed.late.now > len(found):
        caption += f" ({say('deadlines.open_more', listed=say.number(len(found)), n=say.number(handed.late.now))})"
    yield table(caption, columns, rows, "handoffs.open")
