"""Findings in, what a director reads in one minute out: only what the figures support, what matters most first."""

from collections.abc import Iterator
from datetime import datetime

from riskmodel.reports.insight.document import Statement
from riskmodel.reports.insight.findings import LEAST_DECIDED, BothShares, Findings
from riskmodel.reports.insight.growth import Group
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.statistics import FALSE_DISCOVERIES
from riskmodel.reports.insight.words import Words
from riskmodel.review.measures import Share

NAMED = 3  # groups that are named beside the one that grew most
FEW_AUDITS = 30  # decided; an estimate from fewer says little


def statements(report: Report, found: Findings, say: Words) -> list[Statement]:
    """Return the sentences, what matters most first."""
    said = [*_late(report, found, say), *_volume(found, say)]
    if found.total.now:
        said += [*_critical(report, found, say), *_grown(found, say), *_in_time(found, say)]
        said += [*_mitigated(found, say)]
        said += [*_changed(found, say), *_wrong(found, say), *_versions(found, say)]
    return said


def _late(report: Report, found: Findings, say: Words) -> Iterator[Statement]:
    rows = report.figures["deadlines.open"].dicts()
    if rows:
        overdue = (report.made_at - datetime.fromisoformat(rows[0]["act_by"])).total_seconds() / 60
        n, rating = say.number(found.deadlines.open.now), say.name("rating", rows[0]["rating"])
        yield Statement(say("says.open", n=n, rating=rating, span=say.span(overdue)), "deadlines.open")


def _volume(found: Findings, say: Words) -> Iterator[Statement]:
    total, everything = found.total, found.growth.everything
    n, before = say.number(total.now), say.number(total.before or 0)
    if total.now == 0:
        text = say("says.volume_none")
    elif total.before is None:
        text = say("says.volume_alone" if found.is_over else "says.volume_so_far", n=n)
    elif everything.ratio is None:
        text = say("says.volume_before", n=n, before=before)
    elif everything.is_more_than_chance:
        key = "says.volume_more" if everything.ratio.value > 1 else "says.volume_less"
        text = say(key, n=n, **_ratio(everything, say))
    else:
        text = say("says.volume_usual", n=n, before=before)
    yield Statement(text, "growth.counts")


def _ratio(group: Group, say: Words) -> dict[str, str]:
    assert group.ratio is not None
    ratio = group.ratio
    return {
        name: say.number(value, 1) for name, value in (("ratio", ratio.value), ("low", ratio.low), ("high", ratio.high))
    }


def _critical(report: Report, found: Findings, say: Words) -> Iterator[Statement]:
    n = found.ratings["critical"].now
    if n == 0:
        return
    counts: dict[str, int] = {}
    for row in report.figures["volume.category"].dicts():
        if row["rating"] == "critical" and row["period"] == 0:
            counts[row["category"]] = counts.get(row["category"], 0) + row["n"]
    category = max(counts, key=lambda name: (counts[name], name))
    words = {
        "n": say.number(n),
        "share": say.percent(n / found.total.now),
        "category": say.name("category", category),
        "part": say.number(counts[category]),
    }
    yield Statement(say("says.critical", **words), "volume.category")


def _grown(found: Findings, say: Words) -> Iterator[Statement]:
    grown = found.growth.grown
    if grown:
        name = group_name(grown[0], say)
        yield Statement(
            say("says.grew", name=name, n=say.number(grown[0].count), **_ratio(grown[0], say)), "growth.counts"
        )
        if grown[1:]:
            names = "; ".join(group_name(group, say) for group in grown[1 : 1 + NAMED])
            yield Statement(say("says.grew_also", names=names), "growth.counts")
    elif found.growth.compared:
        yield Statement(say("says.grew_nothing", compared=say.number(found.growth.compared)), "growth.counts")


def group_name(group: Group, say: Words) -> str:
    """Return what a group is called: a category, perhaps in a market, or another value with its kind."""
    if group.market:
        return say("growth.in_market", name=say.name("category", group.name), market=say.name("market", group.market))
    return f"{say.name(group.kind, group.name)} ({say(f'kinds.{group.kind}')})"


def _in_time(found: Findings, say: Words) -> Iterator[Statement]:
    kept = found.deadlines.in_time
    if kept.now.value is None:
        return
    apart, known = kept.difference, kept.before.n > 0
    values = {"share": say.percent(kept.now.value), "n": say.number(kept.now.n)}
    if known and apart is not None and apart.is_more_than_chance:
        key = "says.in_time_better" if apart.value > 0 else "says.in_time_worse"
        text = say(key, points=say.number(100 * abs(apart.value), 1), **values)
    else:
        text = say("says.in_time", **values)
    yield Statement(text, "deadlines.kept")


def _mitigated(found: Findings, say: Words) -> Iterator[Statement]:
    handed = found.handoffs
    if handed is None or handed.in_time.now.n == 0:
        return
    kept = handed.in_time.now
    values = {"n": say.number(kept.n), "late": say.number(handed.late.now), "share": say.percent(kept.value)}
    yield Statement(say("says.mitigated", **values), "handoffs.states")


def _changed(found: Findings, say: Words) -> Iterator[Statement]:
    changes = found.changes
    if changes.raised.now.n < LEAST_DECIDED:
        return
    shares = {"raised": _share(changes.raised), "lowered": _share(changes.lowered)}
    written = {name: say.percent(share) for name, share in shares.items()}
    yield Statement(say("says.changed", n=say.number(changes.decided.now), **written), "changes.ratings")
    most = changes.raised_by_category[0]
    if most.rate <= FALSE_DISCOVERIES and most.share.low > (changes.raised.now.value or 0):
        values = {"category": say.name("category", most.name), "share": say.percent(most.share.value)}
        yield Statement(say("says.raised_most", n=say.number(most.share.n), **values), "changes.ratings")


def _share(shares: BothShares) -> float | None:
    return shares.now.value


def _wrong(found: Findings, say: Words) -> Iterator[Statement]:
    audited = found.audited
    if audited.drawn == 0:
        return
    if audited.wrong.n == 0:
        text = say("says.wrong_unknown", drawn=say.number(audited.drawn))
    elif audited.wrong.n < FEW_AUDITS:
        text = say("says.wrong_few", n=say.number(audited.wrong.n))
    else:
        text = say("says.wrong", n=say.number(audited.wrong.n), **error_words(audited.wrong, audited.too_low, say))
    yield Statement(text, "audits.drawn")


def error_words(wrong: Share, too_low: Share, say: Words) -> dict[str, str]:
    """Return two shares with their intervals, by the places that they fill in."""
    return {
        "share": say.percent(wrong.value),
        "low": say.percent(wrong.low),
        "high": say.percent(wrong.high),
        "too_low": say.percent(too_low.value),
        "too_low_low": say.percent(too_low.low),
        "too_low_high": say.percent(too_low.high),
    }


def _versions(found: Findings, say: Words) -> Iterator[Statement]:
    for key, names in (("model", found.new_models), ("policy", found.new_policies)):
        if names:
            yield Statement(say(f"says.{key}", names=", ".join(names)), "versions")
