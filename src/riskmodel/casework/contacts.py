"""A TOML file in, where teams are reached out: webhooks with their secrets, e-mail addresses, the server to send by.

It belongs to a deployment, as the policy does not: the policy says which team, this says where it is.
"""

import re
import tomllib
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from riskmodel.casework.delivery import CHANNELS, Channel, Schedule
from riskmodel.casework.signing import SignatureError, key_of
from riskmodel.errors import SettingsError
from riskmodel.records import Language, Rating, Record, kind_of

DESK = "desk"  # those who review, among the teams of a file
VARIABLE = "env:"
LEASES = 4  # as long as an attempt: a process that still works at it is not taken for dead
MOST_SECRETS = 2
MOST_NAME = 31  # before the @ of an address that a token is put into; both together may be 64
Tls = Literal["if offered", "required", "from the start"]
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")


def is_address(text: str) -> bool:
    """Return whether a text is a plain e-mail address."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def _check_address(text: str) -> str:
    if not is_address(text):
        raise ValueError("expected an e-mail address such as team@example.org")
    return text


def _check_room(text: str) -> str:
    if len(text.rpartition("@")[0]) > MOST_NAME:
        raise ValueError(f"expected an address with at most {MOST_NAME} characters before its @")
    return text


def _check_sender(text: str) -> str:
    if not text.isprintable() or not is_address(parseaddr(text)[1]):
        raise ValueError("expected an e-mail address such as desk@example.org, or Name <desk@example.org>")
    return text


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not text.isascii() or not text.isprintable() or " " in text or parts.username or parts.fragment:
        raise ValueError("expected an address such as https://example.org/hook, without user or #")
    return text


def _check_base(text: str) -> str:
    return _check_url(text).rstrip("/")


def _check_secret(text: str) -> str:
    try:
        key_of(text)
    except SignatureError as error:
        raise ValueError(str(error).partition(", ")[2].rstrip(".")) from None
    return text


Email = Annotated[str, AfterValidator(_check_address)]
Url = Annotated[str, AfterValidator(_check_url)]
Secret = Annotated[str, AfterValidator(_check_secret)]


class Team(Record):
    """Where a team is reached.

    Attributes:
        secrets: that sign its webhook: one, or two while one is being changed.
        language: of what it gets.
        masked: whether personal data is masked in what it gets.
        second: the address of who is told when the team is late, such as its lead.
    """

    webhook: Url | None = None
    secrets: list[Secret] = Field(default_factory=list, max_length=MOST_SECRETS, repr=False)
    email: Email | None = None
    language: Language = "en"
    masked: bool = True
    second: Email | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return how it can be reached."""
        given = {"webhook": self.webhook, "email": self.email}
        return tuple(channel for channel in CHANNELS if given[channel] is not None)

    @model_validator(mode="after")
    def _has_secret(self) -> Self:
        if self.webhook is not None and not self.secrets:
            raise ValueError("expected secrets beside a webhook")
        return self


class Smtp(Record):
    """The server that e-mail is sent by.

    Attributes:
        tls: when the connection is encrypted; a password is sent in no other.
        ca_file: certificates that are trusted, where the system's do not do.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    sender: Annotated[str, AfterValidator(_check_sender)]
    tls: Tls = "if offered"
    user: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    ca_file: str | None = None


class Answers(Record):
    """Where replies to questions come in: as files of a maildir, which a mail server or a fetching program fills.

    Attributes:
        address: replies are sent to it with the question's token behind a ``+``, which its server must ignore.
        maildir: the folder, if this service reads it.
    """

    address: Annotated[Email, AfterValidator(_check_room)]
    maildir: Annotated[str, Field(min_length=1)] | None = None

    def address_for(self, token: str) -> str:
        """Return the address that a reply to one question comes to."""
        name, _, domain = self.address.rpartition("@")
        return f"{name}+{token}@{domain}"


class Delivery(Record):
    """When an attempt is made again (see :class:`~riskmodel.casework.delivery.Schedule`), and how long one may take."""

    attempts: Annotated[int, Field(ge=1, le=100)] = Schedule.attempts
    first_seconds: Annotated[float, Field(gt=0, le=3_600)] = Schedule.first_seconds
    longest_seconds: Annotated[float, Field(gt=0, le=7 * 86_400)] = Schedule.longest_seconds
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = 20.0

    @property
    def lease_seconds(self) -> float:
        """Return for how long a process has a message to itself: several times what an attempt takes."""
        return LEASES * self.timeout_seconds

    @property
    def schedule(self) -> Schedule:
        """Return the schedule."""
        return Schedule(self.attempts, self.first_seconds, longest_seconds=self.longest_seconds)


class ByRule(Record):
    """What is handed over without a person's doing.

    Attributes:
        accepted_from: the rating from which on what the model is trusted with is handed over as it comes in.
        decided_from: the rating from which on a verdict hands over.
    """

    accepted_from: Rating | None = None
    decided_from: Rating | None = None


class Contacts(Record):
    """Where everybody is reached; nobody, where there is no file.

    Attributes:
        base_url: where this service is reached from outside; without it messages carry no link.
        private_addresses: whether webhooks may lead into our own network.
    """

    base_url: Annotated[str, AfterValidator(_check_base)] | None = None
    private_addresses: bool = False
    handoffs: ByRule = ByRule()
    delivery: Delivery = Delivery()
    smtp: Smtp | None = None
    answers: Answers | None = None
    teams: dict[str, Team] = Field(default_factory=dict)

    def channels_of(self, team: str) -> tuple[Channel, ...]:
        """Return how a team can be reached; nothing where it looks at the pages only."""
        return self.teams[team].channels if team in self.teams else ()

    def language_of(self, team: str) -> Language:
        """Return the language of what a team gets."""
        return self.teams[team].language if team in self.teams else "en"

    def is_masked(self, team: str) -> bool:
        """Return whether personal data is masked in what a team gets."""
        return self.teams[team].masked if team in self.teams else True

    def second_of(self, team: str) -> str | None:
        """Return the address of who is told when a team is late; None where nobody is named."""
        return self.teams[team].second if team in self.teams else None

    def email_of(self, destination: str) -> str | None:
        """Return the address of a team, or the address itself; None if there is none."""
        if destination in self.teams:
            return self.teams[destination].email
        return destination if is_address(destination) else None

    @model_validator(mode="after")
    def _has_server(self) -> Self:
        if self.smtp is None and any(team.email or team.second for team in self.teams.values()):
            raise ValueError("expected smtp, as a team has an e-mail address")
        return self


def load_contacts(path: Path, variable: Callable[[str], str | None], teams: frozenset[str]) -> Contacts:
    """Read and check a file.

    Args:
        path: of the file.
        variable: what an environment variable holds, for values such as ``env:CRISIS_SECRET``.
        teams: those of the policy; no other can be reached, but for the desk itself.

    Raises:
        SettingsError: naming the file and each thing that is missing, unknown or malformed; never a secret.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Desk file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"Desk file {path} is not valid TOML: {error}.") from None
    missing: list[str] = []
    filled = _filled(raw, variable, missing)
    if missing:
        raise SettingsError(f"Desk file {path} names variables that are not set: {', '.join(missing)}.")
    try:
        contacts = Contacts.model_validate(filled)
    except ValidationError as error:
        problems = [_problem(dict(item)) for item in error.errors(include_url=False, include_input=True)]
        raise SettingsError(f"Desk file {path} cannot be used: {'; '.join(problems)}.") from None
    known = teams | {DESK}
    unknown = sorted(set(contacts.teams) - known)
    if unknown:
        found, expected = ", ".join(unknown), ", ".join(sorted(known))
        raise SettingsError(f"Desk file {path} cannot be used: teams: found {found}, expected some of {expected}.")
    return contacts


def _filled(value: Any, variable: Callable[[str], str | None], missing: list[str]) -> Any:
    """Return a value with what variables hold in the place of their names."""
    match value:
        case dict():
            return {name: _filled(item, variable, missing) for name, item in value.items()}
        case list():
            return [_filled(item, variable, missing) for item in value]
        case str() if value.startswith(VARIABLE):
            found = variable(value.removeprefix(VARIABLE))
            if not found:
                missing.append(value.removeprefix(VARIABLE))
            return found
    return value


def _problem(error: dict[str, Any]) -> str:
    """Return one of pydantic's errors without the value, which may be a secret."""
    place = ".".join(map(str, error["loc"])) or "the file"
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{place}: found an unknown setting, expected none of that name"
    if error["type"] == "missing":
        return f"{place}: found nothing, expected a value"
    found = "something else" if error["type"] == "value_error" else kind_of(error["input"])
    expected = said if said.startswith("expected ") else f"expected another value ({said})"
    return f"{place}: found {found}, {expected}"
