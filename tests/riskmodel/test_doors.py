"""What leaves the desk is masked unless somebody says otherwise: one test a door, each left at its default.

Doors with tests of their own: the log (service/test_logs.py), problem documents (service/test_bad_input.py), and the
precedents that a version shows (training/test_parts.py).
"""

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riskmodel.casebook import Casebook, Filters, open_casebook
from riskmodel.cli import app
from riskmodel.policy import Policy
from riskmodel.reports.replay import Move, Replay, page
from riskmodel.review import Desk, Entering, ReviewSettings
from riskmodel.review import Filters as Waiting
from riskmodel.review.export import export
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.review.made import answer, waiting

SECRETS = ("+55 11 98765-4321", "ana.souza@correio.example", "529.982.247-25", "4111 1111 1111 1111", "@ana_souza")
TEXT = "Publicaram tudo dela: {}, {}, CPF {}, cartão {} e o perfil {}, desde ontem às 18:00.".format(*SECRETS)
PARTS = ("98765", "4321", "ana.", "ana_", "souza", "correio", "529.", "982.247", "4111", "1111 1")


@pytest.fixture
def casebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Casebook]:
    """Return a casebook with one case that waits for a person, which the commands open too."""
    url = f"sqlite:///{tmp_path / 'casebook.db'}"
    monkeypatch.setenv("RISKMODEL_DATABASE_URL", url)
    with closing(open_casebook(url, lambda: NOON, Entering(ReviewSettings(), random.Random(1)))) as casebook:
        casebook.keep([waiting("case-1", text=TEXT)])
        yield casebook


@pytest.fixture
def decided(casebook: Casebook, policy: Policy) -> Casebook:
    desk = Desk(casebook.database, policy, ReviewSettings(second_opinion_share=0.0))
    item = desk.claims.next("carla", Waiting(), NOON)
    assert item is not None
    desk.verdicts.decide(answer(item, "carla", evidence=((22, 60),)), NOON)
    return casebook


def assert_masked(written: str) -> None:
    assert [part for part in PARTS if part in written] == []
    assert "18:00" in written
    assert all(f"[{kind}]" in written for kind in ("phone", "e-mail", "CPF", "card", "handle"))


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output


def test_an_export_of_escalations_by_the_library(casebook: Casebook) -> None:
    assert_masked(json.dumps(list(casebook.export(Filters())), ensure_ascii=False))


def test_an_export_of_escalations_by_the_command_line(casebook: Casebook, tmp_path: Path) -> None:
    run("export", "escalations", tmp_path / "out.jsonl")

    assert_masked((tmp_path / "out.jsonl").read_text(encoding="utf-8"))


def test_an_export_of_verdicts_by_the_library(decided: Casebook) -> None:
    (exported,) = export(decided.database, ())

    assert_masked(json.dumps(exported.row, ensure_ascii=False))


def test_an_export_of_verdicts_by_the_command_line(decided: Casebook, tmp_path: Path) -> None:
    run("export", "verdicts", tmp_path / "out.jsonl")

    assert_masked((tmp_path / "out.jsonl").read_text(encoding="utf-8"))


def test_the_page_of_a_replay() -> None:
    move = Move("case-1", "pt", TEXT, "high", "low", "privacy", 0.6, True)

    assert_masked(page(Replay("one", "two", 1, [move], 0.0, 0.0)))
