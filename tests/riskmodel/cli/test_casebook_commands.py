"""Keys, forgetting and exports at the command line: what is shown, what is kept, what leaves."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from riskmodel import RiskModel, read_escalation
from riskmodel.casebook import Casebook, Filters, Rated, Sent, digest_of, open_casebook
from riskmodel.cli import main

Run = Callable[..., tuple[int, str, str]]
TEXT = "Call me at +55 11 91234-5678 or ana.souza@example.com: the parcel is late 😟."
SECRET = re.compile(r"rk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")
OLD, RECENT = datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RISKMODEL_DATABASE_URL", f"sqlite:///{tmp_path / 'casebook.db'}")
    monkeypatch.setenv("COLUMNS", "200")
    return f"sqlite:///{tmp_path / 'casebook.db'}"


@pytest.fixture
def casebook(url: str) -> Iterator[Casebook]:
    with closing(open_casebook(url)) as casebook:
        yield casebook


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


@pytest.fixture
def keep(url: str, model: RiskModel) -> Callable[..., None]:
    """Return a function that keeps an escalation as the service does, at a moment."""

    def keep_one(id: str, kept_at: datetime, client: str = "tool", text: str = TEXT) -> None:
        escalation = read_escalation({"id": id, "text": text, "source": "press"})
        (assessment,) = model.assess([escalation], kept_at)
        sent = Sent(client, escalation, None, digest_of(escalation), "a-request", None)
        document = assessment.model_dump_json(by_alias=True)
        with closing(open_casebook(url, clock=lambda: kept_at)) as casebook:
            casebook.keep([Rated(sent, assessment, document, received_at=kept_at, assessed_at=kept_at)])

    return keep_one


def kept(casebook: Casebook) -> set[tuple[str, str]]:
    return {(case.client, case.id) for case in casebook.page(Filters()).cases}


def trail(casebook: Casebook) -> list[tuple[str, str, str]]:
    return [(entry.event.actor, entry.event.action, entry.event.subject) for entry in casebook.trail.page()]


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["client", "analyst", "lead", "admin"])
def test_a_key_is_printed_once_on_stdout_and_lets_its_role_in(role: str, run: Run, casebook: Casebook) -> None:
    code, output, errors = run("keys", "create", "triage-tool", "--role", role)

    secret = output.removesuffix("\n")
    key = casebook.keys.verify(secret, datetime.now(UTC))
    assert code == 0
    assert SECRET.fullmatch(secret)
    assert key is not None
    assert (key.name, key.role, key.expires_at) == ("triage-tool", role, None)
    assert errors == f"Key {key.id} of triage-tool, role {role}. It is shown this once:\n"
    assert trail(casebook) == [("command line", "create key", key.id)]


def test_the_secret_is_nowhere_but_where_it_was_printed(run: Run, tmp_path: Path) -> None:
    secret = run("keys", "create", "tool", "--role", "client")[1].strip()

    listed = run("keys", "list")
    revoked = run("keys", "revoke", secret[3:11])

    half = secret[12:].encode()
    assert half.decode() not in "".join([*listed[1:], *revoked[1:]])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if half in path.read_bytes()] == []


def test_a_key_can_end_by_itself(run: Run, casebook: Casebook) -> None:
    output = run("keys", "create", "tool", "--role", "client", "--days", 30)[1]

    (key,) = casebook.keys.keys()
    assert key.expires_at is not None
    assert abs(key.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert casebook.keys.verify(output.strip(), key.expires_at) is None


def test_the_list_shows_whose_keys_they_are_and_how_each_stands(run: Run, casebook: Casebook) -> None:
    now = datetime.now(UTC)
    valid, used, ends, expired, revoked = (
        casebook.keys.create(f"{name}-tool", "client", now - timedelta(days=9), end).key
        for name, end in [
            ("valid", None),
            ("used", None),
            ("ends", now + timedelta(days=2)),
            ("expired", now - timedelta(days=2)),
            ("revoked", None),
        ]
    )
    casebook.keys.record_use({used.id: now})
    casebook.keys.revoke(revoked.id, now)

    code, output, errors = run("keys", "list")

    rows = {cells[0]: cells[1:] for line in output.splitlines() if len(cells := line.strip("│ ").split("│")) == 6}
    rows = {id.strip(): [cell.strip() for cell in cells] for id, cells in rows.items()}
    assert (code, errors) == (0, "")
    day = now.strftime("%Y-%m-%d")
    assert rows[valid.id][0] == "valid-tool"
    assert rows[valid.id][-2:] == ["never", "valid"]
    assert rows[used.id][-2].startswith(day)
    assert rows[ends.id][-1].startswith(f"valid until {(now + timedelta(days=2)):%Y-%m-%d}")
    assert rows[expired.id][-1].startswith("expired")
    assert rows[revoked.id][-1].startswith(f"revoked {day}")


def test_without_keys_the_list_says_how_to_make_one(run: Run) -> None:
    code, output, errors = run("keys", "list")

    assert (code, output) == (0, "")
    assert "riskmodel keys create" in errors


def test_a_revoked_key_lets_nobody_in_and_stays_on_the_list(run: Run, casebook: Casebook) -> None:
    secret = run("keys", "create", "tool", "--role", "client")[1].strip()
    (key,) = casebook.keys.keys()

    code, output, errors = run("keys", "revoke", key.id)

    assert (code, output, errors) == (0, "", f"Key {key.id} of tool is revoked.\n")
    assert casebook.keys.verify(secret, datetime.now(UTC)) is None
    assert "revoked" in run("keys", "list")[1]
    assert trail(casebook)[0] == ("command line", "revoke key", key.id)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["create", "tool", "--role", "boss"],
            "--role: found another word, expected one of team, client, analyst, lead",
        ),
        (
            ["create", "tool", "--role", "team"],
            "NAME of a team's key: found an unknown team, expected one of crisis_resp",
        ),
        (["create", "golden", "--role", "client"], "name: found golden, which is kept for golden cases"),
        (["create", "two words", "--role", "client"], "name: found text of another form, expected 1 to 64 of"),
        (["create", "", "--role", "client"], "name: found text of another form"),
        (["create", "x" * 65, "--role", "client"], "name: found text of another form"),
        (["revoke", "abcdefgh"], "found none like it, expected one that `riskmodel keys list` shows"),
        (["list", "--database-url", "mysql://host/name"], "expected sqlite:///FILE or postgresql://"),
        (["list", "--database-url", "sqlite:////nowhere/at/all.db"], "has no folder"),
    ],
)
def test_what_cannot_be_done_with_keys_is_one_message(
    arguments: list[str], message: str, run: Run, casebook: Casebook
) -> None:
    code, output, errors = run("keys", *arguments)

    assert (code, output) == (1, "")
    assert errors.startswith("Error: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert casebook.keys.keys() == []
    assert trail(casebook) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "tool"],
        ["keys", "create", "tool", "--role", "client", "--days", "0"],
        ["keys", "create", "tool", "--role", "client", "--days", "many"],
        ["keys", "revoke"],
        ["export", "escalations"],
        ["export", "keys", "out.jsonl"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], run: Run, casebook: Casebook) -> None:
    code, output, errors = run(*arguments)

    assert (code, output) == (2, "")
    assert "Usage: riskmodel" in errors
    assert casebook.keys.keys() == []


# --- forget -------------------------------------------------------------------------------------------------------


def test_what_was_kept_before_a_day_is_forgotten_and_the_day_itself_stays(
    run: Run, keep: Callable[..., None], casebook: Casebook
) -> None:
    midnight = datetime(2026, 2, 1, tzinfo=UTC)
    keep("old", OLD)
    keep("last", midnight - timedelta(seconds=1))
    keep("first", midnight)
    keep("recent", RECENT)

    code, output, errors = run("forget", "--before", "2026-02-01")

    assert (code, output, errors) == (0, "2 escalations forgotten.\n", "")
    assert kept(casebook) == {("tool", "first"), ("tool", "recent")}
    ((actor, action, subject),) = trail(casebook)
    assert (actor, action) == ("command line", "forget")
    assert subject.startswith("2 escalations kept before 2026-02-01")


def test_escalations_are_forgotten_by_id_of_all_clients_or_of_one(
    run: Run, keep: Callable[..., None], casebook: Casebook
) -> None:
    for client in ("one", "other"):
        for id in ("a", "b", "c"):
            keep(id, OLD, client)

    of_all = run("forget", "--id", "a", "--id", "nothing")
    of_one = run("forget", "--id", "b", "--client", "one")
    none = run("forget", "--before", "2026-02-01", "--client", "nobody")

    assert [output for _, output, _ in (of_all, of_one, none)] == [
        "2 escalations forgotten.\n",
        "1 escalations forgotten.\n",
        "0 escalations forgotten.\n",
    ]
    assert kept(casebook) == {("other", "b"), ("one", "c"), ("other", "c")}
    assert [action for _, action, _ in trail(casebook)] == ["forget"] * 2


def test_nothing_of_a_forgotten_text_is_left_in_any_file(run: Run, keep: Callable[..., None], tmp_path: Path) -> None:
    keep("old", OLD, text="Marisol lost a parcel.")

    run("forget", "--id", "old")

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"Marisol" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neither or both of --before and --id"),
        (["--client", "tool"], "neither or both of --before and --id"),
        (["--before", "2026-02-01", "--id", "old"], "neither or both of --before and --id"),
        (["--before", "yesterday"], "A day: found text of another form, expected one such as 2026-01-31"),
        (["--before", "2026-02-30"], "A day: found text of another form"),
        (["--before", "2026-02-01T10:00:00Z"], "A day: found text of another form"),
        (["--before", ""], "A day: found text of another form"),
    ],
)
def test_what_cannot_be_forgotten_is_one_message_and_nothing_is_lost(
    arguments: list[str], message: str, run: Run, keep: Callable[..., None], casebook: Casebook
) -> None:
    keep("old", OLD)

    code, output, errors = run("forget", *arguments)

    assert (code, output) == (1, "")
    assert errors.startswith("Error: ")
    assert message in errors
    assert kept(casebook) == {("tool", "old")}
    assert trail(casebook) == []


# --- export -------------------------------------------------------------------------------------------------------


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_export_masks_personal_data(run: Run, keep: Callable[..., None], casebook: Casebook, tmp_path: Path) -> None:
    keep("one", OLD)

    code, output, errors = run("export", "escalations", tmp_path / "out.jsonl")

    (row,) = rows(tmp_path / "out.jsonl")
    written = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert (code, errors) == (0, "")
    assert output == f"1 escalations written to {tmp_path / 'out.jsonl'}.\n"
    assert [secret for secret in ("91234", "5678", "ana.souza", "example.com") if secret in written] == []
    assert "the parcel is late 😟" in row["text"]
    assert (row["id"], row["client"], row["source"]) == ("one", "tool", "press")
    assert len(row["assessments"]) == 1
    assert trail(casebook) == [("command line", "export", "escalations, redacted")]


def test_an_export_as_it_is_holds_every_word_and_the_trail_says_so(
    run: Run, keep: Callable[..., None], casebook: Casebook, tmp_path: Path
) -> None:
    keep("one", OLD)

    run("export", "escalations", tmp_path / "out.jsonl", "--as-it-is")

    (row,) = rows(tmp_path / "out.jsonl")
    assert row["text"] == TEXT
    assert trail(casebook) == [("command line", "export", "escalations, as they are")]


def test_an_export_can_be_of_some_days(run: Run, keep: Callable[..., None], tmp_path: Path) -> None:
    for id, moment in (("old", OLD), ("middle", OLD + timedelta(days=20)), ("recent", RECENT)):
        keep(id, moment)
    target = tmp_path / "out.jsonl"

    run("export", "escalations", target)
    everything = [row["id"] for row in rows(target)]
    run("export", "escalations", target, "--overwrite", "--from", "2026-01-11", "--before", "2026-03-01")
    between = [row["id"] for row in rows(target)]
    run("export", "escalations", target, "--overwrite", "--from", "2027-01-01")

    assert sorted(everything) == ["middle", "old", "recent"]
    assert between == ["middle"]
    assert target.read_bytes() == b""


def test_a_file_that_exists_is_left_alone_unless_it_may_be_replaced(
    run: Run, keep: Callable[..., None], casebook: Casebook, tmp_path: Path
) -> None:
    keep("one", OLD)
    target = tmp_path / "out.jsonl"
    target.write_text("precious\n")

    refused = run("export", "escalations", target)
    left, asked = target.read_text(), trail(casebook)
    replaced = run("export", "escalations", target, "--overwrite")

    assert (refused[0], refused[1]) == (1, "")
    assert "exists already. Name another file, or add --overwrite." in refused[2]
    assert (left, asked) == ("precious\n", [])
    assert replaced[0] == 0
    assert len(rows(target)) == 1


@pytest.mark.parametrize(
    ("target", "more", "message"),
    [
        ("nowhere/out.jsonl", [], "cannot be written: No such file or directory."),
        ("folder", ["--overwrite"], "cannot be written: Is a directory."),
        ("out.jsonl", ["--from", "tomorrow"], "A day: found text of another form"),
        ("out.jsonl", ["--before", "01.02.2026"], "A day: found text of another form"),
    ],
)
def test_what_cannot_be_exported_is_one_message_and_leaves_no_half_file(
    target: str, more: list[str], message: str, run: Run, keep: Callable[..., None], tmp_path: Path
) -> None:
    keep("one", OLD)
    (tmp_path / "folder").mkdir()
    before = {path for path in tmp_path.rglob("*") if ".db" not in path.name}

    code, output, errors = run("export", "escalations", tmp_path / target, "--as-it-is", *more)

    assert (code, output) == (1, "")
    assert errors.startswith("Error: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert {path for path in tmp_path.rglob("*") if ".db" not in path.name} == before


def test_a_disk_that_is_full_leaves_neither_half_a_file_nor_a_changed_one(
    run: Run, keep: Callable[..., None], tmp_path: Path
) -> None:
    keep("one", OLD)
    target = tmp_path / "out.jsonl"
    target.write_text("precious\n")
    target.with_name("out.jsonl.part").symlink_to("/dev/full")

    code, _, errors = run("export", "escalations", target, "--overwrite")

    assert code == 1
    assert errors == f"Error: {target} cannot be written: No space left on device.\n"
    assert target.read_text() == "precious\n"
    assert list(tmp_path.glob("*.part")) == []
