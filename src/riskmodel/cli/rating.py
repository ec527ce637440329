"""``riskmodel predict | score``: rate one escalation, or the rows of a file."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from riskmodel.cli.options import Address, Model, Threads, Workers, model_folder, now, say

INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


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
    (assessment,) = load_model(model_folder(read_settings(model=model).model), policy).assess([escalation], now())
    if as_json:
        typer.echo(assessment.model_dump_json(by_alias=True).encode())
        return

    from rich.console import Console  # noqa: PLC0415

    from riskmodel.panel import panel  # noqa: PLC0415

    Console().print(panel(escalation.text, assessment, policy))


def score(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="A .csv, .jsonl or .parquet file with a column text, or a folder of .parquet files."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="A .csv, .jsonl or .parquet file to write, or for IN in blocks a folder."),
    ],
    model: Model = None,
    threads: Threads = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This process, or the actors of a Ray cluster.")
    ] = "local",
    address: Address = None,
    workers: Workers = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it exists.")] = False,
) -> None:
    """Rate every row of a file of any size, or of a folder of Parquet files.

    Reads the columns text, source, market, id, received_at, reliability, credibility and reporter. Refused rows go
    to a file beside OUT that ends in .refused.jsonl, with their number (from 1, without the header; in JSON lines the
    line's) and the reason.

    A folder, and everything with --engine ray, is rated in blocks into the folder OUT. The same command again goes on
    where it stopped; with another model or input it refuses unless --overwrite begins anew.
    """
    from rich.console import Console  # noqa: PLC0415

    from riskmodel import scoring  # noqa: PLC0415
    from riskmodel.scoring.engines import open_engine  # noqa: PLC0415
    from riskmodel.scoring.progress import progress  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    settings = read_settings(model=model, threads=threads)
    opened = open_engine(engine, address=address, workers=workers, threads=threads)
    in_blocks = engine == "ray" or source.is_dir()
    if not in_blocks:
        scoring.check_files(source, target, overwrite)
    folder = model_folder(settings.model)
    try:
        with progress(Console(stderr=True)) as report:
            if in_blocks:
                from riskmodel.scoring.folders import Rating, work_off  # noqa: PLC0415

                task = Rating(folder)
                with opened as running:
                    done = work_off(
                        task, source, target, running, now=now(), overwrite=overwrite, report=report, notice=say
                    )
            else:
                from riskmodel.artifact import load_model  # noqa: PLC0415
                from riskmodel.policy import load_policy  # noqa: PLC0415

                loaded = load_model(folder, load_policy(), settings.threads, across_texts=True)
                done = scoring.score(loaded, source, target, now=now(), overwrite=overwrite, report=report, notice=say)
    except KeyboardInterrupt:
        say(
            "Interrupted: what is finished stays, the same command goes on."
            if in_blocks
            else "Interrupted: nothing was written."
        )
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(str(done))


def _read_text() -> str:
    """Read standard input, without the line break that ends it."""
    from riskmodel.errors import EscalationError, FieldProblem  # noqa: PLC0415

    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise EscalationError([FieldProblem("text", "bytes that are not UTF-8", "text in UTF-8")]) from None
