"""The command line: ``riskmodel serve | predict | score | demo``."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from riskmodel.errors import RiskmodelError

INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended

# A traceback made pretty would quote lines of values; a text must not end up in a log.
app = typer.Typer(
    help="Rate escalations of harm in English, Spanish and Portuguese.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Model = Annotated[
    Path | None,
    typer.Option(help="The folder of a model, or of versions with a champion. Default: RISKMODEL_MODEL or models."),
]
Threads = Annotated[int | None, typer.Option(min=0, max=1024, help="Cores to use; 0 takes all. Default: 0.")]


@app.command()
def serve(
    model: Model = None,
    host: Annotated[str | None, typer.Option(help="An address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any free port. Default: 8000.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. Default: info.")] = None,
    threads: Threads = None,
) -> None:
    """Answer at /predict until Ctrl-C. An option comes before its variable RISKMODEL_MODEL, RISKMODEL_HOST ..."""
    from riskmodel.service.app import serve as run  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    run(read_settings(model=model, host=host, port=port, log_level=log_level, threads=threads))


@app.command()
def predict(
    text: Annotated[str, typer.Argument(help="The report as it arrived; - reads it from standard input.")],
    source: Annotated[str | None, typer.Option(help="Who reported it, such as user_report or press.")] = None,
    market: Annotated[str | None, typer.Option(help="The country it concerns, such as BR, MX or US.")] = None,
    model: Model = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what POST /predict answers.")] = False,
) -> None:
    """Rate one escalation and show why."""
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.records import read_escalation  # noqa: PLC0415

    escalation = read_escalation({"text": _read_text() if text == "-" else text, "source": source, "market": market})

    from riskmodel.artifact import load_model  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    policy = load_policy()
    (assessment,) = load_model(read_settings(model=model).model, policy).assess([escalation], _now())
    if as_json:
        typer.echo(assessment.model_dump_json(by_alias=True).encode())
        return

    from rich.console import Console  # noqa: PLC0415

    from riskmodel.panel import panel  # noqa: PLC0415

    Console().print(panel(escalation.text, assessment, policy))


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A .csv, .jsonl or .parquet file with a column text.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A .csv, .jsonl or .parquet file to write.")],
    model: Model = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
) -> None:
    """Rate every row of a file of any size.

    Reads the columns text, source, market, id and received_at. Refused rows go to a file beside OUT that ends in
    .refused.jsonl, with their number (from 1, without the header; in JSON lines the line's) and the reason.
    """
    from rich.console import Console  # noqa: PLC0415

    from riskmodel import scoring  # noqa: PLC0415
    from riskmodel.artifact import load_model  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.scoring.progress import progress  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    scoring.check_files(source, target, overwrite)
    settings = read_settings(model=model, threads=threads)
    loaded = load_model(settings.model, load_policy(), settings.threads, across_texts=True)
    try:
        with progress(Console(stderr=True)) as report:
            done = scoring.score(loaded, source, target, now=_now(), overwrite=overwrite, report=report, notice=_say)
    except KeyboardInterrupt:
        _say("Interrupted: nothing was written.")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(str(done))


@app.command()
def demo(
    model: Model = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Where to listen. Default: 8000.")] = None,
    data: Annotated[Path, typer.Option(help="Labelled escalations to choose six from.")] = Path(
        "data/escalations/test.jsonl"
    ),
    once: Annotated[bool, typer.Option("--once", help="End after the table instead of staying up.")] = False,
) -> None:
    """Start the service on 127.0.0.1, send it six escalations, show the answers, and stay up until Ctrl-C."""
    from rich.console import Console  # noqa: PLC0415

    from riskmodel.demo import HOST, show  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    settings = read_settings(model=model, host=HOST, port=port, log_level="warning")
    show(settings, data, Console(), once=once)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an expected error ends it with one message on stderr and exit code 1."""
    try:
        app(args=arguments, prog_name="riskmodel")
    except RiskmodelError as error:
        _say(f"Error: {error}")
        raise SystemExit(1) from None


def _read_text() -> str:
    """Read standard input, without the line break that ends it."""
    from riskmodel.errors import EscalationError, FieldProblem  # noqa: PLC0415

    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise EscalationError([FieldProblem("text", "bytes that are not UTF-8", "text in UTF-8")]) from None


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _say(line: str) -> None:
    typer.echo(line, err=True)
