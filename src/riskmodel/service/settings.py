"""Environment (and options of the command line) in, one frozen :class:`Settings` out; nothing else reads either."""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from riskmodel.casework import Contacts, load_contacts
from riskmodel.casework.inbound import check_maildir
from riskmodel.errors import FieldProblem, SettingsError
from riskmodel.policy import load_policy
from riskmodel.records import kind_of

PREFIX = "RISKMODEL_"
MAX_THREADS = 1_024

LogLevel = Literal["debug", "info", "warning", "error"]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


class Settings(BaseSettings):
    """How the service runs. A field's description is what an error says is expected."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    model: Annotated[
        str,
        BeforeValidator(_text),
        Field(min_length=1, description="the folder of a model, of versions with a champion, or models:/name@alias"),
    ] = "models"
    database_url: Annotated[
        str, Field(min_length=1, description="sqlite:///path or postgresql://user:password@host/name")
    ] = "sqlite:///riskmodel.db"
    auth: Annotated[Literal["on", "off"], BeforeValidator(_lower), Field(description="on, or off on loopback only")] = (
        "on"
    )
    host: Annotated[str, Field(min_length=1, description="an address to listen on")] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65_535, description="a whole number from 0 to 65535; 0 takes any free port")
    ] = 8000
    log_level: Annotated[LogLevel, BeforeValidator(_lower), Field(description="one of debug, info, warning, error")] = (
        "info"
    )
    threads: Annotated[
        int,
        Field(ge=0, le=MAX_THREADS, description=f"a whole number of cores from 0 to {MAX_THREADS}; 0 takes all"),
    ] = 0
    rate_limit: Annotated[
        str, Field(pattern=r"^\d+/(second|minute|hour)$", description="escalations a key may send, such as 6000/minute")
    ] = "6000/minute"
    queue_escalations: Annotated[
        int, Field(ge=1, le=100_000, description="escalations that may wait, a whole number from 1 to 100000")
    ] = 512
    deadline_seconds: Annotated[
        float, Field(gt=0, le=600, description="seconds a request may take before it gets a 503, up to 600")
    ] = 10.0
    follow_seconds: Annotated[
        float, Field(ge=0, le=86_400, description="seconds between two looks for a new model; 0 never looks")
    ] = 10.0
    keep_versions: Annotated[int, Field(ge=1, le=10, description="model versions that stay loaded, from 1 to 10")] = 1
    tracing: Annotated[Literal["on", "off"], BeforeValidator(_lower), Field(description="on or off")] = "off"
    session_secret: Annotated[
        str,
        Field(repr=False, pattern=r"^(.{32,})?$", description="32 characters or more; empty: another at each start"),
    ] = ""  # signs the review pages' sessions; the same for all processes of one desk
    desk: Annotated[
        str, BeforeValidator(_text), Field(description="a TOML file that says where teams are reached; empty: nowhere")
    ] = ""
    rounds: Annotated[
        Literal["on", "off"], BeforeValidator(_lower), Field(description="on, or off where `riskmodel work` runs")
    ] = "on"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches the service."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(**options: Any) -> Settings:
    """Read the environment once; an option that is not None comes before its variable.

    Raises:
        SettingsError: naming each variable that was refused, the kind of value found and what is expected.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems = [_problem(dict(item)) for item in error.errors(include_url=False)]
        raise SettingsError("; ".join(str(problem) for problem in problems) + ".") from None
    if settings.auth == "off" and not settings.is_loopback:
        raise SettingsError(
            f"{PREFIX}AUTH is off and {PREFIX}HOST is no loopback address: whoever reaches it could do everything. "
            "Leave keys on, or listen on 127.0.0.1."
        )
    return settings


def read_contacts(settings: Settings) -> Contacts:
    """Read the desk file, with the secrets that it keeps in variables; nobody is reached where there is none.

    Raises:
        SettingsError: naming what is wrong with it.
    """
    if not settings.desk:
        return Contacts()
    contacts = load_contacts(Path(settings.desk), os.environ.get, frozenset(load_policy().teams))
    if contacts.answers is not None and contacts.answers.maildir is not None:
        check_maildir(Path(contacts.answers.maildir))
    return contacts


def _problem(error: dict[str, Any]) -> FieldProblem:
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    found = "a number out of range" if error["type"].endswith("_than_equal") else kind_of(error["input"])
    if error["type"] == "extra_forbidden" or field is None:
        return FieldProblem(PREFIX + name.upper(), "an unknown setting", "one of " + ", ".join(Settings.model_fields))
    return FieldProblem(PREFIX + name.upper(), found, str(field.description))
