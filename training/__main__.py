"""The command line of training: ``python -m training COMMAND``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from riskmodel.errors import RiskmodelError, SettingsError
from riskmodel.policy import load_policy

if TYPE_CHECKING:
    from training.evaluate import Evaluation

app = typer.Typer(help="Train riskmodel from labelled escalations.", no_args_is_help=True, add_completion=False)

Root = Annotated[Path, typer.Option(help="The folder that holds data/ and docs/.", file_okay=False)]


@app.callback()
def training() -> None:
    """Train riskmodel from labelled escalations."""


data_app = typer.Typer(help="Check the labelled escalations, count them, and draw the counts; or add a public set.")
app.add_typer(data_app, name="data")


@data_app.callback(invoke_without_command=True)
def data(
    context: typer.Context,
    root: Root = Path(),
    picture: Annotated[Path | None, typer.Option(help="Where the picture goes.")] = None,
) -> None:
    """Check the labelled escalations, count them, and draw the counts; or add a public set (``data add``)."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console  # noqa: PLC0415

    from training.data_report import PICTURE, draw, tabulate  # noqa: PLC0415
    from training.dataset import data_digest, learnt_files, read_splits  # noqa: PLC0415

    frames = read_splits(root, load_policy())
    Console().print(tabulate(frames))
    target = root / PICTURE if picture is None else picture
    draw(frames, target)
    typer.echo(f"Every line follows the guide, and no split gives another away.\nPicture: {target}")
    typer.echo(f"Digest: {data_digest(learnt_files(root))}")


@data_app.command()
def add(
    name: Annotated[
        str, typer.Argument(help="verdicts, labels; or a public set: edos, told_br, olid_br, convabuse, all.")
    ],
    files: Annotated[list[Path] | None, typer.Argument(help="Of verdicts or labels, as JSON lines.")] = None,
    folder: Annotated[Path | None, typer.Option("--from", help="Of downloaded public sets.", file_okay=False)] = None,
    by: Annotated[str, typer.Option(help="Who labelled, for files of labels.")] = "",
    root: Root = Path(),
) -> None:
    """Join verdicts, labels or a public set with what the next fit learns from, and tell what was left out and why."""
    if name in ("verdicts", "labels"):
        from training.added import FOLDERS  # noqa: PLC0415
        from training.adding import add_files  # noqa: PLC0415
        from training.workspace import Workspace  # noqa: PLC0415

        if folder is not None:
            raise SettingsError(f"--from is for public sets; name the files of {name} themselves.")
        kind = next(kind for kind in FOLDERS if kind == name)
        for line in add_files(Workspace(root), kind, files or [], load_policy(), datetime.now(UTC).date(), by).lines():
            typer.echo(line)
        return
    from training.public.adding import add  # noqa: PLC0415
    from training.public.mapping import PUBLIC_SETS  # noqa: PLC0415

    if folder is None or files or by:
        raise SettingsError("A public set is taken --from the folder of downloaded sets, and from nothing else.")
    for each in PUBLIC_SETS if name == "all" else [name]:
        added = add(each, folder, root)
        typer.echo(
            f"{added.path}: {added.kept:,} training texts of {PUBLIC_SETS[each].source} ({PUBLIC_SETS[each].licence}). "
            f"Left out: {added.own_test:,} of its test part, {added.tested_elsewhere:,} that another set tests on, "
            f"{added.doubled:,} that stand twice."
        )


@app.command()
def vocabulary(
    wheel: Annotated[Path, typer.Argument(help="The wheel of wordfreq 3.1.1.", exists=True, dir_okay=False)],
    root: Root = Path(),
) -> None:
    """Make the list of pieces that stay in the encoder's vocabulary again."""
    from training.base_encoder import resolve_base  # noqa: PLC0415
    from training.frequent_words import list_pieces  # noqa: PLC0415
    from training.params import read_params  # noqa: PLC0415
    from training.vocabulary import LIST  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    base = resolve_base(read_params().encoder.base, Workspace(root).cache)
    pieces = list_pieces(wheel, base / "tokenizer.json")
    LIST.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    typer.echo(f"{LIST}: {len(pieces):,} pieces.")


@app.command()
def fit(
    root: Root = Path(),
    params: Annotated[Path | None, typer.Option(help="The recipe; training/params.toml if not given.")] = None,
    version: Annotated[str | None, typer.Option(help="Name of the new version; today's date if not given.")] = None,
) -> None:
    """Train a version, look at the test split, write models/<version>, and log it all to MLflow."""
    from training.fit import fit, name_champion, next_version  # noqa: PLC0415
    from training.params import SHIPPED_PARAMS, read_params  # noqa: PLC0415
    from training.progress import say  # noqa: PLC0415
    from training.tracking import track  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

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
def embed(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A .parquet file with a column text, or a folder.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the vectors to.")],
    model: Annotated[
        Path | None, typer.Option(help="A version whose encoder it is. Default: the recipe's, before it is adapted.")
    ] = None,
    root: Root = Path(),
    params: Annotated[Path | None, typer.Option(help="The recipe; training/params.toml if not given.")] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This process, or the actors of a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(envvar="RAY_ADDRESS", help="A Ray cluster. Default: one on this machine.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Actors of Ray, a core each. Default: all.")] = None,
    threads: Annotated[int | None, typer.Option(min=0, help="Cores of this process; 0 takes all.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew what OUT holds.")] = False,
    into_cache: Annotated[bool, typer.Option("--into-cache", help="Let every fit find the vectors.")] = False,
) -> None:
    """Embed a corpus in blocks, on this machine or a Ray cluster; the same command again goes on where it stopped."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from riskmodel.scoring.engines import open_engine  # noqa: PLC0415
    from riskmodel.scoring.folders import work_off  # noqa: PLC0415
    from training.embedding import Embedding, encoder_of_version, encoder_to_adapt, fill_cache  # noqa: PLC0415
    from training.params import SHIPPED_PARAMS, read_params  # noqa: PLC0415
    from training.progress import progress, say  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace(root)
    opened = open_engine(engine, address=address, workers=workers, threads=threads)
    if model is None:
        folder, spec = encoder_to_adapt(workspace, read_params(SHIPPED_PARAMS if params is None else params))
    else:
        folder, spec = encoder_of_version(model)
    with progress("Embedding") as report, opened as running:
        done = work_off(
            Embedding(folder, spec),
            source,
            target,
            running,
            now=datetime.now(UTC).replace(microsecond=0),
            overwrite=overwrite,
            report=lambda step, steps: report(step, steps, ""),
            notice=say,
        )
    typer.echo(str(done).replace("Rated", "Embedded"))
    if into_cache:
        count = fill_cache(target, folder, spec, workspace.cache)
        typer.echo(f"{count:,} vectors are in {workspace.cache}: a fit with this encoder need not make them again.")


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
    from training.rebuild import rebuild_encoder  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

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


@app.command()
def benchmark(
    data: Annotated[Path, typer.Option(help="The folder of public sets.", exists=True, file_okay=False)],
    model: Annotated[Path, typer.Argument(help="A version's folder, or one with a champion.")] = Path("models"),
    out: Annotated[Path, typer.Option(help="Where the page and the figures go.", file_okay=False)] = Path(
        "docs/content"
    ),
    root: Root = Path(),
) -> None:
    """Read public sets of posts and requests with a version, beside the figures published for them."""
    from riskmodel.artifact import champion_folder  # noqa: PLC0415
    from training.benchmark.report import write  # noqa: PLC0415
    from training.benchmark.run import run  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    results = run(champion_folder(model), load_policy(), data, Workspace(root).cache)
    typer.echo(f"{len(results.lines)} figures: {write(results, out)}")


@app.command()
def explain(
    model: Annotated[Path, typer.Argument(help="A version's folder, or one with a champion.")] = Path("models"),
    root: Root = Path(),
    every: Annotated[int, typer.Option(min=1, help="Read every n-th text of the test split.")] = 2,
    page: Annotated[Path | None, typer.Option(help="Write the figures into this page, between its marks.")] = None,
) -> None:
    """Measure how far a version's evidence can be trusted, beside occlusion, TF-IDF weights and chance."""
    from riskmodel.artifact import champion_folder, load_model, read_manifest  # noqa: PLC0415
    from training.dataset import read_splits  # noqa: PLC0415
    from training.faithfulness import markdown, measure  # noqa: PLC0415
    from training.progress import progress  # noqa: PLC0415

    folder, policy = champion_folder(model), load_policy()
    frames = read_splits(root, policy)
    with progress("Taking words out") as report:
        found = measure(
            load_model(folder, policy, across_texts=True), frames["train"], frames["test"].iloc[::every], report
        )
    _tell(markdown(found, read_manifest(folder).version), "explain", page)


@app.command()
def promote(
    challenger: Annotated[Path, typer.Argument(help="The folder of the version that is to serve.")],
    recent: Annotated[
        Path | None, typer.Option(help="What came in recently: the file of `riskmodel export escalations`.")
    ] = None,
    root: Root = Path(),
) -> None:
    """Compare a challenger with the champion; make it the champion only if no guard refuses."""
    from training.promote import judge, promote, read_recent  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace(root)
    findings = judge(workspace, challenger, load_policy(), None if recent is None else read_recent(recent))
    for finding in findings:
        typer.echo(str(finding))
    refused = sum(not finding.passed for finding in findings)
    if refused:
        raise SettingsError(f"{challenger.name} stays a challenger: {refused} of {len(findings)} guards refuse it.")
    typer.echo(promote(workspace, challenger))


@app.command()
def suggest(
    texts: Annotated[Path, typer.Argument(help="JSON lines with id and text, such as an export of the casebook.")],
    model: Annotated[Path, typer.Option(help="A version's folder, or one with a champion.")] = Path("models"),
    count: Annotated[int, typer.Option(min=1, help="How many to label.")] = 50,
    out: Annotated[Path, typer.Option(help="Where they go, as JSON lines.", dir_okay=False)] = Path("to-label.jsonl"),
) -> None:
    """Choose what to label next: where the version doubts, and what is unlike all that was labelled and chosen."""
    from riskmodel.artifact import champion_folder, load_model  # noqa: PLC0415
    from training.progress import progress  # noqa: PLC0415
    from training.suggest import read_texts, suggest, write  # noqa: PLC0415

    given = read_texts(texts)
    version = load_model(champion_folder(model), load_policy(), across_texts=True)
    with progress("Reading what could be labelled") as report:
        found = suggest(version, given, count, report)
    write(found, out)
    typer.echo(f"{len(found)} of {len(given):,} texts to label, the most useful first: {out}")


@app.command()
def saving(root: Root = Path()) -> None:
    """Show how many labels `suggest` saves against drawing at random, by hiding the corpus's labels; draw it."""
    from training.base_encoder import resolve_base  # noqa: PLC0415
    from training.dataset import read_splits  # noqa: PLC0415
    from training.encoders import frozen_vectors  # noqa: PLC0415
    from training.labels import read_labels  # noqa: PLC0415
    from training.params import read_params  # noqa: PLC0415
    from training.progress import progress  # noqa: PLC0415
    from training.saving import PICTURE, draw, simulate  # noqa: PLC0415
    from training.splits import make_folds  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    policy, params, workspace = load_policy(), read_params(), Workspace(root)
    train = read_splits(root, policy)["train"]
    base = resolve_base(params.encoder.base, workspace.cache)
    with progress("Encoding with the frozen encoder") as report:
        vectors = frozen_vectors(workspace, base, train["text"].tolist(), params, report)
    fold = make_folds(train, params.folds, params.seed)[0]
    with progress("Buying labels") as report:
        found = simulate(vectors, read_labels(train, policy), fold, policy, report)
    draw(found, root / PICTURE)
    typer.echo(f"Labels to reach a kappa of {found.reached:.3f}: {found.labels}. Picture: {root / PICTURE}")


@app.command()
def rollback(root: Root = Path()) -> None:
    """Make the champion before the present one the champion again."""
    from training.promote import roll_back  # noqa: PLC0415
    from training.workspace import Workspace  # noqa: PLC0415

    typer.echo(roll_back(Workspace(root)))


@app.command()
def robustness(
    model: Annotated[Path, typer.Argument(help="A version's folder, or one with a champion.")] = Path("models"),
    root: Root = Path(),
    page: Annotated[Path | None, typer.Option(help="Write the figures into this page, between its marks.")] = None,
) -> None:
    """Edit the texts of the test split, harmlessly and decisively, and count which ratings move."""
    from riskmodel.artifact import champion_folder, load_model, read_manifest  # noqa: PLC0415
    from training.dataset import read_splits  # noqa: PLC0415
    from training.progress import progress  # noqa: PLC0415
    from training.robustness import markdown, measure  # noqa: PLC0415

    folder, policy = champion_folder(model), load_policy()
    with progress("Editing the test split") as report:
        found = measure(load_model(folder, policy, across_texts=True), read_splits(root, policy)["test"], report)
    _tell(markdown(found, read_manifest(folder).version), "robustness", page)


def _tell(figures: str, command: str, page: Path | None) -> None:
    """Print figures, and put them between the marks of a page where one is named."""
    from training.card import put  # noqa: PLC0415

    typer.echo(figures)
    if page is not None:
        put(page, command, figures)


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
