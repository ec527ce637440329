"""A simulated week lived through: escalations kept, reviewed, handed over, sent, mitigated, by a clock of its own."""

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from benchmarks.week.arrivals import Arrival
from benchmarks.week.teams import Inbox
from riskmodel import RiskModel
from riskmodel.casebook import Casebook, Rated, Sent, digest_of, packed
from riskmodel.casework import (
    Actor,
    Automatic,
    Contacts,
    Courier,
    Deadlines,
    Emails,
    HandoffFilters,
    Handoffs,
    HandoffStateError,
    Outbox,
    Webhooks,
)
from riskmodel.casework.incidents import Joiner
from riskmodel.review import Desk, Filters, NewVerdict, QueueItem, ReviewSettings

STEP = timedelta(minutes=10)
ANALYSTS = 8
MEDIAN_MINUTES, SPREAD = 4.0, 0.6  # of a review, log-normal
RAISED = 0.04  # of verdicts that are a step above what is known to be true: people differ
READ_MINUTES, ACT_MINUTES = 12.0, 90.0  # medians, from the message to the acknowledgement, and on to the end
REFUSED = 0.04  # of hand-offs, and handed on to user support
ACTIONS = ("removed", "limited", "labelled", "account suspended", "reported to authorities", "user supported")
SEVERITY = {"minor": "moderate", "moderate": "serious", "serious": "severe", "severe": "severe"}
NEXT_TEAM = "user_support"


@dataclass
class Clock:
    """The moment of the simulation."""

    now: datetime

    def __call__(self) -> datetime:
        """Return it."""
        return self.now


class Silent:
    """Is told of attempts, and keeps quiet."""

    def attempted(self, channel: str, outcome: str) -> None:
        """Take note of nothing."""


@dataclass
class Week:
    """Everybody at work.

    Attributes:
        truths: what is true of each escalation, by id.
        to_do: what teams will do, as (moment, what), in no order.
        seen: hand-offs that a team without a channel has found on its page.
    """

    model: RiskModel
    casebook: Casebook
    contacts: Contacts
    inbox: Inbox
    clock: Clock
    joiner: Joiner
    automatic: Automatic
    draw: Random
    truths: dict[str, Arrival] = field(default_factory=dict)
    to_do: list[tuple[datetime, Callable[[], Any]]] = field(default_factory=list)
    reminders: int = 0
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        policy, database = self.model.policy, self.casebook.database
        self.desk = Desk(database, policy, ReviewSettings(), self.draw, told=self.automatic.decided)
        self.handoffs = Handoffs(database, policy, self.contacts)
        self.outbox = Outbox(database, self.contacts.delivery.schedule, self.draw)
        self.deadlines = Deadlines(database, policy, self.contacts)
        channels: dict[Any, Any] = {
            "webhook": Webhooks(self.contacts, clock=lambda: self.clock.now.timestamp()),
            "email": Emails(self.contacts),
        }
        self.courier = Courier(self.outbox, channels, Silent(), self.clock)
        self.free_at = [self.clock.now] * ANALYSTS

    def live(self, arrivals: Sequence[Arrival], end: datetime, report: Callable[[int, int], None]) -> None:
        """Let time pass until an end, ten minutes at a time."""
        coming = deque(arrivals)
        begin, steps = self.clock.now, (end - self.clock.now) // STEP
        for step in range(steps):
            until = begin + (step + 1) * STEP
            new = []
            while coming and coming[0].at <= until:
                new.append(coming.popleft())
            self.keep(new)
            self.clock.now = until
            self.review(until)
            self.joiner.round()
            self.courier.send_due()
            self.reminders += self.deadlines.remind(until)
            self.act(until)
            report(step + 1, steps)

    def keep(self, arrivals: Sequence[Arrival]) -> None:
        """Assess and keep what arrives, each at its moment."""
        for arrival in arrivals:
            self.clock.now = arrival.at
            (made,) = self.model.assessed([arrival.escalation], arrival.at)
            sent = Sent("week", arrival.escalation, None, digest_of(arrival.escalation), None, None)
            document = made.assessment.model_dump_json(by_alias=True)
            self.casebook.keep([Rated(sent, made.assessment, document, arrival.at, arrival.at, packed(made.vector))])
            self.truths[made.assessment.id] = arrival

    def review(self, until: datetime) -> None:
        """Let each analyst take and decide cases for as long as the time lasts."""
        for at in range(ANALYSTS):
            name = f"analyst-{at}"
            moment = max(self.free_at[at], until - STEP)
            while moment < until:
                item = self.desk.claims.next(name, Filters(), moment)
                if item is None:
                    break
                moment += timedelta(minutes=self.draw.lognormvariate(0, SPREAD) * MEDIAN_MINUTES)
                self.desk.verdicts.decide(self._verdict(item, name, moment), moment)
            self.free_at[at] = moment

    def act(self, until: datetime) -> None:
        """Let teams read what came in and do what they meant to do."""
        fresh, self.inbox.handoffs[:] = list(self.inbox.handoffs), []
        fresh += self._on_the_page(until)
        for number in fresh:
            read = until + self._minutes(READ_MINUTES)
            self.to_do.append((read, partial(self._first, number, read)))
        due = sorted((one for one in self.to_do if one[0] <= until), key=lambda one: one[0])
        self.to_do = [one for one in self.to_do if one[0] > until]
        for _, what in due:
            what()

    def _on_the_page(self, until: datetime) -> Iterator[int]:
        """Yield the hand-offs of teams that no message reaches: they look at the page."""
        for team in self.model.policy.teams:
            if self.contacts.channels_of(team):
                continue
            for listed in self.handoffs.page(HandoffFilters(team=team, state="open"), None, 100, until).items:
                number = listed.handoff.number
                if number not in self.seen:
                    self.seen.add(number)
                    yield number

    def _first(self, number: int, at: datetime) -> None:
        actor = Actor("team", "key")
        try:
            if self.draw.random() < REFUSED:
                refused = self.handoffs.refuse(number, actor, "Not ours.", at)
                if refused.team != NEXT_TEAM:
                    lead = Actor("lead", "desk")
                    self.handoffs.open(refused.escalation, NEXT_TEAM, lead, at, follows=number)
                return
            self.handoffs.acknowledge(number, actor, at)
        except HandoffStateError:  # withdrawn meanwhile
            return
        end = at + self._minutes(ACT_MINUTES)
        self.to_do.append((end, partial(self._last, number, end)))

    def _last(self, number: int, at: datetime) -> None:
        self.handoffs.mitigate(number, Actor("team", "key"), [self.draw.choice(ACTIONS)], "", at)

    def _minutes(self, median: float) -> timedelta:
        return timedelta(minutes=self.draw.lognormvariate(0, SPREAD) * median)

    def _verdict(self, item: QueueItem, analyst: str, at: datetime) -> NewVerdict:
        truth = self.truths[item.id].truth
        severity: Any = SEVERITY[truth.severity] if self.draw.random() < RAISED else truth.severity
        proximity: Any = truth.proximity
        seconds = (at - (item.claimed_at or at)).total_seconds()
        return NewVerdict(
            item.number,
            item.version,
            analyst,
            severity,
            proximity,
            False,
            truth.categories,
            (),
            "",
            seconds,
            uuid.UUID(int=self.draw.getrandbits(128)).hex,
        )
