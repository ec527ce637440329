"""What became of cases, told: deadlines, what people changed, errors where nobody looks, and which versions rated."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from riskmodel.records import RATINGS
from riskmodel.reports.insight.document import Cell, Picture, Section, Table, number, table
from riskmodel.reports.insight.findings import LEAST_DECIDED, Deadlines, Findings, Named
from riskmodel.reports.insight.pictures import Estimate, matrix, shares
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.saying import error_words
from riskmodel.reports.insight.words import Words
from riskmodel.review.measures import Share


def deadlines(report: Report, found: Findings, say: Words, ids: Mapping[int, str]) -> Section:
    """Tell how deadlines were kept.

    Args:
        report: whose late cases are listed.
        found: its findings.
        say: its words.
        ids: what the late cases are called, by their numbers; forgotten ones have none.
    """
    kept = found.deadlines
    if kept.in_time.now.value is None:
        return Section("deadlines", say("deadlines.title"), (say("deadlines.nothing"),))
    values = {
        "late": say.number(kept.late.now),
        "open": say.number(kept.open.now),
        "late_before": "–" if kept.late.before is None else say.number(kept.late.before),
        "open_before": "–" if kept.open.before is None else say.number(kept.open.before),
    }
    paragraphs = (say("deadlines.intro", not_due=say.number(kept.not_due)), say("deadlines.late", **values))
    tables = [
        _kept("rating", kept.by_rating, kept, say),
        _kept("team", kept.by_team, kept, say),
        *_open(report, kept, say, ids),
    ]
    return Section("deadlines", say("deadlines.title"), paragraphs, (_in_time(kept, say),), tuple(tables))


def _in_time(kept: Deadlines, say: Words) -> Picture:
    rows = [_estimate(say.name("rating", one.name), one.share, say) for one in kept.by_rating]
    parts = [
        say("deadlines.part", rating=say.name("rating", one.name), share=say.percent(one.share.value), n=one.share.n)
        for one in kept.by_rating
    ]
    alternative = say("deadlines.picture_alt", parts="; ".join(parts))
    return Picture(shares(say("deadlines.picture"), alternative, rows), "deadlines.kept")


def _estimate(name: str, share: Share, say: Words) -> Estimate:
    return Estimate(
        name, share.value or 0.0, share.low, share.high, f"{say.percent(share.value)}  (n = {say.number(share.n)})"
    )


def _kept(kind: str, groups: Sequence[Named], kept: Deadlines, say: Words) -> Table:
    titles = (say("deadlines.due"), say("deadlines.in_time"), say("deadlines.half"), say("deadlines.nine"))
    rows = []
    for one in groups:
        minutes = kept.minutes.get((kind, one.name, 0), {})
        written = [say.number(one.share.n), say.percent(one.share.value)]
        written += [say.span(minutes.get(percentile)) for percentile in ("p50", "p90")]
        rows.append(
            [Cell(say.name(kind, one.name), rating=one.name if kind == "rating" else None), *map(number, written)]
        )
    columns = [Cell(say(f"deadlines.{kind}")), *(number(title) for title in titles)]
    return table(say(f"deadlines.by_{kind}"), columns, rows, "deadlines.minutes")


def _open(report: Report, kept: Deadlines, say: Words, ids: Mapping[int, str]) -> Iterator[Table]:
    found = report.figures["deadlines.open"].dicts()
    if not found:
        return
    rows = []
    for row in found:
        id_ = ids.get(row["case"])
        case = Cell(say("forgotten")) if id_ is None else Cell(id_, link=f"/escalations/{id_}")
        due = say.moment(datetime.fromisoformat(row["act_by"]))
        names = [say.name(kind, row[kind]) for kind in ("team", "category")]
        rows.append([case, Cell(say.name("rating", row["rating"]), rating=row["rating"]), *map(Cell, names), Cell(due)])
    columns = [Cell(say(f"deadlines.{name}")) for name in ("case", "rating", "team", "category", "due_at")]
    caption = say("deadlines.open")
    if kept.open.now > len(found):
        caption += f" ({say('deadlines.open_more', listed=say.number(len(found)), n=say.number(kept.open.now))})"
    yield table(caption, columns, rows, "deadlines.open")


def changes(found: Findings, say: Words) -> Section:
    """Tell what analysts changed."""
    made = found.changes
    if made.decided.now == 0:
        return Section("changes", say("changes.title"), (say("changes.nothing"),))
    names = {rating: say.name("rating", rating) for rating in RATINGS}
    kept = sum(n for (model, people), n in made.matrix.items() if model == people)
    raised, lowered = (round((one.now.value or 0) * one.now.n) for one in (made.raised, made.lowered))
    alternative = say(
        "changes.picture_alt",
        n=say.number(made.decided.now),
        kept=say.number(kept),
        raised=say.number(raised),
        lowered=say.number(lowered),
    )
    axes = (say("changes.model"), say("changes.people"))
    picture = Picture(matrix(say("changes.picture"), alternative, made.matrix, names, axes), "changes.ratings")
    tables = (
        _changed("category", made.raised_by_category, made.lowered_by_category, say),
        _changed("language", made.raised_by_language, made.lowered_by_language, say),
    )
    paragraphs = (say("changes.intro"), say("changes.few", least=say.number(LEAST_DECIDED)))
    return Section("changes", say("changes.title"), paragraphs, (picture,), tables)


def _changed(kind: str, raised: Sequence[Named], lowered: Sequence[Named], say: Words) -> Table:
    down = {one.name: one.share for one in lowered}
    columns = [Cell(say(f"kinds.{kind}")), *(number(say(f"changes.{name}")) for name in ("n", "raised", "lowered"))]
    rows = [
        [
            Cell(say.name(kind, one.name)),
            number(say.number(one.share.n)),
            number(_with_interval(one.share, say)),
            number(_with_interval(down[one.name], say)),
        ]
        for one in raised
    ]
    return table(say(f"changes.{kind}"), columns, rows, "changes.ratings")


def _with_interval(share: Share, say: Words) -> str:
    return f"{say.percent(share.value)} ({say.percent(share.low)} – {say.percent(share.high)})"


def audits(found: Findings, say: Words) -> Section:
    """Tell how often accepted ratings are wrong."""
    audited = found.audited
    if audited.wrong.n == 0:
        return Section("audits", say("audits.title"), (say("audits.nothing"),))
    intro = say(
        "audits.intro",
        drawn=say.number(audited.drawn),
        undecided=say.number(audited.undecided),
        stands_for=say.number(audited.stands_for),
    )
    paragraphs = (intro, say("audits.undecided")) if audited.undecided * 10 > audited.drawn else (intro,)
    rows = [_estimate(say("audits.wrong"), audited.wrong, say), _estimate(say("audits.too_low"), audited.too_low, say)]
    rows += [
        _estimate(f"{say('audits.wrong')}, {say.name('language', language)}", one.wrong, say)
        for language, one in found.audited_by_language
        if one.wrong.n
    ]
    words = error_words(audited.wrong, audited.too_low, say)
    alternative = say("audits.picture_alt", wrong=words.pop("share"), **words)
    picture = Picture(shares(say("audits.picture"), alternative, rows), "audits.drawn")
    columns = [Cell(""), *(number(say(f"audits.{name}")) for name in ("n", "share"))]
    before = found.audited_before
    cells = [
        (say("audits.wrong"), audited.wrong, before.wrong),
        (say("audits.too_low"), audited.too_low, before.too_low),
    ]
    columns.append(number(say("volume.before")))
    listed = [
        [
            Cell(name),
            number(say.number(now.n)),
            number(_with_interval(now, say)),
            number(_with_interval(old, say) if old.n else "–"),
        ]
        for name, now, old in cells
    ]
    return Section(
        "audits",
        say("audits.title"),
        paragraphs,
        (picture,),
        (table(say("audits.title"), columns, listed, "audits.drawn"),),
    )


def versions(report: Report, say: Words) -> Section:
    """Tell which models and policies rated."""
    rows = [
        [
            Cell(row["model"]),
            Cell(row["policy"]),
            Cell(say.moment(datetime.fromisoformat(row["first"]))),
            Cell(say.moment(datetime.fromisoformat(row["last"]))),
            number(say.number(row["n"])),
        ]
        for row in report.figures["versions"].dicts()
    ]
    if not rows:
        return Section("versions", say("versions.title"), (say("none"),))
    columns = [
        *(Cell(say(f"versions.{name}")) for name in ("model", "policy", "first", "last")),
        number(say("versions.n")),
    ]
    words = say("versions.same") if len(rows) == 1 else say("versions.intro")
    return Section(
        "versions", say("versions.title"), (words,), (), (table(say("versions.title"), columns, rows, "versions"),)
    )
