"""Opening: a fresh database gets its tables, once; one that cannot be used is refused with advice."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from riskmodel.casebook import Filters, open_casebook
from riskmodel.casebook.migrating import MIGRATIONS, configuration
from riskmodel.casebook.opening import open_database
from riskmodel.casebook.tables import METADATA, REVISION
from riskmodel.errors import CasebookError, CasebookUnavailableError
from tests.riskmodel.casebook.conftest import fresh_database
from tests.riskmodel.casebook.made import make_rated
from tests.riskmodel.casebook.processes import ROOT, Worker

PROCESSES = 8


@pytest.fixture(scope="module")
def workers() -> Iterator[list[Worker]]:
    started = [Worker() for _ in range(PROCESSES)]
    assert [worker.hear() for worker in started] == ["ready"] * PROCESSES
    yield started
    for worker in started:
        worker.kill()


def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    database = open_database(url)

    def differences(connection: sa.Connection) -> Any:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)

    found = database.read(differences)
    database.close()

    assert found == []


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == REVISION


def test_opening_again_keeps_what_is_there(url: str) -> None:
    first = open_casebook(url)
    first.keep([make_rated("a-1")])
    first.close()

    second = open_casebook(url)
    cases = second.page(Filters()).cases
    second.close()

    assert [case.id for case in cases] == ["a-1"]


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(2))
def test_eight_processes_may_open_one_fresh_database_at_once(workers: list[Worker], url: str, attempt: int) -> None:
    for worker in workers:
        worker.tell(f"open {url}")

    assert [worker.hear() for worker in workers] == ["0 cases"] * PROCESSES


def test_a_database_of_a_newer_riskmodel_is_refused_with_advice(url: str) -> None:
    database = open_database(url)
    database.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()

    with pytest.raises(CasebookError, match=r"newer riskmodel: found revision 9999.*Install that version"):
        open_casebook(url)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(sqlite_url: str, postgresql_url: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TABLE assessments (anything TEXT)")
    connection.close()
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute("CREATE TABLE assessments (anything TEXT)")

    for url in (sqlite_url, postgresql_url):
        with pytest.raises(CasebookError, match=r"tables of another program. Name an empty database"):
            open_casebook(url)

    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    assert names == [("assessments",)]


def test_only_its_owner_may_read_the_file(sqlite_url: str, tmp_path: Path) -> None:
    casebook = open_casebook(sqlite_url)
    casebook.keep([make_rated("a-1")])
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    casebook.close()

    assert modes == {"casebook.db": "0o600", "casebook.db-wal": "0o600", "casebook.db-shm": "0o600"}


def test_a_missing_folder_a_folder_and_a_file_of_another_kind_are_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be taken for one" * 100)
    refused = {
        "missing/casebook.db": "has no folder. Create ",
        ".": "is a folder. Name a file",
        "notes.txt": "is not a SQLite database. Name another file",
        "notes.txt/casebook.db": "cannot be created: Not a directory",
    }
    for name, advice in refused.items():
        with pytest.raises(CasebookError, match=advice):
            open_casebook(f"sqlite:///{tmp_path / name}")


def test_a_damaged_file_is_refused_with_advice(sqlite_url: str, tmp_path: Path) -> None:
    casebook = open_casebook(sqlite_url)
    casebook.keep([make_rated(f"a-{number}") for number in range(50)])
    casebook.close()
    path = tmp_path / "casebook.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes(len(whole) - 100))

    with pytest.raises(CasebookError, match=r"is damaged. Put a copy in its place"):
        open_casebook(sqlite_url)


@pytest.mark.parametrize(
    "url", ["", "casebook.db", "mysql://a:secret@b/c", "sqlite://", "sqlite:///:memory:", "postgresql//a:secret@b"]
)
def test_another_kind_of_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(CasebookError, match="The casebook's URL: found") as caught:
        open_casebook(url)

    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_does_not_answer_and_its_password_is_not_told() -> None:
    url = "postgresql://riskmodel:secret@127.0.0.1:9/cases?application_name=secret2"

    with pytest.raises(CasebookUnavailableError, match=r"The casebook cases on 127.0.0.1 does not answer") as caught:
        open_casebook(url)

    assert "secret" not in "".join(map(str, (caught.value, caught.value.__cause__)))


def test_a_database_that_was_not_created_is_refused_with_advice(postgresql: Any) -> None:
    url = postgresql.get_uri(database="never_made")

    with pytest.raises(CasebookError, match=r"never_made on .* Create them") as caught:
        open_casebook(url)

    assert not isinstance(caught.value, CasebookUnavailableError)


def test_the_other_spellings_of_postgresql_open_it_too(postgresql: Any) -> None:
    for scheme in ("postgres", "postgresql+psycopg", "postgresql+psycopg2"):
        open_casebook(fresh_database(postgresql).replace("postgresql", scheme, 1)).close()


def test_the_migrations_run_by_hand_as_well(sqlite_url: str) -> None:
    alembic = [sys.executable, "-m", "alembic", "-c", str(MIGRATIONS / "alembic.ini"), "-x", f"url={sqlite_url}"]

    subprocess.run([*alembic, "upgrade", "head"], check=True, cwd=ROOT, capture_output=True)
    checked = subprocess.run([*alembic, "check"], check=True, cwd=ROOT, capture_output=True, text=True)

    assert "No new upgrade operations" in checked.stdout
    open_casebook(sqlite_url).close()
