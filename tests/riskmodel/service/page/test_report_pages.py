"""The pages of reports: for leads, safe, and saying what the files say."""

from datetime import UTC, datetime, timedelta

from riskmodel.reports.insight import storing
from tests.riskmodel.service.page.office import Browser, Office
from tests.riskmodel.service.page.test_pages import Tags


def made(office: Office) -> tuple[Browser, str]:
    """Have a lead make a report of today, and return the browser and the report's address."""
    office.add("waits")
    lead, today = office.browser("carla"), datetime.now(UTC).date().isoformat()
    lead.get("/review/reports")
    answer = lead.post("/review/reports", **{"from": today, "to": today, "zone": "UTC", "market": "", "language": ""})
    assert answer.status_code == 303
    return lead, answer.headers["location"]


def test_a_lead_makes_a_report_and_finds_it_in_the_list(office: Office) -> None:
    lead, address = made(office)
    page = lead.get(address)
    assert "1 escalations came in so far" in page.text and 'href="#q-volume-rating"' in page.text
    assert f'href="{address}"' in lead.get("/review/reports").text
    event = office.parts.casebook.trail.page()[0].event
    assert (event.actor, event.action, event.subject) == ("carla", "make report", address.rpartition("/")[2])


def test_the_page_holds_no_script_and_no_style(office: Office) -> None:
    lead, address = made(office)
    for at in (address, "/review/reports"):
        response = lead.get(at)
        assert "unsafe" not in response.headers["content-security-policy"]
        for tag, attributes in Tags(response.text).tags:
            assert tag != "style" and not (tag == "script" and not attributes.get("src"))
            assert not [key for key in attributes if key.startswith("on") or key == "style"]


def test_a_report_is_taken_away_in_every_format_and_the_trail_says_so(office: Office) -> None:
    lead, address = made(office)
    for form, media_type in (
        ("html", "text/html"),
        ("md", "text/markdown"),
        ("csv", "text/csv"),
        ("json", "application/json"),
    ):
        answer = lead.get(f"{address}/file/{form}?words=es")
        assert answer.headers["content-type"].startswith(media_type)
        assert answer.headers["content-disposition"] == f'attachment; filename="{address.rpartition("/")[2]}.{form}"'
        assert answer.content
    assert "Informe de riesgos" in lead.get(f"{address}/file/html?words=es").text
    assert office.parts.casebook.trail.page()[0].event.action == "export"
    assert lead.get(f"{address}/file/docx").status_code == 422


def test_made_again_the_page_says_what_differs_and_why(office: Office) -> None:
    lead, address = made(office)
    lead.get(address)
    assert "every figure is the same" in lead.post(f"{address}/again").text
    office.clear()
    answer = lead.post(f"{address}/again").text
    assert "1 of its escalations are forgotten since" in answer and "<code>basis</code>" in answer


def test_what_cannot_be_reported_on_is_said_and_an_unknown_report_is_not_found(office: Office) -> None:
    lead = office.browser("carla")
    lead.get("/review/reports")
    later = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    for fields in ({"to": later}, {"zone": "Mars"}, {"market": "ZZ"}, {"from": "soon"}, {"language": "' OR 1"}):
        answer = lead.post("/review/reports", **fields)
        assert answer.status_code == 422 and "cannot be made" in answer.text
    assert lead.get("/review/reports/r1").status_code == 404
    assert lead.get("/review/reports/%3Cscript%3E").status_code == 422


def test_reports_are_for_leads(office: Office) -> None:
    _, address = made(office)
    ana = office.browser("ana")
    for at in ("/review/reports", address, f"{address}/file/csv"):
        assert ana.get(at).status_code == 403
    ana.get("/review")
    assert ana.post("/review/reports").status_code == 403
    assert "/review/reports" not in ana.get("/review").text


def test_a_form_of_another_page_makes_no_report(office: Office) -> None:
    lead = office.browser("carla")
    assert lead.post("/review/reports", csrf="forged").status_code == 403
    assert lead.post("/review/reports/r1/again", csrf="").status_code == 403


def test_the_list_goes_on_at_the_next_page(office: Office) -> None:
    lead, address = made(office)
    database = office.parts.casebook.database
    report = storing.read(database, address.rpartition("/")[2])
    for at in range(31):
        database.write(lambda connection, at=at: storing.insert(connection, replaced(report, f"r-{at}")))  # type: ignore[misc]
    first = lead.get("/review/reports").text
    older = [a["href"] for tag, a in Tags(first).tags if tag == "a" and "before=" in str(a.get("href"))]
    assert len(older) == 1 and first.count("/review/reports/r-") == 30
    assert "/review/reports/r-0" in lead.get(str(older[0])).text


def replaced(report: storing.Report, id_: str) -> storing.Report:
    return storing.Report(id_, report.asked, report.as_of, report.made_by, report.versions, report.figures, 0.1)


def test_machines_of_leads_read_a_report_as_json(office: Office) -> None:
    lead, address = made(office)
    id_ = address.rpartition("/")[2]
    http = lead.http
    found = http.get(f"/reports/{id_}", headers={"Authorization": f"Bearer {office.secrets['carla']}"})
    assert found.status_code == 200 and found.json()["figures"]["basis"]["rows"] == [[0, 1]]
    assert http.get(f"/reports/{id_}", headers={"Authorization": f"Bearer {office.secrets['ana']}"}).status_code == 403
    assert http.get("/reports/r1", headers={"Authorization": f"Bearer {office.secrets['carla']}"}).status_code == 404


def test_a_lead_has_a_report_made_every_monday_and_ends_it(office: Office) -> None:
    lead = office.browser("carla")
    lead.get("/review/reports")
    fields = {
        "turn": "week-0",
        "at": "08:00",
        "zone": "America/Sao_Paulo",
        "market": "br",
        "language": "",
        "words": "pt",
    }
    sent = {**fields, "format": "html", "recipients": "lead@example.org, crisis_response"}
    assert lead.post("/review/reports/schedules", **sent).status_code == 303
    page = lead.get("/review/reports").text
    assert "Mondays, 08:00" in page and "lead@example.org, crisis_response" in page
    action = next(str(a["action"]) for tag, a in Tags(page).tags if tag == "form" and "/end" in str(a.get("action")))
    assert lead.post("/review/reports/schedules", **{**sent, "recipients": "nobody"}).status_code == 422
    assert lead.post(action).status_code == 303
    assert "No report is made by itself" in lead.get("/review/reports").text
    assert lead.post(action).status_code == 404
