"""``riskmodel answer``: an e-mail that came in, from a file or from a mail server's pipe."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from riskmodel.cli.casebook import opened
from riskmodel.cli.options import DatabaseUrl, DeskFile, now, say
from riskmodel.errors import DataError


def answer(
    file: Annotated[Path, typer.Argument(help="An e-mail (.eml); - reads it from standard input.", allow_dash=True)],
    desk: DeskFile = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Keep the answer to a question that an e-mail brings, and open its case again. Ends with 1 if it brings none."""
    from riskmodel.casework import Questions  # noqa: PLC0415
    from riskmodel.casework.inbound import receive  # noqa: PLC0415
    from riskmodel.policy import load_policy  # noqa: PLC0415
    from riskmodel.service.settings import read_contacts, read_settings  # noqa: PLC0415

    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    contacts = read_contacts(read_settings(desk=desk))
    with opened(database_url) as casebook:
        outcome = receive(raw, Questions(casebook.database, load_policy(), contacts), now())
    if outcome != "kept":
        raise DataError(f"No answer was kept: found an e-mail that is {WHY[outcome]}.")
    say("The answer is kept, and its case waits for a person.")


WHY = {
    "automatic": "written by a program, such as a holiday note, expected one by a person",
    "without text": "without text of its own, expected some above what it quotes",
    "without question": "without the token of a question that is open, expected one in its address or subject",
    "closed": "about a question that is closed, expected an open one",
    "unreadable": "damaged, expected a message as RFC 5322 has it",
    "too large": "too large, expected at most 10 MiB",
}
