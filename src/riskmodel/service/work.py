"""A casebook and where teams are reached in; all that is done beside the service out, by it or by a process alone."""

import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from riskmodel.casebook import Casebook, open_casebook
from riskmodel.casework import Contacts, Courier, Deadlines, Emails, Outbox, Questions, Webhooks
from riskmodel.casework.inbound import Maildir
from riskmodel.casework.incidents import Joiner, KeptSpaces
from riskmodel.errors import CasebookUnavailableError
from riskmodel.policy import load_policy
from riskmodel.reports.insight.scheduled import Scheduled
from riskmodel.service.logs import configure_logging
from riskmodel.service.metrics import Metrics
from riskmodel.service.rounds import Round, Rounds
from riskmodel.service.settings import Settings, read_contacts

OPEN_AGAIN_SECONDS = 1.0  # between two tries to reach a database that does not answer yet
OUTBOX_SECONDS = 1.0
OUTBOX_COPIES = 8  # threads; with two at once for a destination, three that hang leave room for the others
COUNT_SECONDS = 15.0
JOIN_SECONDS = 2.0
REMINDERS_SECONDS = 20.0
REPLIES_SECONDS = 10.0
REPORTS_SECONDS = 30.0

log = structlog.get_logger()


def make_outbox(casebook: Casebook, contacts: Contacts) -> Outbox:
    """Return the outbox of a casebook, with the schedule of the desk file."""
    delivery = contacts.delivery
    return Outbox(casebook.database, delivery.schedule, lease_seconds=delivery.lease_seconds)


def make_rounds(casebook: Casebook, outbox: Outbox, contacts: Contacts, metrics: Metrics) -> Rounds:
    """Return all rounds of this process, not yet begun."""
    joiner = Joiner(casebook.database, KeptSpaces(casebook.database))
    courier = Courier(outbox, {"webhook": Webhooks(contacts), "email": Emails(contacts)}, metrics)
    policy = load_policy()
    deadlines = Deadlines(casebook.database, policy, contacts)
    reports = Scheduled(casebook.database, policy, contacts, lambda: datetime.now(UTC))
    rounds = [
        Round("outbox", OUTBOX_SECONDS, courier.send_due, OUTBOX_COPIES, courier.stop),
        Round("incidents", JOIN_SECONDS, joiner.round, stop=joiner.stop),
        Round("reminders", REMINDERS_SECONDS, lambda: deadlines.remind(datetime.now(UTC))),
        Round("reports", REPORTS_SECONDS, reports.make_due),
        Round("outbox count", COUNT_SECONDS, lambda: metrics.outbox(**outbox.counts())),
    ]
    if contacts.answers is not None and contacts.answers.maildir is not None:
        questions = Questions(casebook.database, policy, contacts)
        maildir = Maildir(Path(contacts.answers.maildir), questions, lambda: datetime.now(UTC))
        rounds.append(Round("replies", REPLIES_SECONDS, maildir.receive))
    return Rounds(rounds, metrics)


def work(settings: Settings) -> None:
    """Make the rounds in this process, without the service, until it is interrupted or told to end.

    Raises:
        SettingsError: if the desk file cannot be used.
        CasebookError: if the casebook cannot be opened.
    """
    configure_logging(settings.log_level)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    contacts = read_contacts(settings)
    casebook = _open(settings.database_url, ended)
    if casebook is None:
        return
    try:
        outbox = make_outbox(casebook, contacts)
        rounds = make_rounds(casebook, outbox, contacts, Metrics())
        rounds.start()
        log.info("working", teams=sorted(contacts.teams))
        ended.wait()
        rounds.stop()
    finally:
        casebook.close()


def _open(url: str, ended: threading.Event) -> Casebook | None:
    """Open the casebook, trying until its database answers; None if told to end before."""
    while not ended.is_set():
        try:
            return open_casebook(url)
        except CasebookUnavailableError as error:
            log.warning("casebook not open yet", why=str(error))
            time.sleep(OPEN_AGAIN_SECONDS)
    return None
