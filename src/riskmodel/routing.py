"""Main category, rating and market of an escalation in, the rule that names its team out."""

from collections.abc import Sequence
from itertools import product
from typing import Annotated

from pydantic import AfterValidator, Field

from riskmodel.records import MARKETS, RATINGS, Rating, Record


def _known_markets(markets: list[str] | None) -> list[str] | None:
    unknown = sorted(set(markets or ()) - MARKETS)
    if unknown:
        raise ValueError(f"found {', '.join(unknown)}, expected ISO 3166-1 alpha-2 country codes, such as BR or MX")
    return markets


class Route(Record):
    """A team for some main categories, from a rating up, in some markets; what is left out may be any."""

    team: str
    categories: Annotated[list[str] | None, Field(min_length=1)] = None
    rating_from: Rating | None = None
    markets: Annotated[list[str] | None, Field(min_length=1), AfterValidator(_known_markets)] = None

    def takes(self, category: str, rating: Rating, market: str | None) -> bool:
        """Return whether the rule is for such an escalation; one whose market is unknown is in none of those listed."""
        return (
            (self.categories is None or category in self.categories)
            and (self.rating_from is None or RATINGS.index(rating) >= RATINGS.index(self.rating_from))
            and (self.markets is None or market in self.markets)
        )


def first_that_takes(routes: Sequence[Route], category: str, rating: Rating, market: str | None) -> Route | None:
    """Return the first rule for such an escalation, if there is one."""
    return next((route for route in routes if route.takes(category, rating, market)), None)


def never_reached(routes: Sequence[Route], categories: Sequence[str]) -> list[int]:
    """Return the positions of rules that no escalation gets to, because those before take every one of theirs."""
    markets = [*sorted({market for route in routes for market in route.markets or ()}), None]
    cases = list(product(categories, RATINGS, markets))
    reached = {next((at for at, route in enumerate(routes) if route.takes(*case)), None) for case in cases}
    return [at for at in range(len(routes)) if at not in reached]
