"""A deadline in, the moment that orders the queue out: brought forward by expected harm and by independent sources."""

from datetime import datetime, timedelta

CREDIT_HOURS = 24  # how much sooner than its deadline the most harmful is taken: a day, the time of a medium one
SOURCES_CREDIT_HOURS = 6  # the same for what ever more independent sources say: a quarter of it


def sources_credit(sources: int) -> timedelta:
    """Return how much sooner what so many independent sources say is taken: 3 h for two, 4 h for three, never 6 h."""
    return timedelta(hours=SOURCES_CREDIT_HOURS * (1 - 1 / max(sources, 1)))


def order_at(act_by: datetime, harm: float, sources: int = 1) -> datetime:
    """Return the moment that orders the queue: a deadline that expected harm and independent sources bring forward.

    It stands still while time goes on, so whatever waits becomes the most overdue: nothing starves.
    """
    return act_by - timedelta(hours=CREDIT_HOURS * harm) - sources_credit(sources)
