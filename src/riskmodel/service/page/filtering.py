"""The address of a page in, the filters of the queue out, and back: a filtered queue is a link."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from riskmodel.policy import Policy
from riskmodel.records import LANGUAGES, MARKETS, RATINGS, SOURCES, UNDETERMINED, ReviewReason
from riskmodel.review import Filters
from riskmodel.service.page.catalogue import Catalogue

REASONS: tuple[str, ...] = ReviewReason.__args__  # type: ignore[attr-defined]
PURPOSES = ("review", "answer", "audit", "second", "third", "golden")
MINE = "1"


def options(policy: Policy, is_lead: bool) -> dict[str, tuple[str, ...]]:
    """Return the filters that have a list to choose from. What a case is a sample of, only a lead may know."""
    lists: dict[str, tuple[str, ...]] = {
        "rating": RATINGS[::-1],
        "language": (*LANGUAGES, UNDETERMINED),
        "category": policy.category_names,
        "source": SOURCES,
        "reason": REASONS,
    }
    return lists | ({"purpose": PURPOSES} if is_lead else {})


def choices(t: Catalogue, policy: Policy, is_lead: bool) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each list of filters with what its values are called."""
    groups = {"rating": "ratings", "language": "languages", "category": "categories"}
    return [
        (name, [(value, t.name(groups.get(name, f"{name}s"), value)) for value in values])
        for name, values in options(policy, is_lead).items()
    ]


def asked(query: Mapping[str, str], policy: Policy, is_lead: bool) -> dict[str, str]:
    """Return the filters of an address that can be used; others are left out, as a link may be old."""
    lists = options(policy, is_lead)
    found = {name: query[name] for name, values in lists.items() if query.get(name) in values}
    market = query.get("market", "").upper()
    if market in MARKETS:
        found["market"] = market
    if query.get("mine") == MINE:
        found["mine"] = MINE
    return found


def filters(found: Mapping[str, str], name: str) -> Filters:
    """Return the filters for the queue."""
    given: dict[str, Any] = dict(found)
    return Filters(**given | {"mine": name if "mine" in found else None, "analyst": name})


def address(path: str, found: Mapping[str, str], **more: str) -> str:
    """Return a path with filters, as a link."""
    query = urlencode(dict(found) | more)
    return f"{path}?{query}" if query else path
