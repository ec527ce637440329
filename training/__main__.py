"""The command line of training: ``python -m training COMMAND``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmodel.errors import RiskmodelError
from riskmodel.policy import load_policy

if TYPE_CHECKING:
    from training.evaluate import Evaluation

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


@app.command()
def fit(
    root: Root = Path(),
    params: Annotated[Path | None, typer.Option(help="The recipe; training/params.toml if not given.")] = None,
    version: Annotated[str | None, typer.Option(help="Name of the new version; today's date if not given.")] = None,
) -> None:
    """Train a version, look at the test split, write models/<version>, and log it all to MLflow."""
    from training.fit import Workspace, fit, name_champion, next_version  # noqa: PLC0415
    from training.params import SHIPPED_PARAMS, read_params  # noqa: PLC0415
    from training.progress import say  # noqa: PLC0415
    from training.tracking import track  # noqa: PLC0415

    recipe = read_params(SHIPPED_PARAMS if params is None else params)
    workspace = Workspace(root)
    fitted = fit(workspace, recipe, load_policy(), version or next_version(workspace))
    _show(fitted.evaluations)
    say("Logging to MLflow")
    alias = track(workspace, fitted, recipe)
    say(f"{fitted.folder} is written, and registered in MLflow as {recipe.name}@{alias}.")
    if name_champion(workspace, fitted.folder):
        say("It is the version that `riskmodel serve` will load.")
    else:
        say(f"To serve it: riskmodel serve --model {fitted.folder}")


@app.command()
def encoder(
    model: Annotated[Path, typer.Argument(help="A version's folder, or one with a champion.")] = Path("models"),
    root: Root = Path(),
) -> None:
    """Build the ONNX encoder of a version that came without it, and prove it by the version's probe."""
    from riskmodel.artifact import ENCODER, champion_folder  # noqa: PLC0415
    from training.progress import say  # noqa: PLC0415

    folder = champion_folder(model)
    if (folder / ENCODER).is_dir():
        say(f"The encoder of {folder} is there.")
        return
    from training.fit import Workspace  # noqa: PLC0415
    from training.rebuild import rebuild_encoder  # noqa: PLC0415

    say(f"Building the encoder of {folder}: about two minutes, once")
    cosine = rebuild_encoder(Workspace(root), folder)
    say(f"It is the one the version was trained with: cosine to its probe {cosine:.4f}.")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="A version's folder, or one with a champion.")] = Path("models"),
    root: Root = Path(),
    readme: Annotated[Path | None, typer.Option(help="Write the figures into this file, between its marks.")] = None,
) -> None:
    """Rate the test split with a version as it stands, and compare with the figures in its manifest."""
    from riskmodel.artifact import champion_folder, load_model, read_manifest  # noqa: PLC0415
    from training.card import write_figures  # noqa: PLC0415
    from training.dataset import read_splits  # noqa: PLC0415
    from training.evaluate import Evaluation, accepted_line, evaluate, predict  # noqa: PLC0415
    from training.labels import read_labels  # noqa: PLC0415
    from training.progress import progress  # noqa: PLC0415

    folder, policy = champion_folder(model), load_policy()
    manifest = read_manifest(folder)
    test = read_splits(root, policy)["test"]
    with progress("Rating the test split") as report:
        predicted, assessments = predict(load_model(folder, policy, across_texts=True), test, report)
    recorded = {name: Evaluation.from_record(record) for name, record in manifest.metrics.items()}
    _show({"as it stands": evaluate(predicted, test, read_labels(test, policy)), **recorded})
    typer.echo(accepted_line(assessments, read_labels(test, policy)))
    if readme is not None:
        write_figures(readme, manifest, recorded)


def _show(evaluations: "Mapping[str, Evaluation]") -> None:
    from rich.console import Console  # noqa: PLC0415

    from training.evaluate import tabulate_slices  # noqa: PLC0415

    for name, evaluation in evaluations.items():
        Console().print(tabulate_slices(evaluation, name))


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an expected error ends it with one message on stderr and exit code 1."""
    try:
        app(args=arguments, prog_name="python -m training")
    except RiskmodelError as error:
        typer.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
