"""What is to be sent, and every try to send it.

Written out by hand: this step stays as it is when the tables go on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    sqlite = op.get_context().dialect.name == "sqlite"
    number = sa.Integer() if sqlite else sa.BigInteger()
    moment: sa.types.TypeEngine[Any] = sa.BigInteger() if sqlite else sa.DateTime(timezone=True)
    _make_messages(number, moment)
    _make_attempts(number, moment)


def _make_messages(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "messages",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("escalation", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("put_at", moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("lease", sa.Text),
        sa.Column("leased_until", moment),
        sa.Column("ended_at", moment),
        sa.ForeignKeyConstraint(
            ["escalation"], ["escalations.number"], name="fk_messages_escalation", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("id", name="uq_messages_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_kind_subject", "messages", ["kind", "subject"])
    op.create_index("ix_messages_escalation", "messages", ["escalation"])
    op.create_index("ix_messages_state_number", "messages", ["state", "number"])
    for name, columns, condition in (
        ("ix_messages_waiting", ["due_at", "number"], "state = 'waiting'"),
        ("ix_messages_leased", ["leased_until"], "lease IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(name, "messages", columns, sqlite_where=where, postgresql_where=where)


def _make_attempts(number: sa.types.TypeEngine[int], moment: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        "attempts",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("outcome", sa.Text),
        sa.Column("status", sa.Integer),
        sa.ForeignKeyConstraint(["message"], ["messages.number"], name="fk_attempts_message", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_message_number", "attempts", ["message", "number"])
