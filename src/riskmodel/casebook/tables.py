"""Nothing in; the tables of the casebook out, with the indexes that its filters need."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

REVISION = "0010"  # the newest migration; known here so that opening an up-to-date casebook need not load alembic

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A moment with a zone: ``timestamptz`` on PostgreSQL, microseconds since 1970 (which sort) on SQLite."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Return the type of the column."""
        return dialect.type_descriptor(sa.BigInteger() if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Return what the database takes.

        Raises:
            ValueError: if the moment has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time: found one without a zone, expected one with.")
        return micros_of(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return moment_of(value) if isinstance(value, int) else value.astimezone(UTC)


def micros_of(moment: datetime) -> int:
    """Return the microseconds from 1970 to a moment."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """Return the moment that lies so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number_column() -> "sa.Column[int]":
    """Return the key of a table that is appended to; never used again for another row, also on SQLite."""
    return sa.Column("number", _INTEGER, primary_key=True, autoincrement=True)


METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# One row for each escalation that was answered, in order of arrival.
ESCALATIONS = sa.Table(
    "escalations",
    METADATA,
    number_column(),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("key_id", sa.Text),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("kept_at", UtcTime, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("market", sa.Text),
    sa.Column("reliability", sa.Text),
    sa.Column("credibility", sa.SmallInteger),
    sa.Column("reporter", sa.Text),
    # The client last: an id is also looked up without it, and SQLite then finds lists of ids by the index.
    sa.UniqueConstraint("id", "client"),
    sa.UniqueConstraint("idempotency_key", "client"),
    # A page walks one index backwards from its cursor, whatever lies before or behind.
    sa.Index(None, "client", "number"),
    sa.Index(None, "source", "number"),
    sa.Index(None, "market", "number"),
    # All that is counted of a case stands in two indexes, so that a report reads no text and no answer.
    sa.Index("ix_escalations_kept_at_counted", "kept_at", "number", "client", "source", "market", "received_at"),
    sqlite_autoincrement=True,
)

# What the model said of an escalation; appended, never changed.
ASSESSMENTS = sa.Table(
    "assessments",
    METADATA,
    number_column(),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("assessed_at", UtcTime, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("act_by", UtcTime, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("learnt", sa.Text),  # numbers of answers that were read behind the text, as JSON; none: the text alone
    sa.Index(
        "ix_assessments_escalation_counted",
        *("escalation", "number", "rating", "language", "category", "team", "route", "act_by"),
        *("model_version", "policy_version"),
    ),
    sa.Index(None, "rating", "escalation"),
    sa.Index(None, "language", "escalation"),
    sa.Index(None, "category", "escalation"),
    sa.Index(None, "team", "escalation"),
    sa.Index(None, "route", "escalation"),
    sa.Index(None, "model_version", "escalation"),
    sqlite_autoincrement=True,
)

# The vector that an assessment was read from. Apart from it, as whoever compares vectors reads thousands at once.
VECTORS = sa.Table(
    "vectors",
    METADATA,
    sa.Column(
        "assessment",
        _INTEGER,
        sa.ForeignKey("assessments.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("escalation", sa.BigInteger, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Index(None, "escalation"),
)

API_KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Column("last_used_at", UtcTime),
    sa.Column("revoked_at", UtcTime),
)

# Who did what; triggers refuse to change or delete a row.
AUDIT = sa.Table(
    "audit",
    METADATA,
    number_column(),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("role", sa.Text),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),
    sqlite_autoincrement=True,
)

# What waits for a person, and what became of it; what the queue filters by is copied from the assessment.
REVIEWS = sa.Table(
    "reviews",
    METADATA,
    number_column(),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("known", sa.Text),  # the label of a golden case, as JSON
    sa.Column("text_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("market", sa.Text),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("queued_at", UtcTime, nullable=False),
    sa.Column("act_by", UtcTime, nullable=False),
    sa.Column("harm", sa.Double, nullable=False),
    sa.Column("order_at", UtcTime, nullable=False),
    sa.Column("sources", sa.Integer, nullable=False, server_default="1"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("analyst", sa.Text),
    sa.Column("assigned_at", UtcTime),
    sa.Column("claimed_at", UtcTime),
    sa.Column("heartbeat_at", UtcTime),
    sa.Column("last_claim_at", UtcTime),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "escalation"),
    sa.Index(None, "purpose", "escalation"),
    sa.Index(None, "text_digest", "number"),
    sqlite_autoincrement=True,
)
IS_OPEN = "state <> 'decided'"  # word for word in queries too: a database uses a partial index only then
IS_CLAIMED = "state = 'claimed'"
# The queue in its order. All that it is filtered by stands in the index, so that a rare filter reads no row in vain.
_filtered = ("state", "language", "category", "source", "market", "rating", "purpose", "reasons", "analyst")
sa.Index(
    "ix_reviews_open",
    *(REVIEWS.c[name] for name in ("order_at", "number", *_filtered)),
    sqlite_where=sa.text(IS_OPEN),
    postgresql_where=sa.text(IS_OPEN),
)
sa.Index(
    "ix_reviews_claimed",
    REVIEWS.c.heartbeat_at,
    sqlite_where=sa.text(IS_CLAIMED),
    postgresql_where=sa.text(IS_CLAIMED),
)

# What analysts decided; triggers refuse to change a row, or to delete one whose escalation is not forgotten.
VERDICTS = sa.Table(
    "verdicts",
    METADATA,
    number_column(),
    sa.Column("review", sa.BigInteger, sa.ForeignKey("reviews.number", ondelete="CASCADE"), nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("assessment", sa.BigInteger, sa.ForeignKey("assessments.number", ondelete="CASCADE"), nullable=False),
    sa.Column("analyst", sa.Text, nullable=False),
    sa.Column("decided_at", UtcTime, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("proximity", sa.Text, nullable=False),
    sa.Column("lifted", sa.Boolean, nullable=False),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("categories", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("retracts", sa.BigInteger),
    sa.Column("client_token", sa.Text),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
    sa.UniqueConstraint("review", "analyst", "client_token"),
    sa.UniqueConstraint("retracts"),
    sa.Index(None, "escalation", "analyst"),
    sa.Index(None, "assessment"),
    sqlite_autoincrement=True,
)

# What is to be sent, put there by the transaction that decides it. A payload is kept until it is delivered.
MESSAGES = sa.Table(
    "messages",
    METADATA,
    number_column(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE")),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("payload", sa.Text),
    sa.Column("put_at", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("lease", sa.Text),
    sa.Column("leased_until", UtcTime),
    sa.Column("ended_at", UtcTime),
    sa.UniqueConstraint("id"),
    sa.Index(None, "kind", "subject"),
    sa.Index(None, "escalation"),
    sa.Index(None, "state", "number"),
    sqlite_autoincrement=True,
)
IS_WAITING = "state = 'waiting'"
IS_LEASED = "lease IS NOT NULL"
for _name, _columns, _where in (
    ("ix_messages_waiting", ("due_at", "number"), IS_WAITING),
    ("ix_messages_leased", ("leased_until",), IS_LEASED),
):
    sa.Index(
        _name,
        *(MESSAGES.c[name] for name in _columns),
        sqlite_where=sa.text(_where),
        postgresql_where=sa.text(_where),
    )

# Every try to send a message; one without an end was cut off with its process.
ATTEMPTS = sa.Table(
    "attempts",
    METADATA,
    number_column(),
    sa.Column("message", sa.BigInteger, sa.ForeignKey("messages.number", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("outcome", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Index(None, "message", "number"),
    sqlite_autoincrement=True,
)

# Links that let whoever has one act without an account; only hashes are kept.
LINKS = sa.Table(
    "links",
    METADATA,
    number_column(),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE")),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.UniqueConstraint("hash"),
    sa.Index(None, "purpose", "subject"),
    sa.Index(None, "escalation"),
    sqlite_autoincrement=True,
)

# Risks handed over to those who mitigate them; what happened to each is in its events.
HANDOFFS = sa.Table(
    "handoffs",
    METADATA,
    number_column(),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("assessment", sa.BigInteger, sa.ForeignKey("assessments.number", ondelete="CASCADE"), nullable=False),
    sa.Column("verdict", sa.BigInteger, sa.ForeignKey("verdicts.number", ondelete="CASCADE")),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("market", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("opened_by", sa.Text),
    sa.Column("follows", sa.BigInteger, sa.ForeignKey("handoffs.number", ondelete="CASCADE")),
    sa.Column("act_by", UtcTime, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("acknowledged_at", UtcTime),
    sa.Column("ended_at", UtcTime),
    sa.Column("actions", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index(None, "escalation"),
    sa.Index(None, "assessment"),
    sa.Index(None, "verdict"),
    sa.Index(None, "follows"),
    sa.Index(None, "team", "number"),
    sa.Index(None, "state", "act_by"),
    # All that a report counts of a hand-off, so that it reads no document.
    sa.Index(
        "ix_handoffs_opened_at_counted",
        *("opened_at", "number", "team", "rating", "category", "market", "language", "act_by"),
    ),
    sqlite_autoincrement=True,
)
IS_WITH_TEAM = "state IN ('open', 'acknowledged')"
sa.Index(  # a risk is with a team once
    "ix_handoffs_with_team",
    HANDOFFS.c.escalation,
    HANDOFFS.c.team,
    unique=True,
    sqlite_where=sa.text(IS_WITH_TEAM),
    postgresql_where=sa.text(IS_WITH_TEAM),
)

# Who did what with a hand-off; triggers refuse to change a row, or to delete one whose escalation is not forgotten.
HANDOFF_EVENTS = sa.Table(
    "handoff_events",
    METADATA,
    number_column(),
    sa.Column("handoff", sa.BigInteger, sa.ForeignKey("handoffs.number", ondelete="CASCADE"), nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actions", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index(None, "handoff", "number"),
    sa.Index(None, "escalation"),
    sqlite_autoincrement=True,
)

# When a report is to be made by itself, and who is told; one that ended stays, for the reports it had made.
REPORT_SCHEDULES = sa.Table(
    "report_schedules",
    METADATA,
    number_column(),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("every", sa.Text, nullable=False),
    sa.Column("on_day", sa.SmallInteger),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("market", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("recipients", sa.Text, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Column("ended_by", sa.Text),
    sqlite_autoincrement=True,
)

# Every report that was made, with what it rests on and its figures; triggers refuse to change a row. No text is in it.
REPORTS = sa.Table(
    "reports",
    METADATA,
    number_column(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("first_day", sa.Text, nullable=False),
    sa.Column("last_day", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("market", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("versions", sa.Text, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
    sa.Column("schedule", sa.BigInteger, sa.ForeignKey("report_schedules.number")),
    sa.Column("due_at", UtcTime),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("schedule", "due_at"),
    sqlite_autoincrement=True,
)

# What somebody is asked about an escalation, and by when an answer is due.
QUESTIONS = sa.Table(
    "questions",
    METADATA,
    number_column(),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", UtcTime, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("as_written", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ended_at", UtcTime),
    sa.Index(None, "escalation", "number"),
    sa.Index(None, "state", "number"),
    sqlite_autoincrement=True,
)

# What was answered; appended, never changed.
ANSWERS = sa.Table(
    "answers",
    METADATA,
    number_column(),
    sa.Column("question", sa.BigInteger, sa.ForeignKey("questions.number", ondelete="CASCADE"), nullable=False),
    sa.Column("answered_at", UtcTime, nullable=False),
    sa.Column("via", sa.Text, nullable=False),
    sa.Column("sender", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("review", sa.BigInteger),
    sa.UniqueConstraint("question", "digest"),
    sqlite_autoincrement=True,
)

# How far the time of each open thing has gone, and how high its lateness was raised.
CLOCKS = sa.Table(
    "clocks",
    METADATA,
    number_column(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.BigInteger, nullable=False),
    sa.Column("escalation", sa.BigInteger, sa.ForeignKey("escalations.number", ondelete="CASCADE"), nullable=False),
    sa.Column("act_by", UtcTime, nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("rank", sa.Text),
    sa.Column("next_at", UtcTime),
    sa.UniqueConstraint("kind", "subject"),
    sa.Index(None, "escalation"),
    sqlite_autoincrement=True,
)
IS_RUNNING = "next_at IS NOT NULL"
sa.Index(
    "ix_clocks_running",
    CLOCKS.c.next_at,
    sqlite_where=sa.text(IS_RUNNING),
    postgresql_where=sa.text(IS_RUNNING),
)

# Every reminder of a deadline; those of one ``batch`` went out together.
REMINDERS = sa.Table(
    "reminders",
    METADATA,
    number_column(),
    sa.Column("clock", sa.BigInteger, sa.ForeignKey("clocks.number", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("act_by", UtcTime, nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("rank", sa.Text, nullable=False),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("batch", sa.BigInteger),
    sa.UniqueConstraint("clock", "act_by", "share"),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,
)
