"""What is counted for a transparency report, and drafts of statements of reasons: complete where the desk knows."""

import json
from datetime import timedelta
from typing import Any

import pytest

from riskmodel.casework import Actor, Contacts, Handoffs
from riskmodel.policy import Policy
from riskmodel.records import SOURCES
from riskmodel.reports.insight.bases import DISCLOSED, STANDARD
from riskmodel.reports.insight.making import make, make_again
from riskmodel.reports.insight.statements_of_reasons import EEA, FIELDS, SOURCE_TYPES, WHY_EMPTY
from riskmodel.reports.insight.transparency import disclosure, median
from tests.riskmodel.reports.insight.made import MADE_AT, SECOND, Weeks

DESK, KEY = Actor("ana", "desk"), Actor("fraud-tool", "key")
NOTE = "Call Maria Example at +34 600 000 000"


@pytest.fixture
def found(weeks: Weeks, policy: Policy) -> dict[str, Any]:
    """Return what is disclosed of five mitigated hand-offs."""
    handoffs = Handoffs(weeks.casebook.database, policy, Contacts())
    at = weeks.at(SECOND.first, 9)
    cases = {
        "removed": ("ES", "user_report", "hate", DESK, ["removed"]),
        "limited": ("PT", "trusted_flagger", "violence", DESK, ["limited", "user supported"]),
        "suspended": ("DE", "automated_detection", "scams_fraud", KEY, ["account suspended", "removed"]),
        "abroad": ("BR", "user_report", "hate", DESK, ["removed"]),
        "nothing": ("ES", "user_report", "hate", DESK, ["no action"]),
    }
    for id_, (market, source, category, actor, actions) in cases.items():
        weeks.keep(id_, market=market, source=source, category=category, rating="high")
        weeks.decide(id_, "high", categories=tuple(dict.fromkeys((category, "violence"))))
        number = handoffs.open(weeks.number_of(id_), "abuse_response", DESK, at, note=NOTE).number
        handoffs.mitigate(number, actor, actions, NOTE, at + timedelta(minutes=90))
    report = make(weeks.casebook.database, SECOND, "carla", policy, MADE_AT, (*STANDARD, DISCLOSED))
    assert make_again(weeks.casebook.database, report, policy).is_same
    return disclosure(weeks.casebook.database, report, policy)


def test_each_restriction_in_the_eu_has_a_draft_in_the_fields_of_the_database(found: dict[str, Any]) -> None:
    written = found["statements_of_reasons"]
    statements = [draft["statement"] for draft in written["drafts"]]
    assert all(tuple(statement) == FIELDS for statement in statements)
    removed, limited, suspended = statements
    assert removed["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert removed["category"] == "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"
    assert removed["category_addition"] == ["STATEMENT_CATEGORY_VIOLENCE"]  # what the analyst chose beside it
    assert removed["source_type"] == "SOURCE_ARTICLE_16" and removed["application_date"] == "2026-03-09"
    assert (removed["automated_detection"], removed["automated_decision"]) == ("No", "AUTOMATED_DECISION_PARTIALLY")
    assert limited["decision_visibility"] == [] and limited["source_type"] == "SOURCE_TRUSTED_FLAGGER"
    assert suspended["decision_account"] == "DECISION_ACCOUNT_SUSPENDED"
    assert suspended["automated_detection"] == "Yes" and suspended["automated_decision"] is None
    assert written["left_out"] == {
        "no restriction was placed on anybody": 1,
        "the market is outside the EU and the EEA": 1,
    }


def test_what_the_desk_does_not_know_is_empty_and_listed_with_its_reason(found: dict[str, Any]) -> None:
    written = found["statements_of_reasons"]
    always = {"decision_ground", "content_type", "content_date", "territorial_scope"}
    missing = [set(draft["missing"]) for draft in written["drafts"]]
    assert missing == [always, always | {"decision_visibility"}, always | {"automated_decision"}]
    for draft in written["drafts"]:
        assert not [field for field in draft["missing"] if draft["statement"][field]]
    assert written["missing"]["decision_ground"] == {"drafts": 3, "why": WHY_EMPTY["decision_ground"]}


def test_no_text_and_no_note_is_in_what_is_disclosed(found: dict[str, Any]) -> None:
    said = json.dumps(found, ensure_ascii=False)
    for part in ("Vai na escola", "98765", "Maria", "600 000", "ana"):
        assert f'"{part}' not in said and f" {part}" not in said.replace("carla", "")


def test_notices_are_counted_by_kind_and_category_with_the_time_to_act(found: dict[str, Any]) -> None:
    received = found["count"]["received"]
    notices = received["notices (Article 16)"]
    assert notices["n"] == 3 and notices["median_minutes_to_act"] == 90
    assert notices["by_category"] == {
        "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH": {"n": 3, "median_minutes_to_act": 90}
    }
    assert received["notices of trusted flaggers (Article 22)"]["n"] == 1 and received["own initiative"]["n"] == 1
    assert found["count"]["automation"]["rated_by_a_model"] == 5
    assert found["count"]["automation"]["error_of_what_was_accepted"]["rated_wrong"] is None
    assert found["count"]["the_desk_has_not"]


def test_every_source_has_a_type_and_the_area_has_thirty_countries() -> None:
    assert set(SOURCE_TYPES) == set(SOURCES) and len(EEA) == 30


def test_the_median_is_that_of_all_that_is_counted() -> None:
    assert median([(90, 1), (10, 3), (20, 1)]) == 10 and median([(1, 2), (5, 3)]) == 5 and median([]) is None
