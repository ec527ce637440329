"""A report as files: nothing in them that is not masked or escaped, nothing that loads, each number with its query."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from riskmodel.records import LANGUAGES
from riskmodel.reports.insight import html
from riskmodel.reports.insight.csv_rows import HEADER, csv_text
from riskmodel.reports.insight.records import Asked, Figure, Report
from riskmodel.reports.insight.rendering import FORMATS, render, written
from riskmodel.reports.insight.words import words
from tests.riskmodel.reports.insight.made import MADE_AT, SECOND, Weeks, some_work

PLACES = re.compile(r"\{\w+\}")


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def report(sqlite_weeks: Weeks) -> Report:
    some_work(sqlite_weeks)
    return sqlite_weeks.report()


def page_of(weeks: Weeks, report: Report) -> str:
    return render(weeks.casebook.database, report, "html", "en").content.decode()


def test_the_page_needs_nothing_else_and_runs_nothing(sqlite_weeks: Weeks, report: Report) -> None:
    page = Page(page_of(sqlite_weeks, report))
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe", "object")]
    for _, attributes in page.tags:
        assert not [key for key in attributes if key.startswith("on") or key in ("style", "src")]
    assert "sha256-" in html.policy() and "unsafe" not in html.policy()


def test_each_number_leads_to_its_query(sqlite_weeks: Weeks, report: Report) -> None:
    page = Page(page_of(sqlite_weeks, report))
    places = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    leads = [str(a["href"])[1:] for tag, a in page.tags if tag == "a" and str(a.get("href")).startswith("#")]
    assert len(leads) > 20 and set(leads) <= places
    for figure in report.figures.values():
        assert figure.query in page.text


def test_every_id_on_the_page_is_there_once(sqlite_weeks: Weeks, report: Report) -> None:
    ids = [attributes["id"] for _, attributes in Page(page_of(sqlite_weeks, report)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_picture_is_told_in_words(sqlite_weeks: Weeks, report: Report) -> None:
    page = Page(page_of(sqlite_weeks, report))
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) >= 5
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in pictures)


def test_an_id_that_is_an_address_is_masked_and_one_that_is_html_is_escaped(sqlite_weeks: Weeks) -> None:
    sqlite_weeks.at(SECOND.first, 9)
    sqlite_weeks.keep("eu@exemplo.org", hours=1)
    sqlite_weeks.keep("<script>alert(1)</script>", hours=1)
    page = page_of(sqlite_weeks, sqlite_weeks.report())
    assert "exemplo" not in page and "<script>" not in page and "&lt;script&gt;" in page


def test_a_forgotten_case_is_in_no_kept_report(sqlite_weeks: Weeks, report: Report) -> None:
    sqlite_weeks.casebook.forget(ids=["open"])
    page = Page(page_of(sqlite_weeks, report))
    assert "forgotten" in page.text and "open" not in [cell.strip() for cell in page.text.splitlines()]


def test_no_text_of_an_escalation_is_in_any_format(sqlite_weeks: Weeks, report: Report) -> None:
    for format_ in FORMATS:
        content = render(sqlite_weeks.casebook.database, report, format_, "pt").content
        assert b"Vai na escola" not in content and b"98765" not in content


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_matters_is_said_first_in_every_language(sqlite_weeks: Weeks, report: Report, language: str) -> None:
    told = written(sqlite_weeks.casebook.database, report, language)  # type: ignore[arg-type]
    assert told.statements[0].figure == "deadlines.open"
    assert all(statement.figure in report.figures for statement in told.statements)
    assert not [said for said in told.statements if "{" in said.text]


def test_nothing_is_claimed_that_few_cases_do_not_support(sqlite_weeks: Weeks, report: Report) -> None:
    said = " ".join(one.text for one in written(sqlite_weeks.casebook.database, report, "en").statements)
    assert "hardly known" in said  # two audits
    assert "analysts raised" not in said and "points" not in said and "times what is usual" not in said


def test_a_period_without_a_case_says_so(sqlite_weeks: Weeks) -> None:
    told = written(sqlite_weeks.casebook.database, sqlite_weeks.report(), "en")
    assert [statement.text for statement in told.statements] == ["No escalation came in."]
    for format_ in FORMATS:
        assert render(sqlite_weeks.casebook.database, sqlite_weeks.report(), format_, "es").content


def test_a_period_that_is_not_over_is_not_compared(sqlite_weeks: Weeks) -> None:
    some_work(sqlite_weeks)
    asked = Asked(SECOND.first, MADE_AT.date())
    said = written(sqlite_weeks.casebook.database, sqlite_weeks.report(asked), "en").statements
    assert any("not over" in statement.text for statement in said)


def test_csv_has_each_number_and_nothing_that_a_spreadsheet_runs(sqlite_weeks: Weeks, report: Report) -> None:
    evil = Figure("evil", ("name", "n"), (("=1+1", 3), ("@x", 4)), "")
    figures = dict(report.figures) | {"evil": evil}
    text = csv_text(Report("-r1", report.asked, report.as_of, "x", {}, figures, 0.1))
    read = list(csv.reader(io.StringIO(text)))
    assert tuple(read[0]) == HEADER
    assert not [cell for row in read for cell in row if cell.startswith(("=", "@", "+", "-"))]
    critical = [row for row in read if row[1] == "volume.rating" and "rating=critical" in row[2] and row[3] == "0"]
    assert [row[5] for row in critical] == ["1"]


def test_json_holds_the_figures_and_what_they_rest_on(sqlite_weeks: Weeks, report: Report) -> None:
    read = json.loads(render(sqlite_weeks.casebook.database, report, "json", "en").content)
    assert read["as_of"]["numbers"]["escalations"] == 10 and read["asked"]["from"] == "2026-03-09"
    assert read["figures"]["basis"]["rows"] == [[0, 7], [1, 3]] and read["says"]


def test_markdown_shows_the_tables_and_breaks_on_no_character(sqlite_weeks: Weeks, report: Report) -> None:
    text = render(sqlite_weeks.casebook.database, report, "md", "en").content.decode()
    assert "| hate | 1 | 0 | – | 100% | 100% |" in text and "```sql" in text


def test_every_word_is_there_in_every_language_and_filled_in_alike() -> None:
    for one, other in pairwise(words(language) for language in LANGUAGES):
        assert one.t.words.keys() == other.t.words.keys()
        for key, said in one.t.words.items():
            assert set(PLACES.findall(said)) == set(PLACES.findall(other.t.words[key])), key


def test_numbers_and_days_are_written_as_each_language_has_them() -> None:
    english, spanish, portuguese = (words(language) for language in LANGUAGES)
    assert [one.number(12345.6, 1) for one in (english, spanish, portuguese)] == ["12,345.6", "12,345.6", "12.345,6"]
    assert [one.day(SECOND.first) for one in (english, spanish, portuguese)] == [
        "Mar 9, 2026",
        "9 mar 2026",
        "9 de mar. de 2026",
    ]
    assert english.change(-0.001) == "0%" and portuguese.change(0.5) == "+50%"
    assert spanish.name("market", "BR") == "Brasil (BR)" and english.name("source", "") == "not stated"
