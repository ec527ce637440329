"""A report with what a transparency report counts in; the count out, with what the desk has not, said plainly.

Articles 15 and 24 of Regulation (EU) 2022/2065 ask providers for notices by category, the time to act on them, and the
use and error rate of automated means. The desk sees reports and what was done about them, no more.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from riskmodel.casebook.database import Database
from riskmodel.policy import Policy
from riskmodel.reports.insight.findings import findings
from riskmodel.reports.insight.records import Report
from riskmodel.reports.insight.statements_of_reasons import WHY_EMPTY, Drafts, drafts
from riskmodel.reports.insight.storing import as_document
from riskmodel.review.measures import Share
from riskmodel.review.quality import AutomaticError

KINDS: Mapping[str, tuple[str, ...]] = {
    "notices (Article 16)": ("user_report",),
    "notices of trusted flaggers (Article 22)": ("trusted_flagger",),
    "from authorities (orders under Articles 9 and 10 are not told apart from requests)": (
        "government",
        "law_enforcement",
    ),
    "other notifications": ("press", "partner", "legal"),
    "own initiative": ("moderation_queue", "employee", "automated_detection"),
    "source not stated": ("",),
}
NO_CODE = "no code of the database"
HAS_NOT = (
    "complaints and their outcomes (Article 20)",
    "out-of-court disputes (Article 21)",
    "suspensions for misuse (Article 23)",
    "average monthly recipients (Article 24(2))",
    "which reports were orders, and the time to inform the authority of their receipt (Article 15(1)(a))",
    "whether the law or the terms and conditions were relied on (Article 15(1)(b))",
    "people who moderate and the languages they know (Article 42(2))",
)


def disclosure(database: Database, report: Report, policy: Policy) -> dict[str, Any]:
    """Return the count, and the drafts of statements of reasons, as JSON has them.

    Args:
        database: where mitigated hand-offs are.
        report: made with what is counted here.
        policy: which gives categories their codes.
    """
    made = database.read(lambda connection: drafts(connection, report.asked, report.as_of, policy))
    head = {name: value for name, value in as_document(report).items() if name != "figures"}
    return head | {"count": count(report, policy), "statements_of_reasons": _written(made)}


def count(report: Report, policy: Policy) -> dict[str, Any]:
    """Return what came in, by kind and category; how fast it was acted on; what machines did, and how often wrongly."""
    notices = report.figures["transparency.notices"].dicts()
    acted = report.figures["transparency.acted"].dicts()
    found, kind_of = findings(report), {source: kind for kind, sources in KINDS.items() for source in sources}
    came_in: dict[str, Counter[str]] = defaultdict(Counter)
    for row in notices:
        came_in[kind_of.get(row["source"], "other notifications")][code_of(row["category"], policy)] += row["n"]
    minutes: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in acted:
        kind = kind_of.get(row["source"], "other notifications")
        minutes[kind, code_of(row["category"], policy)].append((row["minutes"], row["n"]))
        minutes[kind, ""].append((row["minutes"], row["n"]))
    machines = sum(row["n"] for row in notices if row["route"] == "auto")
    return {
        "received": {
            kind: {
                "n": sum(came_in[kind].values()),
                "median_minutes_to_act": median(minutes[kind, ""]),
                "by_category": {
                    code: {"n": n, "median_minutes_to_act": median(minutes[kind, code])}
                    for code, n in sorted(came_in[kind].items())
                },
            }
            for kind in KINDS
        },
        "automation": {
            "rated_by_a_model": sum(row["n"] for row in notices),
            "accepted_without_a_person": machines,
            "actions_by_automated_means": "not known: teams record what they did, not whether a machine did it",
            "error_of_what_was_accepted": _error(found.audited),
        },
        "the_desk_has_not": list(HAS_NOT),
        "queries": {
            name: report.figures[name].query for name in ("transparency.notices", "transparency.acted", "audits.drawn")
        },
    }


def code_of(category: str, policy: Policy) -> str:
    """Return the database's code of a category."""
    rule = policy.categories.get(category)
    return NO_CODE if rule is None or rule.dsa is None else rule.dsa


def median(counted: list[tuple[int, int]]) -> int | None:
    """Return the median of minutes that are counted; None of none."""
    total = sum(n for _, n in counted)
    reached = 0
    for minutes, n in sorted(counted):
        reached += n
        if reached * 2 >= total:
            return minutes
    return None


def _error(audited: AutomaticError) -> dict[str, Any]:
    return {
        "drawn_by_chance": audited.drawn,
        "decided": audited.wrong.n,
        "rated_wrong": _share(audited.wrong),
        "rated_too_low": _share(audited.too_low),
    }


def _share(share: Share) -> dict[str, float] | None:
    if share.value is None:
        return None
    return {"share": round(share.value, 4), "low_95": round(share.low, 4), "high_95": round(share.high, 4)}


def _written(made: Drafts) -> dict[str, Any]:
    return {
        "note": "Drafts. Somebody must complete, check and submit them; nothing here was sent anywhere.",
        "left_out": dict(made.left_out),
        "missing": {field: {"drafts": n, "why": WHY_EMPTY[field]} for field, n in sorted(made.missing.items())},
        "drafts": [{"statement": dict(draft.fields), "missing": list(draft.missing)} for draft in made.drafts],
    }
