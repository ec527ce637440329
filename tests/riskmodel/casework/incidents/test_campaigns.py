"""Campaigns: many alike within a day, more than the usual rate explains."""

from math import exp, isclose

import pytest

from riskmodel.casework.incidents.campaigns import LEAST, LEAST_BEFORE, MOST_CHANCE, expected_alike
from riskmodel.casework.incidents.chance import chance_of_at_least
from riskmodel.casework.incidents.naming import distinctive_words
from tests.riskmodel.casework.incidents.made import Reports, story, told


@pytest.mark.parametrize(
    ("count", "expected", "chance"),
    [(0, 2.0, 1.0), (1, 2.0, 1 - exp(-2)), (2, 0.5, 1 - 1.5 * exp(-0.5)), (10, 1.0, 1.1142547833872e-07)],
)
def test_the_chance_is_poissons(count: int, expected: float, chance: float) -> None:
    assert isclose(chance_of_at_least(count, expected), chance, rel_tol=1e-9)


def test_a_day_on_which_everything_doubles_expects_twice_as_many() -> None:
    assert expected_alike(9, 1_000, 200) == 2 * expected_alike(9, 1_000, 100) == 2.0
    assert expected_alike(0, 100, 50) == 0.5  # never none, or whatever is new would be a campaign


def usual(reports: Reports, count: int = LEAST_BEFORE + 10) -> None:
    """Add reports of all sorts, over two days."""
    for at in range(count):
        reports.add(f"usual-{at:03}", story(100 + at), hours=at * 48 / count, text="of all sorts, as every day")


def flood(reports: Reports, seed: int, count: int, *, hours: float, spread: float = 0.5, name: str = "flood") -> None:
    for at in range(count):
        text = f"buyers lose deposits at treasure-tickets.example and wait, number {at}"
        vector = told(seed, 0.6, by=10_000 + 100 * seed + at)
        reports.add(f"{name}-{at:02}", vector, hours=hours + at * spread, text=text)


def test_a_flood_is_found_within_its_day_and_named_by_its_link(reports: Reports) -> None:
    usual(reports)
    flood(reports, 1, LEAST + 4, hours=72)
    reports.joiner.round()

    (campaign,) = reports.incidents.campaigns(None, 10).campaigns
    assert campaign.words[0] == "treasure-tickets.example"
    assert campaign.reports == LEAST + 4
    assert LEAST <= campaign.seen <= LEAST + 2
    assert campaign.expected < 1
    assert campaign.chance <= MOST_CHANCE
    found = reports.incidents.campaign(campaign.number)
    assert len(found.members) == LEAST + 4


def test_what_comes_so_often_every_day_is_no_campaign(many: Reports) -> None:
    flood(many, 1, 120, hours=0, spread=2.0, name="usual")  # twelve a day, for ten days

    many.joiner.round()

    assert many.incidents.campaigns(None, 10).campaigns == ()


def test_a_casebook_that_has_seen_little_knows_of_no_campaign(many: Reports) -> None:
    flood(many, 1, 30, hours=0)

    many.joiner.round()

    assert many.incidents.campaigns(None, 10).campaigns == ()


def test_a_campaign_goes_on_and_another_one_is_another(many: Reports) -> None:
    usual(many)
    flood(many, 1, 20, hours=72, name="one")
    flood(many, 2, 12, hours=82, name="two")

    many.joiner.round()

    assert sorted(one.reports for one in many.incidents.campaigns(None, 10).campaigns) == [12, 20]


def test_a_name_is_made_of_words_that_most_share_and_others_lack() -> None:
    texts = ["the ferry Aurora sells false passes", "false passes for the ferry Aurora", "Aurora ferry, passes"]
    others = ["the passes are late", "the seller is late", "the parcel"]

    assert distinctive_words(texts, others)[:2] == ("aurora", "ferry")
