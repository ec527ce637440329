"""The pages of incidents: what belongs together, why, how many independent sources say so; put right by hand."""

import re

import pytest

from riskmodel.casework.incidents import Incident
from tests.riskmodel.casework.incidents.made import Reports, story, told
from tests.riskmodel.review.made import REVIEW
from tests.riskmodel.service.page.office import HOSTILE, Office

LEEDS = "they ask for the card at parcel-loose.example, twelve people in Leeds"


@pytest.fixture
def incident(office: Office) -> Incident:
    """Return an incident of three reports, two of them independent, whose cases wait."""
    reports = Reports(office.parts.casebook)
    reports.add("one", story(1), text=LEEDS, reporter="u-1", client="app", decision=REVIEW)
    reports.add("two", told(1, 0.8), text=f"Golpe em parcel-loose.example, Leeds {HOSTILE}", client="hotline")
    reports.add("copy", told(1, 0.8, by=2), text=LEEDS, reporter="u-2", client="app")
    reports.joiner.round()
    reports.joiner.stop()  # so that another test's may go on
    return reports.only()


def test_an_incident_shows_its_sources_and_why_it_was_joined(office: Office, incident: Incident) -> None:
    ana = office.browser("ana")

    listed = ana.get("/review/incidents").text
    page = ana.get(f"/review/incidents/{incident.number}").text

    assert f'href="/review/incidents/{incident.number}"' in listed
    assert "2 independent sources" in listed
    assert "parcel-loose.example" in page
    assert "Corroborated by 2 sources" in page
    assert page.count("counts as a source") == 2
    assert re.search(r"cosine 0\.[0-9]{2}", page)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_case_shows_the_incident_it_belongs_to_and_rises(office: Office, incident: Incident) -> None:
    ana = office.browser("ana")
    (item,) = office.items()

    page = ana.get(f"/review/cases/{item.number}").text
    queue = ana.get("/review").text

    assert f'href="/review/incidents/{incident.number}"' in page
    assert "2 independent sources say the same: 3.0 h more." in queue


def test_only_corroborated_ones_if_asked_for_and_old_links_do_no_harm(office: Office, incident: Incident) -> None:
    ana = office.browser("ana")

    both = [ana.get(f"/review/incidents?{query}").text for query in ("corroborated=1", "category=hate&rating=none")]

    assert [f"/review/incidents/{incident.number}" in page for page in both] == [True, False]


def test_an_analyst_names_splits_adds_and_merges(office: Office, incident: Incident) -> None:
    ana, path = office.browser("ana"), f"/review/incidents/{incident.number}"
    ana.get(path)
    chosen = office.parts.casebook.get("one", "app").number
    (item,) = office.items()

    named = ana.post(f"{path}/name", name="Leeds parcels <b>")
    split = ana.post(f"{path}/split", report=str(chosen))
    alone = split.headers["location"]
    page = ana.get(path).text
    added = ana.post(f"{path}/add", case=str(item.number))
    whole = ana.get(path).text

    assert (named.status_code, split.status_code, added.status_code) == (303, 303, 303)
    assert "Leeds parcels &lt;b&gt;" in page
    assert alone != path
    assert "2 reports" in page
    assert "3 reports" in whole
    actions = [entry.event.action for entry in office.parts.casebook.trail.page()]
    assert {"name incident", "split incident", "add to incident", "read incident"} <= set(actions)
    assert {entry.event.actor for entry in office.parts.casebook.trail.page(limit=3)} == {"ana"}


def test_a_merged_incident_leads_to_the_other(office: Office, incident: Incident) -> None:
    ana, path = office.browser("ana"), f"/review/incidents/{incident.number}"
    ana.get(path)
    chosen = office.parts.casebook.get("one", "app").number
    other = ana.post(f"{path}/split", report=str(chosen)).headers["location"].rpartition("/")[2]

    ana.post(f"{path}/merge", other=other)
    page = ana.get(f"/review/incidents/{other}")

    assert str(page.url).endswith(path)
    assert "3 reports" in page.text


@pytest.mark.parametrize(
    ("action", "fields", "words"),
    [
        ("split", {}, "Reports: choose some of its reports"),
        ("name", {"name": "a" * 121}, "Name: at most 120"),
        ("merge", {"other": "self"}, "Number: give a whole number"),
        ("add", {"case": "1.5"}, "Number: give a whole number"),
    ],
)
def test_what_cannot_be_done_is_said(
    action: str, fields: dict[str, str], words: str, office: Office, incident: Incident
) -> None:
    ana = office.browser("ana")
    ana.get(f"/review/incidents/{incident.number}")

    refused = ana.post(f"/review/incidents/{incident.number}/{action}", **fields)

    assert refused.status_code == 422
    assert words in refused.text


def test_no_action_without_the_pages_token(office: Office, incident: Incident) -> None:
    ana = office.browser("ana")

    assert ana.post(f"/review/incidents/{incident.number}/name", csrf="forged", name="x").status_code == 403


def test_unknown_numbers_are_said_to_be_unknown(office: Office) -> None:
    ana = office.browser("ana")

    pages = [ana.get(f"/review/{kind}/999999") for kind in ("incidents", "campaigns")]

    assert [page.status_code for page in pages] == [404, 404]
    assert all("No such incident" in page.text for page in pages)


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_pages_without_anything_are_told_in_each_language(language: str, office: Office) -> None:
    ana = office.browser("ana")
    ana.get(f"/review/language/{language}")

    assert ana.get("/review/incidents").status_code == 200
    assert ana.get("/review/campaigns").status_code == 200
