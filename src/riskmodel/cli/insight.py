"""``riskmodel report``: what came in, what was done and where it is heading, for a lead to read."""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from riskmodel.cli.casebook import opened
from riskmodel.cli.options import DatabaseUrl, now, say
from riskmodel.errors import SettingsError
from riskmodel.records import LANGUAGES

if TYPE_CHECKING:
    from riskmodel.reports.insight.records import Comparison

Word = TypeVar("Word", bound=str)

report = typer.Typer(help="What came in, what was done and where it is heading.", invoke_without_command=True)

schedule = typer.Typer(help="Reports that are made by themselves, and told of by e-mail.", no_args_is_help=True)
report.add_typer(schedule, name="schedule")

DIFFERENT = 2  # the exit code where a report came out otherwise


@report.callback()
def make(
    context: typer.Context,
    first: Annotated[
        str | None, typer.Option("--from", help="The first day, such as 2026-01-26. Default: 6 days before the last.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day, included. Default: yesterday.")] = None,
    zone: Annotated[str, typer.Option(help="Whose days, such as America/Sao_Paulo.")] = "UTC",
    market: Annotated[str | None, typer.Option(help="Only of this market, such as BR.")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language, such as pt.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="html, md, csv or json. Default: the ending of OUT, else md.")
    ] = None,
    words: Annotated[str, typer.Option(help="Language of the report's words: en, es or pt.")] = "en",
    out: Annotated[Path | None, typer.Option(help="The file to write. Default: the terminal.", dir_okay=False)] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="Make a kept report again, and say what differs and why.")
    ] = None,
    base: Annotated[str, typer.Option(help="Where the desk is reached, for links into it.")] = "",
    database_url: DatabaseUrl = None,
) -> None:
    """Make a report and keep it; or make a kept one again by its id, and compare."""
    if context.invoked_subcommand is not None:
        return
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.reports.insight import making, periods, rendering, storing  # noqa: PLC0415

    given = format_ or ("md" if out is None else out.suffix.removeprefix("."))
    chosen, spoken = _chosen("--format", given, rendering.FORMATS), _chosen("--words", words, LANGUAGES)
    different = False
    with opened(database_url) as casebook:
        database, policy, moment = casebook.database, load_policy(), now()
        if id_ is None:
            asked = periods.asked_for(_day(first), _day(last), now=moment, zone=zone, market=market, language=language)
            made = making.make(database, asked, "command line", policy, moment)
            event = AuditEvent(moment, "command line", None, None, "make report", made.id, None)
            storing.keep(database, made, event)
        else:
            if (first, last, market, language, zone) != (None, None, None, None, "UTC"):
                raise SettingsError("--id: found what to report on beside it, expected the id alone.")
            made = storing.read(database, id_)
            compared = making.make_again(database, made, policy)
            different = not compared.is_same
            _tell(compared)
        file = rendering.render(database, made, chosen, spoken, base)
    if out is None:
        sys.stdout.buffer.write(file.content)
    else:
        _write(out, file.content)
    said = f"Report {made.id}: {made.asked.first} to {made.asked.last}, made in {made.seconds:.1f} s"
    say(f"{said}, in {out}." if out is not None else f"{said}.")
    if different:
        raise typer.Exit(DIFFERENT)


def _chosen(option: str, word: str, words: tuple[Word, ...]) -> Word:
    """Return a word of a list, as which it was given."""
    for one in words:
        if one == word:
            return one
    raise SettingsError(f"{option}: found another word, expected one of {', '.join(words)}.")


def _day(day: str | None) -> date | None:
    try:
        return None if day is None else datetime.strptime(day, "%Y-%m-%d").date()
    except ValueError:
        raise SettingsError("A day: found text of another form, expected one such as 2026-01-31.") from None


def _tell(compared: "Comparison") -> None:
    """Say whether a report came out as it was, and why not."""
    if compared.is_same:
        say(f"Made again: all {len(compared.report.figures)} figures are the same.")
        return
    if compared.forgotten:
        say(f"{compared.forgotten:,} of its escalations are forgotten since.")
    if compared.appeared:
        say(f"{compared.appeared:,} of its escalations were being written when it was made, and are counted now.")
    for name, (before, after) in compared.versions.items():
        say(f"Made by {name} {before}; now it is {after}.")
    for difference in compared.differences:
        say(
            f"Differs: {difference.figure}: {len(difference.gone)} rows gone, {len(difference.came)} came, such as "
            f"{json.dumps((difference.gone or difference.came)[0])}."
        )


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise SettingsError(f"{out} cannot be written: {error.strerror}.") from None


@report.command("dsa")
def dsa(
    first: Annotated[str | None, typer.Option("--from", help="The first day. Default: 6 days before the last.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day, included. Default: yesterday.")] = None,
    zone: Annotated[str, typer.Option(help="Whose days, such as Europe/Madrid.")] = "UTC",
    market: Annotated[str | None, typer.Option(help="Only of this market, such as ES.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The JSON file to write. Default: the terminal.", dir_okay=False)
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Count what the DSA's transparency reports count, and draft statements of reasons of what was mitigated."""
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.reports.insight import bases, making, periods, storing, transparency  # noqa: PLC0415

    with opened(database_url) as casebook:
        database, policy, moment = casebook.database, load_policy(), now()
        asked = periods.asked_for(_day(first), _day(last), now=moment, zone=zone, market=market)
        sides = (*bases.STANDARD, bases.DISCLOSED)
        made = making.make(database, asked, "command line", policy, moment, sides)
        subject = f"{made.id}, with drafts of statements of reasons"
        storing.keep(database, made, AuditEvent(moment, "command line", None, None, "make report", subject, None))
        found = transparency.disclosure(database, made, policy)
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text.encode())
    written = found["statements_of_reasons"]
    incomplete = sum(bool(draft["missing"]) for draft in written["drafts"])
    say(f"{len(written['drafts']):,} drafts, {incomplete:,} of them with required fields empty. Report {made.id}.")


@schedule.command("add")
def add_schedule(
    to: Annotated[list[str], typer.Option(help="An e-mail address, or a team of the policy; may be repeated.")],
    every: Annotated[str, typer.Option(help="day, week or month; it reports on the one before.")] = "week",
    on: Annotated[
        str | None, typer.Option(help="Of a week monday to sunday, of a month 1 to 28. Default: monday, 1.")
    ] = None,
    at: Annotated[str, typer.Option(help="The time of day in the zone.")] = "08:00",
    zone: Annotated[str, typer.Option(help="Such as America/Sao_Paulo.")] = "UTC",
    market: Annotated[str | None, typer.Option(help="Only of this market, such as BR.")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language, such as pt.")] = None,
    words: Annotated[str, typer.Option(help="Language of the report's words: en, es or pt.")] = "en",
    format_: Annotated[str, typer.Option("--format", help="Of the file that the e-mail links to.")] = "html",
    database_url: DatabaseUrl = None,
) -> None:
    """Have a report made again and again, by the service or by `riskmodel work`."""
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.reports.insight import schedules  # noqa: PLC0415

    given = {
        "every": every,
        "on_day": _on_day(every, on),
        "at": at,
        "zone": zone,
        "market": market,
        "language": language,
        "words": words,
        "format": format_,
        "recipients": to,
    }
    checked = schedules.checked(given, frozenset(load_policy().teams), now())
    with opened(database_url) as casebook:
        event = AuditEvent(now(), "command line", None, None, "add schedule", f"every {every}", None)
        number = schedules.add(casebook.database, checked, event)
    typer.echo(f"Schedule {number} added.")


@schedule.command("list")
def list_schedules(database_url: DatabaseUrl = None) -> None:
    """Show the schedules, what each is about, and who is told."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from riskmodel.reports.insight import schedules  # noqa: PLC0415

    with opened(database_url) as casebook:
        found = schedules.active(casebook.database)
    if not found:
        say("There are no schedules. Add one with `riskmodel report schedule add --to ADDRESS`.")
        return
    table = Table("number", "every", "at", "about", "words", "format", "to", "by")
    for one in found:
        new = one.new
        about = ", ".join(part for part in (new.market, new.language) if part) or "everything"
        day = {"day": "day", "week": schedules.WEEKDAYS[new.on_day or 0], "month": f"month, day {new.on_day}"}[
            new.every
        ]
        written = (f"{new.at} {new.zone}", about, new.words, new.format, ", ".join(new.recipients), one.made_by)
        table.add_row(str(one.number), day, *written)
    Console().print(table)


@schedule.command("remove")
def remove_schedule(
    number: Annotated[int, typer.Argument(help="As `riskmodel report schedule list` shows it.")],
    database_url: DatabaseUrl = None,
) -> None:
    """End a schedule; the reports that it had made stay."""
    from riskmodel.casebook import AuditEvent  # noqa: PLC0415
    from riskmodel.reports.insight import schedules  # noqa: PLC0415

    with opened(database_url) as casebook:
        event = AuditEvent(now(), "command line", None, None, "end schedule", str(number), None)
        schedules.end(casebook.database, number, event)
    typer.echo(f"Schedule {number} ended.")


def _on_day(every: str, on: str | None) -> int | None:
    """Return the day that an option names; one that is none is refused later."""
    from riskmodel.reports.insight.schedules import WEEKDAYS  # noqa: PLC0415

    if every == "day":
        return None if on is None else -1
    if every == "week":
        day = (on or WEEKDAYS[0]).lower()
        return WEEKDAYS.index(day) if day in WEEKDAYS else -1
    day = on or "1"
    return int(day) if day.isdecimal() else -1
