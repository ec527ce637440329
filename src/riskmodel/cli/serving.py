"""``riskmodel serve | work | demo``: the service, what is done beside it, or thirty invented cases to look at."""

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.options import DatabaseUrl, DeskFile, Model, Threads


def serve(
    model: Model = None,
    host: Annotated[str | None, typer.Option(help="An address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free port. Default: 8000.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. Default: info.")] = None,
    threads: Threads = None,
    database_url: DatabaseUrl = None,
    auth: Annotated[str | None, typer.Option(help="on, or off on loopback only. Default: on.")] = None,
    rate_limit: Annotated[str | None, typer.Option(help="Escalations a key may send. Default: 6000/minute.")] = None,
    queue_escalations: Annotated[int | None, typer.Option(help="Escalations that may wait. Default: 512.")] = None,
    deadline_seconds: Annotated[float | None, typer.Option(help="A request may take. Default: 10.")] = None,
    follow_seconds: Annotated[
        float | None, typer.Option(help="Between two looks for a newer model; 0 never looks. Default: 10.")
    ] = None,
    keep_versions: Annotated[int | None, typer.Option(help="Model versions that stay loaded. Default: 1.")] = None,
    tracing: Annotated[str | None, typer.Option(help="OpenTelemetry: on or off. Default: off.")] = None,
    desk: DeskFile = None,
    rounds: Annotated[str | None, typer.Option(help="on, or off where `riskmodel work` runs. Default: on.")] = None,
) -> None:
    """Answer at /predict until Ctrl-C. An option comes before its variable RISKMODEL_MODEL, RISKMODEL_HOST ..."""
    from riskmodel.service.app import serve as run  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    run(
        read_settings(
            model=model,
            host=host,
            port=port,
            log_level=log_level,
            threads=threads,
            database_url=database_url,
            auth=auth,
            rate_limit=rate_limit,
            queue_escalations=queue_escalations,
            deadline_seconds=deadline_seconds,
            follow_seconds=follow_seconds,
            keep_versions=keep_versions,
            tracing=tracing,
            desk=desk,
            rounds=rounds,
        )
    )


def work(
    desk: DeskFile = None,
    database_url: DatabaseUrl = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. Default: info.")] = None,
) -> None:
    """Do what is done beside the service, without it, until Ctrl-C: send what is due."""
    from riskmodel.service.settings import read_settings  # noqa: PLC0415
    from riskmodel.service.work import work as run  # noqa: PLC0415

    run(read_settings(desk=desk, database_url=database_url, log_level=log_level))


def demo(
    model: Model = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Where to listen. Default: 8000.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Labelled escalations to choose the six from. Default: the demo's own.")
    ] = None,
    database_url: DatabaseUrl = None,
    once: Annotated[bool, typer.Option("--once", help="End after the table instead of staying up.")] = False,
) -> None:
    """Start the service on 127.0.0.1, have thirty cases wait at /review if it has none, show six, and stay up."""
    from rich.console import Console  # noqa: PLC0415

    from riskmodel.demo import CASES, HOST, show  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    settings = read_settings(
        model=model, host=HOST, port=port, log_level="error", auth="off", database_url=database_url
    )
    show(settings, data or CASES, Console(), once=once)
