"""Pages of cases: each case once, the newest first, whatever the filters, at the cost of one page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodel.casebook import Case, Casebook, CursorError, Filters, open_casebook
from riskmodel.casebook.opening import open_database
from riskmodel.casebook.paging import page_statement, read_cursor, write_cursor
from riskmodel.casebook.tables import ASSESSMENTS, moment_of
from tests.riskmodel.casebook.made import NOON, Clock, make_rated

CASES = 30
GIVEN: dict[str, list[Any]] = {
    "client": ["desk", "partner", "nobody"],
    "rating": ["high", "low"],
    "language": ["pt", "es", "und"],
    "category": ["violence", "hate"],
    "source": ["press", "user_report"],
    "market": ["BR", "MX"],
    "team": ["crisis_response", "trust"],
    "route": ["auto", "review"],
    "model_version": ["v1", "v2"],
    "kept_from": [NOON + timedelta(minutes=9)],
    "kept_before": [NOON + timedelta(minutes=25)],
}
FILTERS = st.builds(Filters, **{name: st.none() | st.sampled_from(values) for name, values in GIVEN.items()})


def rows() -> list[Any]:
    return [
        make_rated(
            f"a-{number}",
            client="desk" if number % 3 else "partner",
            source="press" if number % 5 == 0 else "user_report",
            market="MX" if number % 7 == 0 else "BR",
            rating="low" if number % 4 == 0 else "high",
            language="es" if number % 7 == 0 else "pt",
            team="trust" if number % 2 else "crisis_response",
            categories=[{"name": "hate" if number % 2 else "violence", "probability": 0.9, "dsa": None}],
            decision={"route": "review" if number % 6 == 0 else "auto", "reasons": []},
            model={"name": "riskmodel", "version": "v2" if number > 20 else "v1", "policy": "1.0"},
        )
        for number in range(CASES)
    ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casebook]:
    from tests.riskmodel.casebook.conftest import fresh_database

    url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'casebook.db'}"
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"))
    casebook = open_casebook(url, Clock())
    for row in rows():
        casebook.keep([row])
    yield casebook
    casebook.close()


def all_pages(casebook: Casebook, filters: Filters, limit: int) -> list[Case]:
    cases, cursor = [], None
    while True:
        page = casebook.page(filters, cursor, limit)
        assert len(page.cases) == limit or page.next_cursor is None
        cases += page.cases
        cursor = page.next_cursor
        if cursor is None:
            return cases


def passes(case: Case, filters: Filters) -> bool:
    assessment = case.assessments[0].assessment
    seen = {
        "client": case.client,
        "rating": assessment.rating,
        "language": assessment.language,
        "category": assessment.categories[0].name,
        "source": case.source,
        "market": case.market,
        "team": assessment.team,
        "route": assessment.decision.route,
        "model_version": assessment.model.version,
    }
    return (
        all(getattr(filters, name) in (None, value) for name, value in seen.items())
        and (filters.kept_from is None or case.kept_at >= filters.kept_from)
        and (filters.kept_before is None or case.kept_at < filters.kept_before)
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=FILTERS, limit=st.integers(1, CASES + 1))
def test_pages_hold_every_case_that_passes_exactly_once_the_newest_first(
    filled: Casebook, filters: Filters, limit: int
) -> None:
    everything = all_pages(filled, Filters(), CASES)
    assert [case.id for case in everything] == [f"a-{number}" for number in reversed(range(CASES))]

    assert all_pages(filled, filters, limit) == [case for case in everything if passes(case, filters)]


def test_a_case_that_arrives_between_two_pages_moves_nothing(casebook: Casebook) -> None:
    for row in rows()[:6]:
        casebook.keep([row])
    first = casebook.page(Filters(), limit=3)
    casebook.keep([make_rated("late")])

    second = casebook.page(Filters(), first.next_cursor, 3)

    assert [case.id for case in (*first.cases, *second.cases)] == ["a-5", "a-4", "a-3", "a-2", "a-1", "a-0"]


@given(number=st.integers(1, 2**63 - 1), micros=st.integers(-(10**16), 10**17))
def test_a_cursor_comes_back_as_it_was_written_and_is_fit_for_a_url(number: int, micros: int) -> None:
    cursor = write_cursor(number, moment_of(micros))

    assert read_cursor(cursor) == (number, moment_of(micros))
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(cursor=st.text(max_size=40))
def test_any_other_text_is_refused_as_a_cursor(cursor: str) -> None:
    try:
        number, moment = read_cursor(cursor)
    except CursorError as error:
        assert "expected what the page before gave" in str(error)
    else:
        assert read_cursor(write_cursor(number, moment)) == (number, moment)


@pytest.mark.parametrize("cursor", ["", "x", "MQ", "MS4=", "é", "9" * 300, "OTk5OTk5OTk5OTk5OTk5OTk5OS4w"])
def test_a_page_refuses_a_cursor_that_no_page_gave(casebook: Casebook, cursor: str) -> None:
    with pytest.raises(CursorError):
        casebook.page(Filters(), cursor)


def test_what_the_model_said_counts_as_of_the_newest_assessment(url: str) -> None:
    database = open_database(url)
    casebook = Casebook(database)
    casebook.keep([make_rated("a-1", rating="low")])
    number = casebook.get("a-1").number

    def assess_again(connection: sa.Connection) -> None:
        old = connection.execute(sa.select(ASSESSMENTS)).one()._asdict()
        del old["number"]
        connection.execute(sa.insert(ASSESSMENTS), old | {"escalation": number, "rating": "high"})

    database.write(assess_again)
    low, high = casebook.page(Filters(rating="low")), casebook.page(Filters(rating="high"))
    casebook.close()

    assert low.cases == ()
    assert [len(case.assessments) for case in high.cases] == [2]
    assert high.cases[0].assessments[0].number > high.cases[0].assessments[1].number


@pytest.mark.parametrize("name", GIVEN)
def test_sqlite_walks_an_index_and_never_sorts_or_scans_for_a_page(sqlite_url: str, name: str) -> None:
    database = open_database(sqlite_url)
    # With a second filter beside it, which must not lead it astray.
    filters = Filters(**({"language": "pt", "client": "desk"} | {name: GIVEN[name][0]}))
    timed = name.startswith("kept")
    statement = page_statement(filters, write_cursor(9, NOON), 50, "sqlite", None if timed else name)

    def plan(connection: sa.Connection) -> list[str]:
        written = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(
            written._bind_processors[key](value) if key in written._bind_processors else value
            for key, value in ((key, written.params[key]) for key in written.positiontup or [])
        )
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}", values)
        return [str(row.detail) for row in rows]

    steps = database.read(plan)
    database.close()

    assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps
    leading = "kept_at" if timed else name
    assert f"_{leading}_" in steps[0], steps
