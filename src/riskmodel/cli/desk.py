"""``riskmodel golden | queue``: what the review desk is given beside what comes in: known cases, and a backlog."""

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.casebook import midnight, opened
from riskmodel.cli.options import DatabaseUrl, Model, Threads, model_folder, now

golden = typer.Typer(help="Cases whose rating is known; they show how well analysts rate.", no_args_is_help=True)
queue = typer.Typer(help="What waits for a person.", no_args_is_help=True)


@golden.command("add")
def add_golden(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines in the corpus's format, as in data/.")],
    copies: Annotated[int, typer.Option(min=1, max=100, help="Analysts that each case is put before.")] = 2,
    model: Model = None,
    threads: Threads = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Rate known cases and queue them among the others, unrecognisable. Those that are there already are left alone.

    A file of which any row is refused adds nothing; each is named by line and field.
    """
    from riskmodel.artifact import load_model  # noqa: PLC0415
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.review.golden import add_golden, rate  # noqa: PLC0415
    from riskmodel.review.labels import read_labels  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    policy, at = load_policy(), now()
    labels = read_labels(source, policy)
    settings = read_settings(model=model, threads=threads, database_url=database_url)
    loaded = load_model(model_folder(settings.model), policy, settings.threads, across_texts=True)
    with opened(database_url) as casebook:
        count = add_golden(casebook.database, rate(loaded, labels, at), copies, at)
        subject = f"{count} golden cases for {copies} analysts each"
        casebook.trail.append([AuditEvent(at, "command line", None, None, "add golden", subject, None)])
    there = len(labels) - count
    typer.echo(f"{count:,} golden cases added" + (f"; {there:,} were there already." if there else "."))


@queue.command("enter")
def enter(
    kept_from: Annotated[str | None, typer.Option("--from", help="Only what was kept from this day on.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Have the cases wait that were kept before there was a queue, or without one, and that ask for a person."""
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.review.backlog import enter_backlog  # noqa: PLC0415

    since = None if kept_from is None else midnight(kept_from)
    with opened(database_url) as casebook:
        count = enter_backlog(casebook.database, since, now())
        subject = f"{count} escalations"
        casebook.trail.append([AuditEvent(now(), "command line", None, None, "enter queue", subject, None)])
    typer.echo(f"{count:,} escalations entered the queue.")
