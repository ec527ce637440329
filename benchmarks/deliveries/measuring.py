"""How many hand-offs are decided and how often processes are killed in; lost, doubled and late deliveries out."""

import base64
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.deliveries.receiving import Taken, receivers
from riskmodel.artifact import load_model
from riskmodel.casebook.opening import open_database
from riskmodel.casebook.tables import ATTEMPTS, ESCALATIONS, HANDOFFS, MESSAGES
from riskmodel.policy import load_policy
from riskmodel.records import Escalation
from training.progress import say

SOONEST, LATEST = 1.0, 6.0  # seconds of work before a process is killed
GIVE_UP_SECONDS = 1_800.0
WORKERS = 2
DESK = """
base_url = "http://desk.example.org"
private_addresses = true
[handoffs]
accepted_from = "low"
[delivery]
attempts = 60
first_seconds = 0.3
longest_seconds = 3.0
timeout_seconds = 1.0
[smtp]
host = "127.0.0.1"
port = {mail}
sender = "desk@example.org"
[teams.crisis_response]
webhook = "http://127.0.0.1:{hook}/"
secrets = ["{secret}"]
[teams.abuse_response]
email = "abuse@example.org"
[teams.fraud_operations]
webhook = "http://127.0.0.1:{hook}/"
secrets = ["{secret}"]
email = "fraud@example.org"
"""


@dataclass(frozen=True)
class Amount:
    """How many hand-offs, how often processes are killed at least, the seed of when and of what fails, and the most
    seconds between two kills.
    """

    handoffs: int = 1_000
    kills: int = 40
    seed: int = 7
    most_seconds: float = LATEST


@dataclass
class _Run:
    """Processes that work on one casebook."""

    url: str
    desk: Path
    answer: Path
    log: Path
    amount: Amount
    acknowledged: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    rounds: int = 0

    def worker(self) -> "subprocess.Popen[bytes]":
        """Start a process that sends."""
        options = ["work", "--desk", str(self.desk), "--database-url", self.url, "--log-level", "warning"]
        with self.log.open("ab") as output:
            return subprocess.Popen([sys.executable, "-m", "riskmodel", *options], stdout=output, stderr=output)

    def decider(self) -> "subprocess.Popen[str]":
        """Start a process that keeps and hands off what is left."""
        self.rounds += 1
        left = str(self.amount.handoffs - len(self.acknowledged))
        arguments = [self.url, str(self.desk), str(self.answer), f"r{self.rounds}", left]
        command = [sys.executable, "-m", "benchmarks.deliveries.deciding", *arguments]
        with self.log.open("ab") as errors:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)

    def hear(self, decider: "subprocess.Popen[str]") -> None:
        """Note what a process that ended had acknowledged; a line that was cut off does not count."""
        assert decider.stdout is not None
        lines = decider.stdout.read().splitlines(keepends=True)
        decider.stdout.close()
        self.acknowledged += [line.strip() for line in lines if line.endswith("\n")]


def measure_deliveries(model: Path, amount: Amount) -> dict[str, Any]:
    """Decide, send and kill until all is decided and killed often enough; then count what arrived."""
    secret = "whsec_" + base64.b64encode(random.Random(amount.seed).randbytes(32)).decode()
    with tempfile.TemporaryDirectory() as name, receivers(secret, amount.seed) as (hook, mail, hooks, mails):
        folder = Path(name)
        desk, answer = folder / "desk.toml", folder / "answer.json"
        desk.write_text(DESK.format(hook=hook, mail=mail, secret=secret), encoding="utf-8")
        text = Escalation(text="They said they will be at the gate at six.")
        (assessment,) = load_model(model, load_policy(), 1).assess([text], datetime.now(UTC))
        answer.write_text(assessment.model_dump_json(by_alias=True), encoding="utf-8")
        run = _Run(f"sqlite:///{folder / 'casebook.db'}", desk, answer, folder / "log", amount)
        began = time.perf_counter()
        _work(run)
        return _count(run, hooks, mails) | {"seconds": round(time.perf_counter() - began, 1)}


def _work(run: _Run) -> None:
    """Have processes work, and kill one of them again and again, until nothing waits."""
    chance, give_up = random.Random(run.amount.seed), time.monotonic() + GIVE_UP_SECONDS
    workers = [run.worker() for _ in range(WORKERS)]
    decider: subprocess.Popen[str] | None = run.decider()
    try:
        while time.monotonic() < give_up:
            time.sleep(chance.uniform(SOONEST, run.amount.most_seconds))
            enough = sum(run.kills.values()) >= run.amount.kills
            if decider is not None and (decider.poll() is not None or (not enough and chance.random() < 0.4)):
                decider.kill()
                run.kills["deciding"] += decider.poll() is None
                decider.wait()
                run.hear(decider)
                decider = run.decider() if len(run.acknowledged) < run.amount.handoffs else None
            elif not enough:
                at = chance.randrange(WORKERS)
                workers[at].kill()
                workers[at].wait()
                run.kills["sending"] += 1
                workers[at] = run.worker()
            elif decider is None and _waiting(run.url) == 0:
                return
            say(f"{len(run.acknowledged)} decided, {sum(run.kills.values())} killed")
    finally:
        for process in (*workers, *([] if decider is None else [decider])):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def _waiting(url: str) -> int:
    database = open_database(url)
    statement = sa.select(sa.func.count()).select_from(MESSAGES).where(MESSAGES.c.state == "waiting")
    count = database.read(lambda connection: connection.execute(statement).scalar_one())
    database.close()
    return count


def _count(run: _Run, hooks: Taken, mails: Taken) -> dict[str, Any]:
    """Compare what was decided, what the casebook says was sent, and what was received."""
    database = open_database(run.url)

    def read(connection: sa.Connection) -> tuple[Any, Any, Any]:
        cases = sa.select(ESCALATIONS.c.id).join_from(
            HANDOFFS, ESCALATIONS, HANDOFFS.c.escalation == ESCALATIONS.c.number
        )
        sent = sa.select(MESSAGES.c.id, MESSAGES.c.channel, MESSAGES.c.state, MESSAGES.c.subject)
        tries = sa.select(ATTEMPTS.c.outcome, sa.func.count()).group_by(ATTEMPTS.c.outcome)
        return (
            connection.execute(cases).scalars().all(),
            connection.execute(sent).all(),
            connection.execute(tries).all(),
        )

    handed, messages, tries = database.read(read)
    database.close()
    received = hooks.ids + mails.ids
    return {
        "decided_and_acknowledged": len(run.acknowledged),
        "handed_off": len(handed),
        "acknowledged_without_a_hand_off": len(set(run.acknowledged) - set(handed)),
        "messages": len(messages),
        "messages_by_state": dict(Counter(row.state for row in messages)),
        "lost": sum(received[row.id] == 0 for row in messages),
        "said_to_be_sent_but_not_received": sum(row.state == "sent" and received[row.id] == 0 for row in messages),
        "received_more_than_once": sum(received[row.id] > 1 for row in messages),
        "received_that_nobody_sent": len(set(received) - {row.id for row in messages}),
        "killed": dict(run.kills),
        "attempts": {outcome or "cut off with its process": count for outcome, count in tries},
        "what_receivers_did": {"webhook": dict(hooks.ways), "email": dict(mails.ways)},
    }
