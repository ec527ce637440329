"""Settings and labelled escalations in; the service running, cases to review, a table of answers on the screen."""

import json
import os
import signal
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from riskmodel.demo.client import find, model_version, predict, wait_until_ready
from riskmodel.demo.filling import fill, name_of
from riskmodel.demo.sample import Labelled, choose
from riskmodel.errors import RiskmodelError, SettingsError
from riskmodel.panel import COLOURS, deadline_in_words, decision_in_words, decisive_words, in_words, visible
from riskmodel.policy import Policy, load_policy
from riskmodel.records import Assessment, Rating
from riskmodel.service.app import SHUTDOWN_SECONDS, serve
from riskmodel.service.settings import Settings

HOST = "127.0.0.1"
LANGUAGE_NAMES = {"en": "English", "es": "Spanish", "pt": "Portuguese"}
START_CHARACTERS = 90
LOG_WIDTH = 120  # of the table, where there is no terminal
TRY_IT = {"text": "A seller took my deposit for concert tickets and vanished", "source": "user_report", "market": "US"}


def show(settings: Settings, data: Path, console: Console, *, once: bool) -> None:
    """Serve; once ready, fill an empty casebook and show six answers. Return after Ctrl-C, or at once if ``once``.

    Raises:
        DataError: if the six cannot be chosen.
        SettingsError: if the port is taken.
        ArtifactError: if the model cannot be loaded.
        RiskmodelError: if the service does not answer.
    """
    if not console.is_terminal:
        console.width = LOG_WIDTH
    sample = choose(data)
    check_free(settings.port)
    visit = _Visit(f"http://{HOST}:{settings.port}", settings.database_url, sample, load_policy(), console, once)
    thread = threading.Thread(target=visit.run, daemon=True)
    thread.start()
    try:
        serve(settings)  # in the main thread, so that Ctrl-C and SIGTERM end it in good order
    finally:
        visit.over.set()
    thread.join(SHUTDOWN_SECONDS)
    if visit.failure is not None:
        raise visit.failure


def check_free(port: int) -> None:
    """Check that the port can be listened on, before somebody else's service there is taken for ours.

    Raises:
        SettingsError: if it cannot.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SettingsError(
                f"Port {port} of {HOST} cannot be used ({error.strerror}). Choose another, such as --port {port - 1}."
            ) from None


@dataclass
class _Visit:
    """What a client does while the service runs; ``over`` is set when the service has ended, by whomever."""

    address: str
    database_url: str
    sample: list[Labelled]
    policy: Policy
    console: Console
    once: bool
    over: threading.Event = field(default_factory=threading.Event)
    failure: RiskmodelError | None = None

    def run(self) -> None:
        """Show the table, then end the service if that was all, or if something failed."""
        try:
            self._run()
        except RiskmodelError as error:
            self.failure = error
        except OSError:
            # On its way out, after Ctrl-C, the service refuses connections; otherwise it should not have.
            if not self.over.wait(SHUTDOWN_SECONDS):
                self.failure = RiskmodelError(f"The service at {self.address} went away.")
        if (self.once or self.failure is not None) and not self.over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    def _run(self) -> None:
        with self.console.status("Loading the model"):
            if not wait_until_ready(self.address, self.over.is_set):
                return
            version = model_version(self.address)
            filled = fill(self.address, version, self.database_url, datetime.now(UTC))
            answers = [self._answer(labelled.body, version) for labelled in self.sample]
        self.console.print(tabulate(self.sample, answers, self.policy))
        self.console.print("Keys are off: the demo listens on this machine only.")
        invented = f", where {filled} invented cases wait for you" if filled else ""
        self.console.print(f"The review desk: {self.address}/review{invented}.", soft_wrap=True, highlight=False)
        self.console.print(f"Try it ({self.address}/docs lists everything):")
        command = f"curl -s {self.address}/predict -H 'Content-Type: application/json' -d '{json.dumps(TRY_IT)}'"
        self.console.print(command, soft_wrap=True, markup=False, highlight=False)
        if not self.once:
            self.console.print("The service stays up until Ctrl-C.")

    def _answer(self, body: dict[str, str], version: str) -> Assessment:
        """Return the answer to an escalation, from the casebook where an earlier start had it kept."""
        name = name_of(body, version)
        return find(self.address, name) or predict(self.address, body | {"id": name})


def tabulate(sample: list[Labelled], answers: list[Assessment], policy: Policy) -> Table:
    """Return one row for each escalation: what was reported, how it was rated, and why; fits 80 columns."""
    table = Table(title="Six escalations", show_lines=True)
    for name, ratio in (("Report", 3), ("Rating", None), ("Decisive words", 3), ("Confidence and decision", 2)):
        table.add_column(name, ratio=ratio)
    for labelled, answer in zip(sample, answers, strict=True):
        language = LANGUAGE_NAMES.get(answer.language, answer.language)
        within = Text(f"\nwithin {deadline_in_words(answer, policy)}\n")
        table.add_row(
            Text.assemble((f"{language}: ", "bold"), _start(labelled.body["text"])),
            Text.assemble(_coloured(answer.rating), within, "people: ", _coloured(labelled.rating)),
            Text(decisive_words(answer.explanation.evidence, separator="\n")),
            Text(f"{in_words(answer.confidence)}\n{decision_in_words(answer.decision)}"),
        )
    return table


def _coloured(rating: Rating) -> tuple[str, str]:
    return rating, f"bold {COLOURS[rating]}"


def _start(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= START_CHARACTERS else line[: START_CHARACTERS - 1].rstrip() + "…"
