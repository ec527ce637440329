"""A simulated week, small: nothing is lost between the report and its mitigation, whatever breaks down meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.week.run import measure_week
from riskmodel.artifact import champion_folder

ROOT = Path(__file__).parents[1]
COUNT = 640  # so that a hundred reports come before the campaign: with fewer nobody knows what is usual
A_DAY = 24

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what became of a week."""
    return measure_week(champion_folder(ROOT / "models"), tmp_path_factory.mktemp("week") / "week.db", COUNT)


def test_every_escalation_is_kept_and_every_review_decided(week: dict[str, Any]) -> None:
    assert week["lost"] == 0
    assert set(week["reviews"]) == {"decided"}


def test_what_was_handed_over_ends_though_webhooks_and_mail_break_down(week: dict[str, Any]) -> None:
    assert week["attempts turned away in outages"] > 0
    assert week["deliveries lost"] == week["deliveries nobody sent"] == 0
    assert set(week["messages"]) <= {"sent", "withdrawn"}
    assert set(week["handoffs"]) <= {"mitigated", "refused", "withdrawn"}
    assert week["handoffs"]["mitigated"] > COUNT / 10


def test_the_campaign_is_found_on_its_first_day_and_nothing_else_is_one(week: dict[str, Any]) -> None:
    assert week["campaign"]["found"]
    assert week["campaign"]["hours after its first report"] < A_DAY
    assert week["campaign"]["campaigns found"] == 1


def test_reports_of_one_event_are_joined(week: dict[str, Any]) -> None:
    assert week["incidents"]["F1"] > 0.8
