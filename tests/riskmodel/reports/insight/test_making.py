"""A report's figures against work of which every number is known, on both databases."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from riskmodel.casework import Actor, Contacts, Handoffs
from riskmodel.policy import Policy, load_policy
from riskmodel.reports.insight.findings import findings
from riskmodel.reports.insight.making import make_again
from riskmodel.reports.insight.periods import asked_for
from riskmodel.reports.insight.records import Asked, Report, ReportError
from riskmodel.review.golden import Golden
from riskmodel.review.labels import Known
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.reports.insight.made import MADE_AT, SECOND, Weeks, some_work


def rows(report: Report, figure: str) -> list[dict[str, object]]:
    return report.figures[figure].dicts()


def test_every_number_of_two_weeks_is_as_it_was(weeks: Weeks) -> None:
    some_work(weeks)
    found = findings(weeks.report())
    assert (found.total.now, found.total.before) == (7, 3)
    assert {rating: both.now for rating, both in found.ratings.items()} == {
        "low": 2,
        "medium": 2,
        "high": 2,
        "critical": 1,
    }
    assert found.to_people.now.value == pytest.approx(5 / 7)
    kept = found.deadlines
    assert (kept.in_time.now.n, kept.late.now, kept.open.now, kept.not_due) == (4, 1, 2, 1)
    assert kept.in_time.now.value == pytest.approx(1 / 4)  # an undone decision is none
    assert (kept.in_time.before.n, kept.open.before) == (3, 2)
    assert kept.minutes["rating", "high", 0] | {} == {
        "kind": "rating", "name": "high", "period": 0, "n": 2, "p50": 60, "p75": 330, "p90": 330, "p99": 330
    }  # fmt: skip
    assert kept.minutes["all", "", 0]["p90"] is None  # so many are not decided yet
    assert found.changes.matrix == {("high", "critical"): 1, ("high", "medium"): 1}
    assert found.changes.raised.now.value == 0.5 and found.changes.lowered.now.value == 0.5
    audited = found.audited
    assert (audited.drawn, audited.undecided, audited.wrong.value, audited.too_low.value) == (2, 0, 0.5, 0.5)


def test_hand_offs_are_told_with_what_teams_did_and_how_long_it_took(weeks: Weeks) -> None:
    some_work(weeks)
    handoffs, desk, team = (
        Handoffs(weeks.casebook.database, load_policy(), Contacts()),
        Actor("ana", "desk"),
        "crisis_response",
    )
    opened = weeks.at(SECOND.first, 15)
    numbers = {
        id_: handoffs.open(weeks.number_of(id_), team, desk, opened).number
        for id_ in ("in-time", "late", "accepted", "accepted-wrongly")
    }
    assert len(numbers) == 4
    done = ["removed", "reported to authorities"]
    handoffs.acknowledge(numbers["late"], desk, opened + timedelta(minutes=10))
    handoffs.mitigate(numbers["late"], desk, done, "", opened + timedelta(minutes=30))
    handoffs.mitigate(numbers["in-time"], desk, ["removed"], "", opened + timedelta(days=5))  # critical: an hour
    handoffs.refuse(numbers["accepted"], desk, "not ours", opened + timedelta(minutes=5))
    found = findings(weeks.report()).handoffs
    assert found is not None
    assert (found.opened.now, found.mitigated.now, found.refused.now, found.open.now, found.late.now) == (4, 2, 1, 1, 1)
    assert found.in_time.now.n == 3 and found.in_time.now.value == pytest.approx(1 / 3)
    assert {action: both.now for action, both in found.actions.items()} == {"removed": 2, "reported to authorities": 1}
    assert (
        found.minutes["acknowledged", "all", "", 0]["p50"] == 7_200
        and found.minutes["mitigated", "all", "", 0]["p90"] is None
    )
    handoffs.mitigate(numbers["accepted-wrongly"], desk, ["removed"], "", MADE_AT + timedelta(hours=1))
    again = findings(weeks.report()).handoffs
    assert again is not None and again.mitigated.now == 3  # as of the newest event


def test_days_and_hours_are_those_of_the_zone(weeks: Weeks) -> None:
    weeks.at(date(2026, 3, 10), 1.5)  # still the evening of the 9th in Sao Paulo
    weeks.keep("one")
    asked = Asked(date(2026, 3, 9), date(2026, 3, 9), "America/Sao_Paulo")
    report = weeks.report(asked)
    assert rows(report, "volume.days") == [{"day": "2026-03-09", "rating": "high", "n": 1}]
    assert rows(report, "volume.week") == [{"weekday": 0, "hour": 22, "n": 1}]
    assert findings(weeks.report(Asked(date(2026, 3, 9), date(2026, 3, 9)))).total.now == 0


def test_a_market_and_a_language_are_told_alone(weeks: Weeks) -> None:
    some_work(weeks)
    for asked in (Asked(SECOND.first, SECOND.last, market="MX"), Asked(SECOND.first, SECOND.last, language="es")):
        found = findings(weeks.report(asked))
        assert found.total.now == 1 and found.changes.decided.now == 1 and found.audited.drawn == 0


def test_golden_cases_are_left_out_and_a_second_assessment_counts_instead_of_the_first(weeks: Weeks) -> None:
    weeks.at(SECOND.first, 9)
    weeks.keep("one", rating="high")
    weeks.desk.add_golden([Golden(make_rated("known"), Known("severe", "plausible", "high"))], 2, weeks.now)
    weeks.casebook.database.write(
        lambda connection: connection.execute(
            sa.text(
                "INSERT INTO assessments (escalation, assessed_at, model_version, policy_version, language, rating, "
                "category, team, route, confidence, act_by, document) SELECT escalation, assessed_at, 'v2', "
                "policy_version, language, 'critical', category, team, route, confidence, act_by, document "
                "FROM assessments WHERE escalation = 1"
            )
        )
    )
    found = findings(weeks.report())
    assert found.total.now == 1 and found.ratings["critical"].now == 1


def test_many_cases_are_counted_as_one_by_one_counting_does(weeks: Weeks) -> None:
    chance = random.Random(3)
    expected: Counter[tuple[str, str]] = Counter()
    for at in range(120):
        weeks.at(SECOND.first + timedelta(days=chance.randrange(7)), chance.uniform(0, 24))
        category = chance.choice(("hate", "violence", "privacy"))
        rating = chance.choice(("low", "medium", "high", "critical"))
        weeks.keep(f"case-{at}", category=category, rating=rating, people=chance.random() < 0.5)
        expected[category, rating] += 1
    counted: Counter[tuple[str, str]] = Counter()
    for row in rows(weeks.report(), "volume.category"):
        counted[str(row["category"]), str(row["rating"])] += int(str(row["n"]))
    assert counted == expected


def test_each_query_gives_its_figure_when_it_is_run_as_it_stands(weeks: Weeks) -> None:
    some_work(weeks)
    report = weeks.report()
    sums = (
        "volume.rating",
        "volume.category",
        "deadlines.kept",
        "deadlines.minutes",
        "changes.ratings",
        "audits.drawn",
    )
    for name in (*sums, "growth.counts", "basis"):
        figure = report.figures[name]
        found = weeks.casebook.database.read(lambda connection: connection.exec_driver_sql(figure.query).all())  # noqa: B023
        assert [tuple(float(v) if isinstance(v, int | float) else v for v in row) for row in found_plain(found)] == [
            tuple(float(v) if isinstance(v, int | float) else v for v in row) for row in figure.rows
        ], name


def found_plain(found: list[sa.Row[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    return [tuple(int(value) if type(value).__name__ == "Decimal" else value for value in row) for row in found]


def test_made_again_it_is_the_same_whatever_came_since(weeks: Weeks, policy: Policy) -> None:
    some_work(weeks)
    report = weeks.report()
    weeks.decide("open", "critical")
    weeks.keep("later", rating="low")
    compared = make_again(weeks.casebook.database, report, policy)
    assert compared.is_same and (compared.forgotten, compared.appeared) == (0, 0)


def test_made_again_it_says_what_was_forgotten(weeks: Weeks, policy: Policy) -> None:
    some_work(weeks)
    report = weeks.report()
    weeks.casebook.forget(ids=["late"])
    compared = make_again(weeks.casebook.database, report, policy)
    assert not compared.is_same and compared.forgotten == 1
    assert "deadlines.kept" in {one.figure for one in compared.differences}


def test_a_report_leaves_nothing_behind_in_its_connection(weeks: Weeks) -> None:
    some_work(weeks)
    assert weeks.report().figures == weeks.report().figures


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"zone": "Mars"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"market": "XX"}, "market"),
        ({"language": "' OR 1=1"}, "language"),
        ({"first": date(2026, 3, 9), "last": date(2026, 3, 8)}, "days"),
        ({"first": date(2026, 3, 9), "last": date(2026, 4, 8)}, "last day"),
        ({"first": date(1999, 3, 9), "last": date(1999, 4, 8)}, "first day"),
        ({"first": date(2001, 3, 9), "last": date(2026, 3, 8)}, "days"),
    ],
)
def test_what_cannot_be_reported_on_is_refused_by_name(given: dict[str, object], named: str) -> None:
    whole = {"first": None, "last": None} | given
    with pytest.raises(ReportError, match=named):
        asked_for(now=MADE_AT, **whole)  # type: ignore[arg-type]


def test_without_days_it_is_about_the_seven_before_today_in_the_zone() -> None:
    late = datetime(2026, 3, 16, 2, tzinfo=UTC)  # still the 15th in Mexico City
    assert asked_for(None, None, now=late) == Asked(date(2026, 3, 9), date(2026, 3, 15))
    found = asked_for(None, None, now=late, zone="America/Mexico_City")
    assert (found.first, found.last) == (date(2026, 3, 8), date(2026, 3, 14))
