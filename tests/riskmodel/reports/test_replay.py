"""A challenger rates kept cases again: which ratings would move is counted right, and shown so that nothing escapes."""

import copy
import re
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel import Escalation, RiskModel
from riskmodel.records import RATINGS, Rating
from riskmodel.reports.replay import BATCH, LISTED, Move, Replay, page, replay
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.reports.made import escalations_of, exported, keep_rated

LATER = NOON + timedelta(days=1)
CASES = BATCH + 6  # more than are rated at once
PERSONAL = 'Call me at +55 11 91234-5678 or ana.souza@example.com: <b>soon</b> & "now" 😟\nThen again.'


def silent(done: int, of: int) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def cases(
    tmp_path_factory: pytest.TempPathFactory, model: RiskModel, train_frame: pd.DataFrame
) -> list[dict[str, Any]]:
    """Return what a real casebook exports of cases that the tiny model rated; not to be changed."""
    url = f"sqlite:///{tmp_path_factory.mktemp('replayed') / 'casebook.db'}"
    keep_rated(url, model, escalations_of(train_frame.iloc[450 : 450 + CASES]), NOON)
    return exported(url)


def shifted(rating: str, steps: int) -> str:
    return RATINGS[(RATINGS.index(rating) + steps) % len(RATINGS)]


def with_ratings(cases: list[dict[str, Any]], steps: list[int]) -> list[dict[str, Any]]:
    """Return the cases as if they had been rated so many steps away, round and round."""
    found = copy.deepcopy(cases)
    for case, step in zip(found, steps, strict=False):
        case["assessments"][0]["rating"] = shifted(case["assessments"][0]["rating"], step)
    return found


def made_move(
    id_: str = "a", before: Rating = "high", after: Rating = "low", text: str = PERSONAL, accepted: bool = True
) -> Move:
    return Move(id_, "en", text, before, after, "violence", 0.625, accepted)


def made_replay(*moves: Move, cases: int = 20) -> Replay:
    return Replay("one", "two", cases, list(moves), review_before=0.25, review_after=0.4)


# --- what is counted ----------------------------------------------------------------------------------------------


def test_the_version_that_rated_the_cases_moves_none(cases: list[dict[str, Any]], model: RiskModel) -> None:
    found = replay(model, cases, LATER, silent)

    assert (found.champion, found.challenger) == ("tiny", "tiny")
    assert (found.cases, found.moved, found.share) == (CASES, [], 0.0)
    assert found.review_before == found.review_after


def test_every_rating_that_would_move_is_counted_once(cases: list[dict[str, Any]], model: RiskModel) -> None:
    changed = with_ratings(cases, [1, 2, 0, 3, 1])

    found = replay(model, changed, LATER, silent)

    expected = {
        (case["id"], case["assessments"][0]["rating"], was["assessments"][0]["rating"])
        for case, was in zip(changed, cases, strict=True)
        if case["assessments"][0]["rating"] != was["assessments"][0]["rating"]
    }
    assert len(expected) == 4
    assert {(move.id, move.before, move.after) for move in found.moved} == expected
    assert found.share == pytest.approx(4 / CASES)
    assert found.counts() == Counter((before, after) for _, before, after in expected)


def test_a_move_tells_what_the_challenger_says_of_the_case(cases: list[dict[str, Any]], model: RiskModel) -> None:
    changed = with_ratings(cases, [2])

    (move,) = replay(model, changed, LATER, silent).moved

    said = cases[0]["assessments"][0]
    assert (move.id, move.text, move.language) == (cases[0]["id"], cases[0]["text"], said["language"])
    assert (move.category, move.confidence) == (said["categories"][0]["name"], said["confidence"])
    assert move.accepted is (said["decision"]["route"] == "auto")


def test_source_and_market_go_to_the_challenger_as_they_were_sent(model: RiskModel, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'casebook.db'}"
    text = "Golpe do pix em nome do banco, vítimas hoje"
    escalations = [Escalation(text=text, id=source, source=source) for source in ("press", "user_report")]
    keep_rated(url, model, escalations, NOON)

    assert replay(model, exported(url), LATER, silent).moved == []


def test_those_that_move_furthest_come_first_and_falls_before_rises(
    cases: list[dict[str, Any]], model: RiskModel
) -> None:
    changed = with_ratings(cases, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])

    found = replay(model, changed, LATER, silent).moved

    order = [(-abs(move.steps), move.steps, move.id) for move in found]
    assert len(order) == 12
    assert order == sorted(order)
    assert {move.steps for move in found} >= {-3, -1, 1} or {move.steps for move in found} >= {3, -1, 1}


@pytest.mark.parametrize(("before", "after", "steps"), [("low", "critical", 3), ("high", "medium", -1)])
def test_steps_are_up_where_it_would_rise(before: Rating, after: Rating, steps: int) -> None:
    assert made_move(before=before, after=after).steps == steps


def test_only_the_newest_assessment_is_compared(cases: list[dict[str, Any]], model: RiskModel) -> None:
    changed = copy.deepcopy(cases)
    for case in changed:
        older = copy.deepcopy(case["assessments"][0])
        older["rating"] = shifted(older["rating"], 2)
        older["model"]["version"] = "older"
        case["assessments"].append(older)

    found = replay(model, changed, LATER, silent)

    assert found.moved == []
    assert found.champion == "tiny"


def test_every_version_that_rated_one_of_the_cases_is_named(cases: list[dict[str, Any]], model: RiskModel) -> None:
    changed = copy.deepcopy(cases)
    changed[0]["assessments"][0]["model"]["version"] = "older"

    assert replay(model, changed, LATER, silent).champion == "older, tiny"


def test_the_share_for_review_is_that_of_the_newest_assessments(cases: list[dict[str, Any]], model: RiskModel) -> None:
    changed = copy.deepcopy(cases)
    for at, case in enumerate(changed):
        case["assessments"][0]["decision"]["route"] = "review" if at < 7 else "auto"

    found = replay(model, changed, LATER, silent)

    assert found.review_before == pytest.approx(7 / CASES)
    reviewed = [case["assessments"][0]["decision"]["route"] == "review" for case in cases]
    assert found.review_after == pytest.approx(sum(reviewed) / CASES)


def test_progress_ends_with_all_of_them(cases: list[dict[str, Any]], model: RiskModel) -> None:
    told = list[tuple[int, int]]()

    replay(model, cases, LATER, lambda done, of: told.append((done, of)))

    assert told == [(BATCH, CASES), (CASES, CASES)]


# --- what is shown ------------------------------------------------------------------------------------------------


class Shown(HTMLParser):
    """Reads a page: its elements, the cells of its tables, the texts of its cases, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.open = Counter[str](), list[str]()
        self.rows: list[list[str]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "blockquote":
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if "blockquote" in self.open:
            self.texts[-1] += data
        elif {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def test_a_text_can_put_nothing_into_the_page() -> None:
    hostile = "</blockquote><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    move = Move("<i>id</i>", "<u>en</u>", hostile, "high", "low", "<s>violence</s>", 0.5, True)
    found = Replay("<em>one</em>", "<script>two</script>", 3, [move], 0.0, 0.0)

    shown = Shown(page(found, redact=False))

    assert not set(shown.tags) & {"script", "img", "i", "u", "s", "em"}
    assert shown.texts == [hostile]


def test_a_text_is_shown_as_it_was_written_where_asked_for() -> None:
    (text,) = Shown(page(made_replay(made_move()), redact=False)).texts

    assert text == PERSONAL


def test_personal_data_is_masked_and_the_rest_stays() -> None:
    written = page(made_replay(made_move()), redact=True)

    (text,) = Shown(written).texts
    assert text == 'Call me at [phone] or [e-mail]: <b>soon</b> & "now" 😟\nThen again.'
    assert not any(secret in written for secret in ("91234", "5678", "ana.souza", "example.com"))


def test_the_page_is_whole_and_loads_nothing() -> None:
    shown = Shown(page(made_replay(made_move()), redact=True))
    written = page(made_replay(made_move()), redact=True)

    assert written.startswith("<!doctype html>")
    assert shown.tags["title"] == shown.tags["h1"] == 1
    assert not set(shown.tags) & {"script", "link", "img", "iframe"}
    assert "http" not in written


def test_the_page_counts_cases_moves_and_reviews() -> None:
    moves = [made_move("a"), made_move("b"), made_move("c", "low", "critical"), made_move("d", "medium", "high")]

    written = page(made_replay(*moves, cases=1_250), redact=True)

    shown = Shown(written)
    assert "1,250 recent cases, rated by one, were rated again in the shadow. Nothing was kept." in written
    assert "4 ratings would move (0.3%)." in written
    assert "To a person would go 40.0%, against 25.0% before." in written
    assert shown.rows[:5] == [
        ["before", *RATINGS],
        ["low", "", "", "", "1"],
        ["medium", "", "", "1", ""],
        ["high", "2", "", "", ""],
        ["critical", "", "", "", ""],
    ]


def test_a_line_of_the_page_tells_case_move_and_what_would_happen() -> None:
    moves = [made_move("a"), made_move("b", "low", "critical", accepted=False)]

    rows = [
        [re.sub(r"\s+", " ", cell).strip() for cell in row]
        for row in Shown(page(made_replay(*moves), redact=True)).rows
    ]

    assert rows[6:] == [
        ["aen", "high → low", "violence, confidence 0.62, accepted Text"],
        ["ben", "low → critical", "violence, confidence 0.62, to a person Text"],
    ]


def test_only_a_fall_is_marked() -> None:
    def marked(move: Move) -> int:
        return page(made_replay(move), redact=True).count('class="down"')

    assert (marked(made_move(before="high", after="low")), marked(made_move(before="low", after="high"))) == (1, 0)


def test_a_page_without_moves_says_so() -> None:
    written = page(made_replay(), redact=True)

    assert "0 ratings would move (0.0%)." in written
    assert "No rating would move." in written


def test_a_page_lists_so_many_and_says_of_how_many() -> None:
    moves = [made_move(f"case-{at:04}", text="x") for at in range(LISTED + 50)]

    written = page(made_replay(*moves, cases=1_000), redact=True)

    assert len(Shown(written).texts) == LISTED
    assert f"The first {LISTED} of {LISTED + 50}." in written
    assert f"{LISTED + 50} ratings would move" in written
    assert "The first" not in page(made_replay(*moves[:LISTED], cases=1_000), redact=True)
