"""``riskmodel casebook`` at the command line: tables are made or migrated, once, and the password is not told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodel.casebook.tables import REVISION
from riskmodel.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command and returns its exit code, its output and its errors."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        output = capfd.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), output.out, output.err

    return run_command


def test_migrating_makes_the_tables_and_says_so_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"

    first = run("casebook", "migrate", "--database-url", f"sqlite:///{path}")
    second = run("casebook", "migrate", "--database-url", f"sqlite:///{path}")

    assert first == (0, f"The casebook {path} is at revision {REVISION} now, from no tables.\n", "")
    assert second == (0, f"The casebook {path} is at revision {REVISION} already.\n", "")


def test_a_database_that_cannot_be_reached_is_one_message_without_its_password(run: Run) -> None:
    url = "postgresql://riskmodel:secret@127.0.0.1:9/cases"

    code, output, errors = run("casebook", "migrate", "--database-url", url)

    assert (code, output) == (1, "")
    assert errors == "Error: The casebook cases on 127.0.0.1 does not answer.\n"
