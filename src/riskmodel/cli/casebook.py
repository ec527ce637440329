"""``riskmodel keys | forget | export``: who may call, what is kept, and what leaves the casebook."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmodel.cli.options import DatabaseUrl, now, say
from riskmodel.errors import CasebookError, SettingsError

if TYPE_CHECKING:
    from riskmodel.casebook import Casebook

keys = typer.Typer(help="Keys that let clients and people in.", no_args_is_help=True)
export = typer.Typer(help="What leaves the casebook, as files.", no_args_is_help=True)

REPORT_EVERY = 10_000  # rows between two lines of progress


@contextmanager
def opened(database_url: str | None) -> Iterator["Casebook"]:
    """Open the casebook that the settings name, and close it."""
    from riskmodel.casebook import open_casebook  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    casebook = open_casebook(read_settings(database_url=database_url).database_url)
    try:
        yield casebook
    finally:
        casebook.close()


@keys.command("create")
def create_key(
    name: Annotated[
        str, typer.Argument(help="Who will use it: a tool or a person. Keys of one name share their cases.")
    ],
    role: Annotated[
        str,
        typer.Option(
            help="client, analyst, lead or admin, each may do what those before it may; or team: NAME is a team's, "
            "and its hand-offs are all it sees."
        ),
    ],
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days it is valid. Default: until revoked.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from riskmodel.casebook import ROLES, AuditEvent  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415

    if role not in ROLES:
        raise SettingsError(f"--role: found another word, expected one of {', '.join(ROLES)}.")
    teams = load_policy().teams
    if role == "team" and name not in teams:
        raise SettingsError(f"NAME of a team's key: found an unknown team, expected one of {', '.join(teams)}.")
    expires_at = None if days is None else now() + timedelta(days=days)
    with opened(database_url) as casebook:
        made = casebook.keys.create(name, role, now(), expires_at)
        casebook.trail.append([AuditEvent(now(), "command line", None, None, "create key", made.key.id, None)])
    say(f"Key {made.key.id} of {name}, role {role}. It is shown this once:")
    typer.echo(made.secret)


@keys.command("list")
def list_keys(database_url: DatabaseUrl = None) -> None:
    """Show every key: whose it is, its role, when it was last used, whether it is valid."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    with opened(database_url) as casebook:
        found = casebook.keys.keys()
    if not found:
        say("There are no keys. Make one with `riskmodel keys create NAME --role client`.")
        return
    table = Table()
    for column in ("id", "name", "role", "created", "last used", "state"):
        table.add_column(column)
    for key in found:
        if key.revoked_at is not None:
            state = f"revoked {_day(key.revoked_at)}"
        elif key.expires_at is not None:
            state = f"{'expired' if key.expires_at <= now() else 'valid until'} {_day(key.expires_at)}"
        else:
            state = "valid"
        used = _day(key.last_used_at) if key.last_used_at is not None else "never"
        table.add_row(key.id, key.name, key.role, _day(key.created_at), used, state)
    Console().print(table)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `riskmodel keys list` shows it.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key invalid for good; services notice within seconds."""
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415

    with opened(database_url) as casebook:
        key = casebook.keys.revoke(key_id, now())
        casebook.trail.append([AuditEvent(now(), "command line", None, None, "revoke key", key.id, None)])
    say(f"Key {key.id} of {key.name} is revoked.")


def forget(
    before: Annotated[
        str | None, typer.Option(help="Forget what was kept before this day, such as 2026-01-31.")
    ] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Forget this escalation; may be repeated.")] = None,
    client: Annotated[str | None, typer.Option(help="Only those of this client.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Delete escalations for good, with their assessments; the audit trail says how many and why."""
    if (before is None) == (not ids):
        raise SettingsError("forget: found neither or both of --before and --id, expected one of them.")
    with opened(database_url) as casebook:
        count = casebook.forget(before=None if before is None else midnight(before), ids=ids or None, client=client)
    typer.echo(f"{count:,} escalations forgotten.")


@export.command("escalations")
def export_escalations(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .jsonl file to write.")],
    redact: Annotated[
        bool, typer.Option("--redact/--as-it-is", help="Whether personal data in the texts is masked.")
    ] = True,
    kept_from: Annotated[str | None, typer.Option("--from", help="From this day on, such as 2026-01-31.")] = None,
    kept_before: Annotated[str | None, typer.Option("--before", help="Before this day.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write what is kept as JSON lines, personal data masked unless told otherwise."""
    from riskmodel.casebook import AuditEvent, Filters  # noqa: PLC0415

    if target.exists() and not overwrite:
        raise SettingsError(f"{target} exists already. Name another file, or add --overwrite.")
    filters = Filters(
        kept_from=None if kept_from is None else midnight(kept_from),
        kept_before=None if kept_before is None else midnight(kept_before),
    )
    part, count = target.with_name(target.name + ".part"), 0
    with opened(database_url) as casebook:
        kind = "redacted" if redact else "as they are"
        event = AuditEvent(now(), "command line", None, None, "export", f"escalations, {kind}", None)
        casebook.trail.append([event])
        try:
            with part.open("w", encoding="utf-8") as file:
                for row in casebook.export(filters, redact):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    count += 1
                    if count % REPORT_EVERY == 0:
                        say(f"{count:,} escalations written")
            part.replace(target)
        except OSError as error:
            raise CasebookError(f"{target} cannot be written: {error.strerror}.") from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)  # half an export holds texts too
    typer.echo(f"{count:,} escalations written to {target}.")


@export.command("verdicts")
def export_verdicts(
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .jsonl file, or a folder for a file a day.")],
    redact: Annotated[
        bool, typer.Option("--redact/--as-it-is", help="Whether personal data in the texts is masked.")
    ] = True,
    database_url: DatabaseUrl = None,
) -> None:
    """Append what analysts decided to OUT in the corpus's format; who and when goes to a folder of its own beside it.

    What stands in OUT already is not written again.
    """
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.review.export import export as settled  # noqa: PLC0415
    from riskmodel.review.files import known_ids, write  # noqa: PLC0415

    known = known_ids(target)
    with opened(database_url) as casebook:
        kind = "redacted" if redact else "as they are"
        casebook.trail.append([AuditEvent(now(), "command line", None, None, "export", f"verdicts, {kind}", None)])
        count = write(target, settled(casebook.database, known, redacted=redact))
    typer.echo(f"{count:,} verdicts written to {target}.")


def midnight(day: str) -> datetime:
    """Return the moment at which a day, such as 2026-01-31, begins.

    Raises:
        SettingsError: if it is none.
    """
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise SettingsError("A day: found text of another form, expected one such as 2026-01-31 (UTC).") from None


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
