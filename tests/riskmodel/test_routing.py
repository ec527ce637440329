"""The first rule that fits names the team."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.records import RATINGS
from riskmodel.routing import Route, first_that_takes, never_reached

CATEGORIES = ("hate", "privacy", "none")
routes = st.builds(
    Route,
    team=st.sampled_from(["one", "two"]),
    categories=st.none() | st.lists(st.sampled_from(CATEGORIES), min_size=1),
    rating_from=st.none() | st.sampled_from(RATINGS),
    markets=st.none() | st.lists(st.sampled_from(["BR", "MX"]), min_size=1),
)


def test_the_first_rule_that_fits_wins() -> None:
    rules = [Route(team="one", rating_from="high"), Route(team="two", categories=["hate"]), Route(team="three")]

    assert [
        found.team
        for found in (
            first_that_takes(rules, "hate", "critical", None),
            first_that_takes(rules, "hate", "low", "BR"),
            first_that_takes(rules, "privacy", "low", "BR"),
        )
        if found is not None
    ] == ["one", "two", "three"]


def test_an_escalation_of_an_unknown_market_is_in_no_market() -> None:
    assert first_that_takes([Route(team="one", markets=["BR"])], "hate", "low", None) is None


def test_what_several_rules_take_together_leaves_nothing_for_the_next() -> None:
    rules = [Route(team="one", rating_from="high"), Route(team="two"), Route(team="three", categories=["hate"])]

    assert never_reached(rules, CATEGORIES) == [2]


@settings(deadline=None, max_examples=50)
@given(st.lists(routes, max_size=4))
def test_a_rule_is_never_reached_if_and_only_if_no_escalation_gets_to_it(rules: list[Route]) -> None:
    cases = product(CATEGORIES, RATINGS, ("BR", "MX", "US", None))
    reached = [first_that_takes(rules, *case) for case in cases]

    assert never_reached(rules, CATEGORIES) == [
        at for at, rule in enumerate(rules) if not any(found is rule for found in reached)
    ]
