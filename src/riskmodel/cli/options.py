"""Options that several commands take, and what they share."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str | None,
    typer.Option(
        help="The folder of a model, of versions with a champion, or models:/name@alias. "
        "Default: RISKMODEL_MODEL or models."
    ),
]
Threads = Annotated[int | None, typer.Option(min=0, max=1024, help="Cores to use; 0 takes all. Default: 0.")]
Address = Annotated[
    str | None,
    typer.Option(
        envvar="RAY_ADDRESS", help="A Ray cluster: HOST:PORT, ray://HOST:PORT or auto. Default: one on this machine."
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Actors of Ray, a core each. Default: every core.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="The casebook. Default: RISKMODEL_DATABASE_URL or sqlite:///riskmodel.db."),
]
DeskFile = Annotated[
    str | None,
    typer.Option(help="A TOML file that says where teams are reached. Default: RISKMODEL_DESK, or nowhere."),
]


def model_folder(address: str) -> Path:
    """Return the folder of the version that an address stands for now, fetched from a registry if need be."""
    from riskmodel.service.sources import open_source  # noqa: PLC0415

    source = open_source(address)
    return source.fetch(source.newest())


def now() -> datetime:
    """Return the moment, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def say(line: str) -> None:
    """Print a line on stderr."""
    typer.echo(line, err=True)
