"""Questions at the desk: asked, answered from outside, rated again; and the board that a lead keeps open."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from riskmodel.casebook.tables import MESSAGES
from riskmodel.casework import Question
from riskmodel.review import QueueItem
from tests.riskmodel.casebook.made import TEXT
from tests.riskmodel.service.page.office import HOSTILE, Browser, Office
from tests.riskmodel.service.page.test_pages import Tags

ASKED = {"to": "other", "email": "eva@example.net", "question": "Is it true?", "hours": "4", "language": "en"}


def ask(office: Office, browser: Browser, item: QueueItem, **changes: Any) -> Question:
    """Ask about a case, and return what was asked."""
    browser.get(f"/review/cases/{item.number}")
    answered = browser.post(f"/review/cases/{item.number}/ask", **(ASKED | changes))
    assert answered.status_code == 303, answered.text
    return office.parts.questions.of(item.escalation)[0]


def link(office: Office, question: Question) -> str:
    """Return the path that the newest message about a question leads to."""
    about = sa.select(MESSAGES.c.payload).where(MESSAGES.c.kind == "question", MESSAGES.c.subject == question.number)
    payload = office.parts.casebook.database.read(lambda connection: connection.execute(about).scalars().first())
    found = re.search(r"/questions/t/[a-z2-7]{32}", str(payload))
    assert found is not None
    return found[0]


def test_a_question_goes_from_the_case_to_somebody_outside_and_its_answer_comes_back_to_the_case(
    office: Office,
) -> None:
    item, ana, eva = office.decided("one"), office.browser("ana"), office.stranger()
    question = ask(office, ana, item, question="Is it true? Call 11 98765-4321.")
    page = ana.get(f"/review/cases/{item.number}").text
    assert "Question" in page and "to eva@example.net" in page and "personal data masked" in page
    address = link(office, question)

    seen = eva.get(address).text
    assert "Is it true?" in seen and "98765" not in seen and TEXT not in seen
    sent = eva.http.post(address, data={"name": "Eva", "answer": "Yes, since Monday."}, follow_redirects=False)

    assert sent.status_code == 303
    assert "Your answer has arrived" in eva.get(sent.headers["location"]).text
    assert "has been answered" in eva.get(address).text
    (again,) = office.items()
    assert (again.purpose, again.escalation) == ("answer", item.escalation)
    shown = ana.get(f"/review/cases/{again.number}").text
    assert "Yes, since Monday." in shown and "Answered by link" in shown and "Eva" in shown
    assert "an answer came" in ana.get("/review").text


def test_what_the_model_says_with_the_answers_stands_beside_what_it_said_before(office: Office) -> None:
    item, ana = office.decided("one"), office.browser("ana")
    question = ask(office, ana, item, to="user_support")
    case = f"/review/cases/{item.number}"
    assert "Rate again" not in ana.get(case).text
    answer = "He bought a gun yesterday and drives to her now. " * 5
    assert ana.post(f"{case}/questions/{question.number}/answer", answer=answer).status_code == 303
    assert "Rate again" in ana.get(case).text

    assert ana.post(f"{case}/rate-again").status_code == 303

    page = ana.get(case).text
    kept = office.parts.casebook.get("one").assessments
    assert len(kept) == 2 and kept[0].learnt and not kept[1].learnt
    assert kept[0].assessment.model.version == "tiny" and kept[0].assessment.id == "one"
    assert "What the answers changed" in page and "Rate again" not in page


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to": "nobody"}, 422),
        ({"email": "no address"}, 422),
        ({"question": ""}, 422),
        ({"question": "x" * 2_001}, 422),
        ({"hours": "0"}, 422),
        ({"hours": "99999999"}, 422),
        ({"hours": "soon"}, 422),
        ({"language": "fr"}, 422),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_page_and_nothing_is_sent(
    office: Office, changes: dict[str, str], status: int
) -> None:
    item, ana = office.add("one"), office.browser("ana")
    ana.get(f"/review/cases/{item.number}")

    refused = ana.post(f"/review/cases/{item.number}/ask", **(ASKED | changes))

    assert refused.status_code == status and "<h1>" in refused.text
    assert office.parts.questions.of(item.escalation) == ()


def test_every_form_needs_the_token_of_its_session(office: Office) -> None:
    item, ana = office.add("one"), office.browser("ana")
    question = ask(office, ana, item)
    case = f"/review/cases/{item.number}"

    for path in ("ask", "rate-again", f"questions/{question.number}/answer", f"questions/{question.number}/withdraw"):
        assert ana.post(f"{case}/{path}", csrf="forged", **ASKED, answer="x").status_code == 403, path
    assert office.parts.questions.get(question.number).state == "open"


def test_a_question_of_another_case_is_not_touched_from_here(office: Office) -> None:
    one, other, ana = office.add("one"), office.add("other"), office.browser("ana")
    question = ask(office, ana, other)
    ana.get(f"/review/cases/{one.number}")

    assert ana.post(f"/review/cases/{one.number}/questions/{question.number}/withdraw").status_code == 404
    assert ana.post(f"/review/cases/{other.number}/questions/{question.number}/withdraw").status_code == 303
    assert "withdrawn" in ana.get(f"/review/cases/{other.number}").text


def test_on_a_test_nobody_learns_what_others_asked(office: Office) -> None:
    item, ana, bruno = office.decided("one"), office.browser("ana"), office.browser("bruno")
    ask(office, ana, item, to="user_support")
    office.parts.casebook.database.write(
        lambda connection: connection.execute(
            sa.text("UPDATE reviews SET purpose = 'second', state = 'waiting', analyst = NULL WHERE number = :number"),
            {"number": item.number},
        )
    )

    assert "Is it true?" not in bruno.get(f"/review/cases/{item.number}").text


@pytest.mark.parametrize("text", [HOSTILE, "<script>alert(1)</script>", "{{ 7*7 }} \u202e"])
def test_what_strangers_write_is_shown_and_never_run(office: Office, text: str) -> None:
    item, ana, eva = office.add("one"), office.browser("ana"), office.stranger()
    question = ask(office, ana, item, question=text, as_written="1")
    address = link(office, question)
    pages = [eva.get(address).text]
    eva.http.post(address, data={"name": "<b>Eva</b>", "answer": text})
    pages.append(ana.get(f"/review/cases/{item.number}").text)

    for page in pages:
        tags = Tags(page)
        assert not [attributes for tag, attributes in tags.tags if tag == "script" and "src" not in attributes]
        assert not [tag for tag, _ in tags.tags if tag in ("img", "b")]
        assert "49" not in re.sub(r"\d{3,}", "", tags.text.split("7*7")[0][-4:])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "Eva", "answer": ""}, 422),
        ({"name": "", "answer": "Yes."}, 422),
        ({"name": "Eva", "answer": "x" * 10_001}, 422),
        ({"name": "E" * 65, "answer": "Yes."}, 422),
        ({"name": "Eva\x07", "answer": "Yes."}, 422),
    ],
)
def test_an_answer_that_cannot_be_kept_is_told_and_what_was_written_stays_in_the_form(
    office: Office, fields: dict[str, str], status: int
) -> None:
    question = ask(office, office.browser("ana"), office.add("one"))

    answered = office.stranger().http.post(link(office, question), data=fields)

    assert answered.status_code == status
    assert fields["answer"] in answered.text and 'role="alert"' in answered.text
    assert office.parts.questions.get(question.number).answers == ()


def test_a_link_that_was_made_up_opens_nothing_and_guessing_is_stopped(office: Office) -> None:
    eva = office.stranger()
    statuses = [eva.get(f"/questions/t/{'a' * 32}").status_code for _ in range(70)]

    assert set(statuses) == {404, 429} and statuses.index(429) > 30
    assert eva.get(f"/questions/t/{'a' * 32}").headers["retry-after"] == "60"


def test_the_board_is_for_leads_and_says_how_every_place_stands(office: Office) -> None:
    office.add("late", hours=-1)
    handed = office.handed_off("handed")
    ask(office, office.browser("ana"), office.add("asked"))
    office.parts.deadlines.remind(datetime.now(UTC) + timedelta(minutes=1))
    lead = office.browser("carla")

    board = lead.get("/review/board").text

    assert office.browser("ana").get("/review/board").status_code == 403
    assert "the review desk" in board and "crisis response" in board and "people outside" in board
    assert "too little was done lately" in board
    assert f"review {office.items()[0].number}: late, also to the lead of the review desk" in board
    assert lead.get("/review/board/places").text.count('class="card place') == board.count('class="card place') == 3
    assert handed.team == "crisis_response" and TEXT not in board
