"""An e-mail from a file or a pipe brings an answer, or says why it brings none."""

import io
import sys
from contextlib import closing
from pathlib import Path

import pytest

from riskmodel.casebook import open_casebook
from riskmodel.cli import main
from tests.riskmodel.casebook.made import NOON
from tests.riskmodel.casework.asking import asked, asking, event, keep_case, sent
from tests.riskmodel.casework.test_inbound import reply
from tests.riskmodel.casework.test_questions import token_in


def run(*arguments: str) -> int:
    try:
        main(["answer", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_an_email_is_taken_from_a_file_or_a_pipe_and_its_answer_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'casebook.db'}"
    with closing(open_casebook(url, lambda: NOON)) as casebook:
        questions = asking(casebook)
        number = questions.ask(asked(keep_case(casebook), hours=999), event()).number
        # The command counts from the present, when a question of these tests has run out.
        token = token_in(sent(casebook)[0].payload)
        path = tmp_path / "reply.eml"
        path.write_bytes(reply("gmail-en", token))

        assert run(str(path), "--database-url", url) == 1
        assert "without the token of a question that is open" in capsys.readouterr().err

        monkeypatch.setattr("riskmodel.cli.answers.now", lambda: NOON)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        assert run("-", "--database-url", url) == 0
        assert [one.via for one in questions.get(number).answers] == ["email"]
        assert run(str(tmp_path / "nowhere"), "--database-url", url) == 1
        assert "cannot be read" in capsys.readouterr().err
