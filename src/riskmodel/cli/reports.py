"""``riskmodel drift | replay``: a period beside a version, and what another version would make of it."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.casebook import opened
from riskmodel.cli.options import DatabaseUrl, Model, model_folder, now, say
from riskmodel.errors import SettingsError

Days = Annotated[int, typer.Option(min=1, help="Days of the period, which ends now.")]
REPORT_EVERY = 640  # cases: ten batches
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def drift(
    days: Days = 7,
    model: Model = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Compare what came in of late with what a version was trained for: mixes, texts, and the audited error."""
    from riskmodel.casebook import Filters  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.reports.drift import compare, table  # noqa: PLC0415
    from riskmodel.review import Desk  # noqa: PLC0415
    from riskmodel.service.settings import read_settings  # noqa: PLC0415

    since = now() - timedelta(days=days)
    with opened(database_url) as casebook:
        cases = list(casebook.export(Filters(kept_from=since), redact=False))
        audited = Desk(casebook.database, load_policy()).quality.summary(since, None).automatic
    if not cases:
        raise SettingsError(f"Nothing was kept in the last {days} days: there is nothing to compare.")
    shifts = compare(model_folder(read_settings(model=model).model), cases)
    if as_json:
        found = {"cases": len(cases), "shifts": [asdict(shift) for shift in shifts], "audited": asdict(audited)}
        typer.echo(json.dumps(found))
        return
    from rich.console import Console  # noqa: PLC0415

    Console().print(table(shifts, f"The last {days} days, {len(cases):,} cases"))
    wrong = audited.wrong
    figure = (
        f"{wrong.value:.1%} [{wrong.low:.1%}, {wrong.high:.1%}], n = {wrong.n}" if wrong.value is not None else "none"
    )
    typer.echo(f"Audited error of what was accepted: {figure}.")


def replay(
    challenger: Annotated[Path, typer.Argument(help="The folder of the version that rates in the shadow.")],
    out: Annotated[Path, typer.Option(help="The page to write.", dir_okay=False)] = Path("replay.html"),
    days: Days = 30,
    database_url: DatabaseUrl = None,
    redact: Annotated[bool, typer.Option(help="Mask personal data in the texts on the page.")] = True,
) -> None:
    """Let a version rate recent cases again in the shadow, and write which ratings would move for a lead to read."""
    from riskmodel.artifact import load_model  # noqa: PLC0415
    from riskmodel.casebook import Filters  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.reports.replay import page, replay  # noqa: PLC0415

    since = now() - timedelta(days=days)
    with opened(database_url) as casebook:
        cases = list(casebook.export(Filters(kept_from=since), redact=False))
    if not cases:
        raise SettingsError(f"Nothing was kept in the last {days} days: there is nothing to rate again.")
    found = replay(load_model(challenger, load_policy(), across_texts=True), cases, now(), say_progress)
    try:
        out.write_text(page(found, redact=redact), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{out} cannot be written: {error.strerror}.") from None
    say(f"{len(found.moved)} of {found.cases} ratings would move ({found.share:.1%}): {out}")


def say_progress(done: int, of: int) -> None:
    """Tell now and then how far it is."""
    if done == of or done % REPORT_EVERY == 0:
        say(f"Rated {done:,} of {of:,}.")
