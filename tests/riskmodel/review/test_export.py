"""Out to training: verdicts that are settled, in the corpus's format, each once; who and when kept apart."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riskmodel.casebook import Casebook
from riskmodel.cli import app
from riskmodel.errors import CasebookError
from riskmodel.policy import Policy
from riskmodel.review import Desk, Filters, Verdict
from riskmodel.review.export import export
from riskmodel.review.files import known_ids, write
from tests.riskmodel.casebook.made import NOON, make_rated
from tests.riskmodel.review.made import answer, keep, minutes, waiting
from training.adding import add_files
from training.contract import FIELDS
from training.dataset import SPLITS, read_splits
from training.rows import read_labelled
from training.workspace import Workspace

EVERYTHING = Filters()
SECRET = "11 98765-4321"


def decide(desk: Desk, analyst: str = "ana", filters: Filters = EVERYTHING, **changes: Any) -> Verdict:
    item = desk.claims.next(analyst, filters, NOON)
    assert item is not None
    return desk.verdicts.decide(answer(item, analyst, **changes), NOON)


def run(casebook: Casebook, target: Path, *, redacted: bool = False) -> int:
    return write(target, export(casebook.database, known_ids(target), redacted=redacted))


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_row_has_the_corpus_format_and_tells_nobody(
    casebook: Casebook, desk: Desk, policy: Policy, tmp_path: Path
) -> None:
    keep(casebook, waiting("a"), waiting("b", source=None, market=None))
    decide(desk, evidence=((0, 13), (14, 20)), note="the secret note")
    decide(desk, severity="minor", categories=("none",))

    assert run(casebook, tmp_path) == 2

    path = tmp_path / "2026-03-01.jsonl"
    frame = read_labelled(path, policy, "verdicts")
    assert list(frame.columns) == [*FIELDS, "weight"]
    assert frame["rating"].tolist() == ["high", "low"]
    assert frame["weight"].tolist() == [1.0, 1.0]
    first, second = rows(path)
    assert (first["evidence"], second["evidence"]) == (["Vai na escola", "amanhã"], [])
    assert (second["source"], second["market"]) == (None, None)
    written = path.read_text("utf-8")
    assert "ana" not in written
    assert "secret" not in written
    origins = rows(tmp_path / "origins" / path.name)
    assert [origin["id"] for origin in origins] == [first["id"], second["id"]]
    assert (origins[0]["analyst"], origins[0]["decided_at"]) == ("ana", "2026-03-01T12:00:00Z")
    assert (origins[0]["kind"], origins[0]["escalation"], origins[0]["model"]) == ("confirmed", "a", "v1")


def test_each_verdict_is_written_once_and_files_are_only_appended_to(
    casebook: Casebook, desk: Desk, tmp_path: Path
) -> None:
    keep(casebook, waiting("a"), waiting("b"))
    decide(desk)
    run(casebook, tmp_path)
    before = (tmp_path / "2026-03-01.jsonl").read_text("utf-8")
    decide(desk)

    assert run(casebook, tmp_path) == 1
    assert run(casebook, tmp_path) == 0

    assert (tmp_path / "2026-03-01.jsonl").read_text("utf-8").startswith(before)
    assert len(rows(tmp_path / "2026-03-01.jsonl")) == 2


def test_audits_carry_their_weight(casebook: Casebook, desk: Desk, tmp_path: Path) -> None:
    keep(casebook, *(make_rated(f"auto-{number}") for number in range(8)))
    decide(desk, filters=Filters(purpose="audit"))

    run(casebook, tmp_path / "out.jsonl")

    (row,) = rows(tmp_path / "out.jsonl")
    assert row["weight"] == 2.0


def test_what_may_identify_a_person_is_masked_on_request(
    casebook: Casebook, desk: Desk, policy: Policy, tmp_path: Path
) -> None:
    keep(casebook, waiting("a"))
    decide(desk, evidence=((31, 45),))  # half of a phone number

    run(casebook, tmp_path / "masked.jsonl", redacted=True)
    run(casebook, tmp_path / "plain.jsonl")

    (masked,), (plain,) = rows(tmp_path / "masked.jsonl"), rows(tmp_path / "plain.jsonl")
    assert SECRET in plain["text"]
    assert "98765" not in json.dumps(masked)
    assert masked["evidence"] == ["ligue [phone]"]
    read_labelled(tmp_path / "masked.jsonl", policy, "verdicts")


def test_opinions_that_differ_wait_for_the_third(casebook: Casebook, second_desk: Desk, tmp_path: Path) -> None:
    keep(casebook, waiting("a"))
    decide(second_desk)
    assert run(casebook, tmp_path / "first.jsonl") == 1
    decide(second_desk, "bo", severity="minor")
    assert run(casebook, tmp_path / "open.jsonl") == 0
    third = decide(second_desk, "cy", severity="moderate")

    assert run(casebook, tmp_path / "first.jsonl") == 1

    first, last = rows(tmp_path / "first.jsonl")
    assert (first["rating"], last["rating"]) == ("high", "medium")
    assert last["id"].rpartition(".")[0] == first["id"].rpartition(".")[0]
    assert last["id"].endswith(f".{third.number}")


def test_golden_cases_and_other_languages_stay_here(casebook: Casebook, desk: Desk, tmp_path: Path) -> None:
    from riskmodel.review import Golden, Known

    keep(casebook, waiting("fr", language="fr"))
    desk.add_golden([Golden(waiting("g"), Known("severe", "plausible", "high"))], 1, NOON)
    decide(desk)
    decide(desk)

    assert run(casebook, tmp_path / "out.jsonl") == 0


def corpus(root: Path) -> Path:
    for name, text in (("train", "Someone sells copies of our shoes."), ("test", "A question on my account.")):
        path = root / SPLITS[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {
            "id": f"en-1-{name}",
            "group": f"en-1-{name}",
            "text": text,
            "language": "en",
            "source": "partner",
            "market": "US",
            "severity": "minor",
            "proximity": "contained",
            "rating": "low",
            "categories": ["none"],
            "evidence": [text],
        }
        path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return root


def test_training_takes_the_newest_verdict_of_each_escalation_and_none_that_gives_a_test_away(
    casebook: Casebook, desk: Desk, policy: Policy, tmp_path: Path
) -> None:
    root = corpus(tmp_path)
    target = root / "data/verdicts"
    keep(casebook, waiting("a", hours=1), waiting("b", text="A question on my account!", hours=2))
    keep(casebook, waiting("c", text="Vendem remédios falsos na feira de domingo.", hours=3))
    first, _, third = decide(desk), decide(desk), decide(desk)
    assert run(casebook, target) == 3
    desk.verdicts.undo(third.number, "ana", NOON + minutes(1))
    desk.verdicts.undo(first.number, "ana", NOON + minutes(1))
    assert run(casebook, target) == 2
    again = desk.queue.case(first.review).item
    desk.verdicts.decide(answer(again, severity="minor"), NOON + minutes(2))
    assert run(casebook, target) == 1

    add_files(Workspace(root), "verdicts", sorted(target.glob("*.jsonl")), policy, NOON.date())
    splits = read_splits(root, policy)

    assert splits["train"]["rating"].tolist() == ["low", "low"]
    assert splits["train"]["text"].iloc[1].startswith("Vai na escola")
    assert splits["train"].index.tolist() == [1, 2]
    assert splits["train"]["weight"].tolist() == [1.0, 1.0]
    assert len(splits["test"]) == 1


def test_a_file_that_is_not_ours_is_left_alone(casebook: Casebook, tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("secret\n")

    with pytest.raises(CasebookError, match=r"notes.jsonl cannot be read") as caught:
        run(casebook, path)

    assert "secret" not in str(caught.value)


def test_the_command_writes_the_files_and_the_trail_says_so(
    casebook: Casebook, desk: Desk, url: str, tmp_path: Path
) -> None:
    keep(casebook, waiting("a"))
    decide(desk)

    result = CliRunner().invoke(app, ["export", "verdicts", str(tmp_path / "out"), "--database-url", url])

    assert result.exit_code == 0, result.output
    assert "1 verdicts written" in result.output
    assert "[phone]" in (tmp_path / "out" / "2026-03-01.jsonl").read_text("utf-8")
    assert casebook.trail.page(limit=1)[0].event.subject == "verdicts, redacted"
