"""A report and a language in, the whole document out, ready to be set as a page, a PDF or Markdown."""

from collections.abc import Mapping

from riskmodel.records import Language
from riskmodel.reports.insight import coming_in, dealt_with, mitigated
from riskmodel.reports.insight.document import Document, Source, Tile
from riskmodel.reports.insight.findings import BothShares, Findings, findings
from riskmodel.reports.insight.growth import LEAST
from riskmodel.reports.insight.periods import BEFORE
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.saying import statements
from riskmodel.reports.insight.statistics import FALSE_DISCOVERIES
from riskmodel.reports.insight.words import Words, words
from riskmodel.review.measures import Share


def document(report: Report, language: Language, ids: Mapping[int, str]) -> Document:
    """Return a report in words.

    Args:
        report: what is told.
        language: of the words.
        ids: what cases that are named are called, by their numbers; those that are forgotten have none.
    """
    say, found = words(language, report.asked.zone), findings(report)
    numbers = {table: say.number(number) for table, number in report.as_of.numbers.items()}
    return Document(
        report.id,
        language,
        say("title"),
        _subtitle(report, say),
        say("says.title"),
        tuple(statements(report, found, say)),
        _tiles(found, say),
        (
            coming_in.volume(report, found, say),
            coming_in.growth(found, say),
            dealt_with.deadlines(report, found, say, ids),
            mitigated.handoffs(report, found, say),
            dealt_with.changes(found, say),
            dealt_with.audits(found, say),
            dealt_with.versions(report, say),
        ),
        say("method.title"),
        _method(report, say),
        say("queries.title"),
        say("queries.intro", **numbers),
        tuple(
            Source(figure.name, figure.query, say("queries.rows", n=say.number(len(figure.rows))))
            for figure in report.figures.values()
        ),
        say("query"),
    )


def _subtitle(report: Report, say: Words) -> tuple[str, ...]:
    asked = report.asked
    period = say("period", first=say.day(asked.first), last=say.day(asked.last))
    days = say("days", days=say.number(asked.days), zone=asked.zone)
    only = [asked.market] if asked.market is not None else []
    only += [say.name("language", asked.language)] if asked.language is not None else []
    made = say("made", moment=say.moment(report.made_at), name=report.made_by, id=report.id)
    return (f"{period} · {days} · {', '.join(only) or say('everything')}", made)


def _tiles(found: Findings, say: Words) -> tuple[Tile, ...]:
    audited, before = found.audited.wrong, found.audited_before.wrong
    total, critical = found.total, found.ratings["critical"]
    return (
        Tile(
            say("tiles.total"),
            say.number(total.now),
            _before(None if total.before is None else say.number(total.before), say),
            say.change(total.change) if total.change is not None else "",
            "volume.rating",
        ),
        Tile(
            say("tiles.critical"),
            say.number(critical.now),
            _before(None if critical.before is None else say.number(critical.before), say),
            say.change(critical.change) if critical.change is not None else "",
            "volume.rating",
        ),
        _share_tile("to_people", found.to_people, "volume.rating", say),
        _share_tile("in_time", found.deadlines.in_time, "deadlines.kept", say),
        _share_tile("raised", found.changes.raised, "changes.ratings", say),
        _share_tile("wrong", BothShares(audited, before), "audits.drawn", say, interval=True),
    )


def _share_tile(name: str, shares: BothShares, figure: str, say: Words, *, interval: bool = False) -> Tile:
    now, before = shares.now, shares.before
    note = f"n = {say.number(now.n)}"
    if interval and now.n:
        note = f"{say('tiles.interval', low=say.percent(now.low), high=say.percent(now.high))}; {note}"
    old = _before(say.percent(before.value) if before.n else None, say)
    return Tile(say(f"tiles.{name}"), _percent(now, say), old, note, figure)


def _percent(share: Share, say: Words) -> str:
    return say.percent(share.value)


def _before(value: str | None, say: Words) -> str:
    return say("tiles.nothing") if value is None else say("tiles.before", value=value)


def _method(report: Report, say: Words) -> tuple[str, ...]:
    return (
        say("method.cases"),
        say("method.newest"),
        say("method.interval"),
        say("method.growth", before=say.number(BEFORE), rate=say.percent(FALSE_DISCOVERIES), least=say.number(LEAST)),
        say("method.redaction"),
        say("method.again", id=report.id),
    )
