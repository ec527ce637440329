"""``riskmodel casebook``: what the database itself needs, whoever uses it."""

import typer

from riskmodel.cli.options import DatabaseUrl

casebook = typer.Typer(help="The database that keeps everything.", no_args_is_help=True)


@casebook.command("migrate")
def migrate(database_url: DatabaseUrl = None) -> None:
    """Make or migrate the tables before services of a new version start; each would do so itself, one at a time."""
    from riskmodel.casebook import migrate_database  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    done = migrate_database(read_settings(database_url=database_url).database_url)
    if done.before == done.after:
        typer.echo(f"{done.name} is at revision {done.after} already.")
    else:
        typer.echo(f"{done.name} is at revision {done.after} now, from {done.before or 'no tables'}.")
