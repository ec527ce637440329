"""The command line of training: ``python -m training COMMAND``."""

from pathlib import Path
from typing import Annotated

import typer

from riskmodel.errors import RiskmodelError
from riskmodel.policy import load_policy

app = typer.Typer(help="Train riskmodel from labelled escalations.", no_args_is_help=True, add_completion=False)

Root = Annotated[Path, typer.Option(help="The folder that holds data/ and docs/.", file_okay=False)]


@app.callback()
def training() -> None:
    """Train riskmodel from labelled escalations."""


@app.command()
def data(
    root: Root = Path(),
    picture: Annotated[Path | None, typer.Option(help="Where the picture goes.")] = None,
) -> None:
    """Check the labelled escalations, count them, and draw the counts."""
    from rich.console import Console  # noqa: PLC0415

    from training.data_report import PICTURE, draw, tabulate  # noqa: PLC0415
    from training.dataset import SPLITS, data_digest, read_splits  # noqa: PLC0415

    frames = read_splits(root, load_policy())
    Console().print(tabulate(frames))
    target = root / PICTURE if picture is None else picture
    draw(frames, target)
    typer.echo(f"Every line follows the guide, and no split gives another away.\nPicture: {target}")
    typer.echo(f"Digest: {data_digest(root / path for path in SPLITS.values())}")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an expected error ends it with one message on stderr and exit code 1."""
    try:
        app(args=arguments, prog_name="python -m training")
    except RiskmodelError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
