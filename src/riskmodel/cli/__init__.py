"""The command line: ``riskmodel serve | work | demo | predict | score | keys | forget | export | golden | ...``."""

import typer

from riskmodel.cli import answers, casebook, desk, insight, rating, reports, serving, storage
from riskmodel.cli.options import say
from riskmodel.errors import RiskmodelError

# A traceback made pretty would quote lines of values; a text must not end up in a log.
app = typer.Typer(
    help="Rate escalations of harm in English, Spanish and Portuguese.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    serving.serve,
    serving.work,
    serving.demo,
    rating.predict,
    rating.score,
    casebook.forget,
    answers.answer,
    reports.drift,
    reports.replay,
):
    app.command()(command)
app.add_typer(casebook.keys, name="keys")
app.add_typer(casebook.export, name="export")
app.add_typer(storage.casebook, name="casebook")
app.add_typer(insight.report, name="report")
app.add_typer(desk.golden, name="golden")
app.add_typer(desk.queue, name="queue")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an expected error ends it with one message on stderr and exit code 1."""
    try:
        app(args=arguments, prog_name="riskmodel")
    except RiskmodelError as error:
        say(f"Error: {error}")
        raise SystemExit(1) from None
